"""What becomes of an experiment: its versions, its buckets, and what keeps it from starting."""

from typing import Any

import pytest

from recsys.experiments.experiment import BUCKETS, Experiment, ExperimentTerms, Guardrail, Overrides, Variant
from recsys.experiments.lifecycle import ExperimentConflict, defined, require_not_running, started, stopped

POPULAR = (Variant(name="a"), Variant(name="b", overrides=Overrides(model="popularity")))
TERMS = ExperimentTerms(variants=POPULAR)


def terms(**changes: Any) -> ExperimentTerms:
    return ExperimentTerms(**{**dict(TERMS), **changes})


def draft(key: str = "e", **changes: Any) -> Experiment:
    return defined(key, terms(**changes), None, [], 0.0)


def running(key: str = "e", *others: Experiment, **changes: Any) -> Experiment:
    return started(draft(key, **changes), others, 10.0)


def test_a_draft_may_say_anything_and_stays_the_first_version() -> None:
    one = draft()
    assert (one.status, one.version, one.terms) == ("draft", 1, TERMS)
    other = defined("e", terms(layer="home", salt="s", mode="interleaved"), one, [], 5.0)
    assert (other.status, other.version, other.layer, other.started_at) == ("draft", 1, "home", None)


def test_a_start_gives_buckets_and_a_stop_takes_nobody_more() -> None:
    one = running(traffic=0.25)
    assert (one.status, one.version, one.first_bucket, one.end_bucket) == ("running", 1, 0, 2500)
    assert (one.started_at, one.stopped_at) == (10.0, None)
    done = stopped(one, 20.0)
    assert (done.status, done.started_at, done.stopped_at) == ("stopped", 10.0, 20.0)
    require_not_running(done)
    require_not_running(draft())
    for wrong in (
        lambda: started(one, [], 20.0),
        lambda: stopped(done, 30.0),
        lambda: stopped(draft(), 30.0),
        lambda: require_not_running(one),
    ):
        with pytest.raises(ExperimentConflict):
            wrong()


HEAVIER = (Variant(name="a", weight=2), POPULAR[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"variants": HEAVIER},
        {"variants": POPULAR[::-1]},
        {"salt": "s"},
        {"layer": "home"},
        {"traffic": 0.5},
        {"mode": "interleaved"},
    ],
)
def test_what_changes_who_gets_what_makes_a_version(changes: dict[str, Any]) -> None:
    one = running()
    after = defined("e", terms(**changes), one, [], 30.0)
    assert (after.version, after.status, after.started_at) == (2, "running", 30.0)
    ended = defined("e", terms(**changes), stopped(one, 20.0), [], 30.0)
    assert (ended.version, ended.status, ended.started_at, ended.stopped_at) == (2, "draft", None, None)
    assert (ended.first_bucket, ended.end_bucket) == (0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "other words"},
        {"primary": "revenue_per_user"},
        {"guardrails": (Guardrail(metric="latency_ms", most=0.1),)},
        {"alpha": 0.1},
        {"winsorised": 0.9},
        {"least_users": 7},
        {},
    ],
)
def test_what_is_read_out_of_lists_makes_none(changes: dict[str, Any]) -> None:
    for one in (running(), stopped(running(), 20.0)):
        after = defined("e", terms(**changes), one, [], 30.0)
        assert after == one.model_copy(update=changes)


def test_every_term_is_one_or_the_other() -> None:
    """A term that is added later is to be thought about."""
    assert set(ExperimentTerms.model_fields) == {
        *("title", "primary", "guardrails", "alpha", "winsorised", "least_users"),
        *("variants", "salt", "layer", "traffic", "mode"),
    }


def test_what_was_stopped_starts_as_the_next_version() -> None:
    again = started(stopped(running(), 20.0), [], 30.0)
    assert (again.version, again.started_at, again.stopped_at) == (2, 30.0, None)


def test_buckets_are_the_first_run_that_is_free() -> None:
    a = running("a", traffic=0.3)
    b = running("b", a, traffic=0.3)
    c = running("c", a, b, traffic=0.4)
    assert [(one.first_bucket, one.end_bucket) for one in (a, b, c)] == [(0, 3000), (3000, 6000), (6000, BUCKETS)]
    small = running("d", a, c, traffic=0.00001)
    assert (small.first_bucket, small.end_bucket) == (3000, 3001), "one bucket at least"
    with pytest.raises(ExperimentConflict, match=r"room for 35.00%.*'default'") as refused:
        started(draft("e", traffic=0.35), [a, c], 30.0)
    assert refused.value.got == "at most 30.00% beside a, c"
    drafts = [stopped(b, 20.0), draft("f")]
    assert started(draft("e", traffic=0.3), [a, c, *drafts], 30.0).first_bucket == 3000, "those that run alone count"
    elsewhere = draft("g", layer="home", variants=(POPULAR[0], Variant(name="short", overrides=Overrides(k=3))))
    assert started(elsewhere, [a, b, c], 30.0).end_bucket == BUCKETS


def test_an_experiment_that_goes_on_keeps_its_buckets_unless_it_moves() -> None:
    a = running("a", traffic=0.3)
    b = running("b", a, traffic=0.3)
    heavier = defined("b", terms(traffic=0.3, variants=HEAVIER), b, [], 30.0)
    assert (heavier.first_bucket, heavier.end_bucket) == (3000, 6000), "though there is room before it now"
    more = defined("b", terms(traffic=0.7), b, [a], 30.0)
    assert (more.first_bucket, more.end_bucket) == (3000, BUCKETS)
    with pytest.raises(ExperimentConflict):
        defined("b", terms(traffic=0.8), b, [a], 30.0)


def test_of_different_layers_nothing_is_overridden_twice() -> None:
    a = running("a")
    with pytest.raises(ExperimentConflict, match="different layers") as refused:
        started(draft("b", layer="home"), [a], 30.0)
    assert refused.value.got == "model, which 'a' of the layer 'default' overrides, too"
    shorter = (POPULAR[0], Variant(name="short", overrides=Overrides(k=3)))
    assert started(draft("b", layer="home", variants=shorter), [a], 30.0).status == "running"
    same = (POPULAR[0], Variant(name="same"))
    with pytest.raises(ExperimentConflict, match="different layers"):  # teams make whole lists, whatever they differ in
        started(draft("b", layer="home", mode="interleaved", variants=same), [a], 30.0)
