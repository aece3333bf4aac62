"""Which experiments a worker goes by, and what they give to users."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from recsys.experiments.assignment import layer_bucket
from recsys.experiments.experiment import BUCKETS, Experiment
from recsys.store import Store, StoredExperiments, StoredText, StoreUnavailable
from serve.metrics import Metrics
from serve.settings import Settings
from serve.variants.in_force import ExperimentsInForce
from serve.variants.running import Running
from serve.variants.watch import ExperimentsWatch


def experiment(key: str = "e", **terms: Any) -> Experiment:
    """One that is running, with all users of its layer."""
    given = {
        "key": key,
        "variants": [{"name": "a"}, {"name": "b", "overrides": {"model": "popularity"}}],
        "status": "running",
        "end_bucket": BUCKETS,
        **terms,
    }
    return Experiment.model_validate_json(json.dumps(given))


def stored(*experiments: Experiment, version: int = 1, units: Any = None) -> StoredExperiments:
    texts = tuple(StoredText(one.key, one.model_dump_json(), 1, 1.0) for one in experiments)
    return StoredExperiments(version, texts, units or {})


def test_nobody_is_in_an_experiment_that_is_not_running() -> None:
    running = Running.of(stored(experiment(status="draft"), experiment("f", status="stopped")))
    assert (running.experiments, running.assigned("u")) == ((), ())
    assert [one.key for one in running.kept] == ["e", "f"]
    assert running.find("f") is running.kept[1]
    assert running.find("g") is None
    assert Running().assigned("u") == ()


def test_users_fall_into_buckets_of_layers_and_into_variants() -> None:
    """As an oracle says that computes shares in another way."""

    def share(text: str) -> float:
        return int(sha256(text.encode()).hexdigest()[:16], 16) / 2**64

    half = experiment(first_bucket=0, end_bucket=BUCKETS // 2, salt="s")
    running = Running.of(stored(half))
    inside = 0
    for number in range(500):
        given = running.assigned(f"u{number}")
        assert bool(given) == (share(f"layer/default\0u{number}") < 0.5)
        if given:
            inside += 1
            assert given[0].variant.name == "ab"[share(f"s\0u{number}") >= 0.5]
            assert given[0].experiment == half
            assert given[0].unit == f"u{number}"
    assert 200 < inside < 300


def test_a_user_is_assigned_by_the_unit() -> None:
    running = Running.of(stored(experiment(), experiment("f", layer="other"), units={"e": {"user": "anonymous"}}))
    of_e, of_f = running.assigned("user")
    assert (of_e.unit, of_f.unit) == ("anonymous", "user")
    assert of_e.variant == running.assigned("anonymous")[0].variant
    differing = [
        name
        for name in map(str, range(50))
        if Running.of(stored(experiment(), units={"e": {"user": name}})).assigned("user")[0].variant
        != Running.of(stored(experiment())).assigned("user")[0].variant
    ]
    assert differing, "the unit decides, not the id"


def test_of_one_layer_a_user_is_in_one_experiment_also_by_another_id() -> None:
    """Who is in one by the id of before a merge, and by the own in one that was started later, stays in the first."""
    half = BUCKETS // 2
    first = experiment("z", first_bucket=0, end_bucket=half, started_at=1.0)
    later = experiment("a", first_bucket=half, end_bucket=BUCKETS, started_at=2.0)
    other = experiment("m", layer="other")
    low = next(str(n) for n in range(99) if layer_bucket("default", str(n)) < half)
    high = next(str(n) for n in range(99) if layer_bucket("default", str(n)) >= half)
    running = Running.of(stored(later, other, first, units={"z": {high: low}}))
    assert [(one.experiment.key, one.unit) for one in running.assigned(high)] == [("m", high), ("z", low)]
    assert [one.experiment.key for one in running.assigned(low)] == ["m", "z"]
    running = Running.of(stored(later, other, units={"z": {high: low}}))
    assert [one.experiment.key for one in running.assigned(high)] == ["a", "m"], "the first one was stopped"


def test_what_another_version_of_the_program_kept_does_not_run() -> None:
    odd = StoredText("odd", '{"key": "odd", "variants": []}', 1, 1.0)
    running = Running.of(StoredExperiments(2, (odd, *stored(experiment("x")).texts)))
    assert [one.key for one in running.experiments] == ["x"]
    kept = running.find("odd")
    assert kept is not None
    assert kept.experiment is None
    assert kept.fault is not None
    assert kept.fault.startswith("variants: ")


class Link:
    """A link to a store that can be cut."""

    def __init__(self, store: Store) -> None:
        self.store, self.down = store, False

    @property
    def queries(self) -> Store:
        if self.down:
            raise StoreUnavailable("a store", "none", "wait")
        return self.store


def test_a_worker_follows_the_store_and_goes_on_without_it(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "store.db"))
    store.upgrade()
    link, in_force = Link(store), ExperimentsInForce(Metrics(), stored=True)
    watch = ExperimentsWatch(link, in_force, Settings(bundle=tmp_path))  # type: ignore[arg-type]
    assert (in_force.state, in_force.now) == ("unread", Running())
    link.down = True
    watch.look()
    assert (in_force.state, in_force.now) == ("unread", Running())
    link.down = False
    watch.look()
    assert (in_force.state, in_force.now) == ("live", Running())
    before = in_force.now
    watch.look()
    assert in_force.now is before, "nothing new"
    store.experiments.put("e", experiment().model_dump_json(), who=None, timestamp=1.0, most=9)
    store.live_users.merge("u", "s", 2.0, {"e": 1})
    watch.look()
    assert [one.key for one in in_force.now.experiments] == ["e"]
    assert (in_force.now.unit_of("e", "u"), in_force.now.version) == ("s", 2)
    link.down = True
    watch.look()
    assert (in_force.state, in_force.now.version) == ("stale", 2)
    link.down = False
    watch.look()
    assert in_force.state == "live"
    store.close()


def test_there_are_none_without_a_store() -> None:
    in_force = ExperimentsInForce(Metrics(), stored=False)
    assert (in_force.state, in_force.now.experiments) == ("off", ())
