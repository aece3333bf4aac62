"""Which rules lists go by: of the store, of a file, of a preset; while the store or the bundle changes, or is gone."""

import gc
import json
import sqlite3
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from recsys.bundle.attributes import Attributes
from recsys.core.errors import ConfigError
from recsys.rules.base import RuleBase
from recsys.rules.policy import CompiledRules
from recsys.rules.rule import Rule
from recsys.store import StoreUnavailable
from recsys.store.rules import Rules
from serve.bundles.options import Given, Options
from serve.check import check
from serve.settings import Settings
from serve.shop_rules.in_force import as_read
from serve.shop_rules.kept_rules import GivenRules
from tests.support.bundles import make_bundle
from tests.support.databases import patient
from tests.support.rules_over_http import hide, listed, put, rules, rules_source
from tests.support.serving import N_ITEMS, N_USERS, refusal, running
from tests.support.waiting import eventually

POLL = {"rules_poll_s": 0.05}
FILE = """
rules:
  - id: first-hidden
    action: {type: hide}
    where: item.id == "%s"
"""


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture(scope="module")
def best(bundle_path: Path) -> list[str]:
    """What user1 gets without rules."""
    with running(bundle=bundle_path, store="none") as (client, _):
        return listed(client)


@pytest.fixture
def file(tmp_path: Path, best: list[str]) -> Path:
    """A file of rules that hides the first item of user1."""
    path = tmp_path / "rules.yaml"
    path.write_text(FILE % best[0])
    return path


@contextmanager
def out_of_reach(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The store does not tell its rules meanwhile."""

    def fail(_: object) -> None:
        raise StoreUnavailable("a store that answers", "none", "wait")

    with monkeypatch.context() as patched:
        patched.setattr(Rules, "version", fail)
        patched.setattr(Rules, "read", fail)
        yield


def metric(client: TestClient, name: str) -> float:
    (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[-1])


def without(item_id: str, client: TestClient) -> Callable[[], bool]:
    return lambda: item_id not in listed(client)


def test_servers_of_one_store_follow_each_other(bundle_path: Path, store: str, best: list[str]) -> None:
    with (
        running(bundle=bundle_path, store=store, **POLL) as (one, _),
        running(bundle=bundle_path, store=store, **POLL) as (other, _),
    ):
        put(one, "a", hide(f'item.id == "{best[0]}"'))
        eventually(without(best[0], other))
        put(other, "a", hide(f'item.id == "{best[1]}"'))
        eventually(lambda: listed(one)[:2] == [best[0], best[2]])
        one.delete("/rules/a")
        eventually(lambda: listed(other) == best)
        eventually(lambda: metric(other, "recsys_rules_version") == 3)


def test_a_restarted_server_obeys_before_its_first_list(bundle_path: Path, store: str, best: list[str]) -> None:
    with running(bundle=bundle_path, store=store) as (client, _):
        put(client, "a", hide(f'item.id == "{best[0]}"'))
    with running(bundle=bundle_path, store=store, wait=False) as (client, _):
        assert best[0] not in listed(client)
        assert rules(client)["a"]["version"] == 1


def test_rules_of_a_file_are_all_there_are_without_a_store(bundle_path: Path, file: Path, best: list[str]) -> None:
    with running(bundle=bundle_path, store="none", rules=file) as (client, _):
        assert listed(client)[:9] == best[1:]
        row = rules(client)["first-hidden"]
        assert (row["origin"], row["state"], row["version"]) == ("file", "active", None)
        assert row["terms"] == hide(f'item.id == "{best[0]}"')
        assert client.get("/rules").json()["source"] == rules_source(client) == "given"
        assert "ETag" not in client.get("/rules/first-hidden").headers
        for response in (
            client.put("/rules/a", json=hide("true")),
            client.delete("/rules/first-hidden"),
            client.get("/rule-changes"),
        ):
            assert "no store" in refusal(response, 503)


def test_a_store_is_given_the_rules_of_a_file_once(bundle_path: Path, store: str, file: Path, best: list[str]) -> None:
    with running(bundle=bundle_path, store=store, rules=file) as (client, _):
        assert best[0] not in listed(client)
        assert rules(client)["first-hidden"]["origin"] == "store"
        (change,) = client.get("/rule-changes").json()["changes"]
        assert (change["who"], change["action"]) == ("the file rules.yaml", "created")
        assert client.delete("/rules/first-hidden").status_code == 200
    with running(bundle=bundle_path, store=store, rules=file) as (client, _):
        assert rules(client) == {}, "what was deleted does not come back"
        assert listed(client) == best


def test_a_rule_of_the_shop_takes_the_place_of_one_of_the_preset(
    bundle_path: Path, store: str, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = GivenRules.of(Settings(rules=None, preset="accurate"))
    assert given.preset == ()
    terms = {"id": "preset-rule", **hide(f'item.id == "{best[0]}"')}
    monkeypatch.setattr("serve.shop_rules.kept_rules.preset_rules", lambda _: (Rule.model_validate(terms),))
    with running(bundle=bundle_path, store=store) as (client, _):
        assert rules(client)["preset-rule"]["origin"] == "preset"
        assert best[0] not in listed(client)
        assert "enabled false" in refusal(client.delete("/rules/preset-rule"), 404)
        put(client, "preset-rule", hide("true", enabled=False))
        assert listed(client) == best
        assert rules(client)["preset-rule"]["origin"] == "store"
        client.delete("/rules/preset-rule")
        assert best[0] not in listed(client)


def test_rules_last_read_stay_while_the_store_is_gone(
    bundle_path: Path, store: str, best: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with running(bundle=bundle_path, store=store, **POLL) as (client, _):
        put(client, "a", hide(f'item.id == "{best[0]}"'))
        with out_of_reach(monkeypatch):
            eventually(lambda: metric(client, "recsys_rules_refresh_failures_total") > 1)
            assert rules_source(client) == client.get("/rules").json()["source"] == "stale"
            assert metric(client, "recsys_rules_stale") == 1
            assert best[0] not in listed(client)
        # Servers of other tests may follow rules meanwhile, each with a thread of its own.
        said = Counter(record.thread for record in caplog.records if "last read stay" in record.getMessage())
        assert set(said.values()) == {1}, "said once"
        eventually(lambda: rules_source(client) == "live")
        assert metric(client, "recsys_rules_stale") == 0


def test_a_store_brought_back_in_an_older_state_is_followed(
    bundle_path: Path, store: str, tmp_path: Path, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.sqlite"
    with running(bundle=bundle_path, store=store, **POLL) as (client, _):
        put(client, "a", hide(f'item.id == "{best[0]}"'))
        with out_of_reach(monkeypatch):
            eventually(lambda: rules_source(client) == "stale")
            with closing(sqlite3.connect(path)) as other, other:
                other.execute("UPDATE rules SET body = replace(body, ?, ?)", (best[0], best[1]))
        eventually(lambda: listed(client)[:2] == [best[0], best[2]])


def test_a_start_without_its_store_says_that_rules_are_missing(
    bundle_path: Path, store: str, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(bundle=bundle_path, store=store) as (client, _):
        put(client, "a", hide(f'item.id == "{best[0]}"'))
    with ExitStack() as stack:
        with out_of_reach(monkeypatch):
            client, _ = stack.enter_context(running(bundle=bundle_path, store=store, **POLL))
            assert (rules_source(client), listed(client)) == ("unread", best)
        eventually(lambda: rules_source(client) == "live")
        assert best[0] not in listed(client), "it follows as soon as the store is back"


def test_a_start_without_its_store_goes_by_the_copy(
    bundle_path: Path, store: str, tmp_path: Path, best: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "rules.json"
    settings = {"bundle": bundle_path, "store": store, "rules_copy": copy, **POLL}
    with running(**settings) as (client, _):
        put(client, "a", hide(f'item.id == "{best[0]}"'))
    with out_of_reach(monkeypatch), running(**settings) as (client, _):
        assert rules_source(client) == "stale"
        assert best[0] not in listed(client)
        assert rules(client)["a"]["version"] == 1
    copy.write_text("[")
    with out_of_reach(monkeypatch), running(**settings) as (client, _):
        assert (rules_source(client), listed(client)) == ("unread", best)


def test_a_rule_that_a_new_bundle_cannot_follow_is_off_until_another_can(
    tmp_path: Path, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    sellers = Attributes.of({"seller": "text"}, {"seller": ["A" if n % 2 else "B" for n in range(N_ITEMS)]})
    path = make_bundle(tmp_path, N_ITEMS, N_USERS, attributes=sellers)
    with running(bundle=path, store=store, reload_poll_s=0) as (client, server):
        put(client, "of-seller", hide('item.seller == "A"'))
        put(client, "cap", {"action": {"type": "cap", "by": "seller", "most": 100}})
        put(client, "of-brand", hide('item.brand == "Brand 2"'))
        odd = {f"item{n}" for n in range(1, N_ITEMS, 2)}
        assert not odd & set(listed(client))
        first = weakref.ref(server.parts.bundles.loaded)

        make_bundle(tmp_path, N_ITEMS, N_USERS)
        assert client.post("/admin/reload").status_code == 200
        assert odd & set(listed(client))
        rows = rules(client)
        states = {name: row["state"] for name, row in rows.items()}
        assert states == {"of-seller": "fault", "cap": "fault", "of-brand": "active"}
        assert "item.seller" in rows["of-seller"]["fault"]
        assert metric(client, "recsys_rule_faults") == 2
        assert metric(client, "recsys_rules_in_force") == 1
        put(client, "of-brand", hide('item.brand == "Brand 3"'))
        told = [record.getMessage() for record in caplog.records if "is off for" in record.getMessage()]
        assert sorted(line.split()[1] for line in told) == ["cap", "of-seller"], "once"
        gc.collect()
        assert first() is None, "rules keep no old bundle"

        make_bundle(tmp_path, N_ITEMS, N_USERS, attributes=sellers)
        assert client.post("/admin/reload").status_code == 200
        assert not odd & set(listed(client))
        assert {row["state"] for row in rules(client).values()} == {"active"}


def test_a_rule_that_another_version_kept_is_off_and_the_others_act(
    bundle_path: Path, store: str, tmp_path: Path, best: list[str]
) -> None:
    with patient(store) as kept:
        kept.upgrade()
        for rule_id, said in {
            "new": {"id": "new", "action": {"type": "teleport"}},
            "old": {"id": "old", **hide(f'item.id == "{best[0]}"')},
        }.items():
            kept.rules.put(rule_id, json.dumps(said), who=None, timestamp=1.0, most=9)
    with running(bundle=bundle_path, store=store) as (client, _):
        rows = rules(client)
        assert (rows["new"]["state"], rows["old"]["state"]) == ("fault", "active")
        assert "action" in rows["new"]["fault"]
        assert rows["new"]["terms"] == {"action": {"type": "teleport"}}
        assert best[0] not in listed(client)
        assert client.delete("/rules/new").status_code == 200


@pytest.mark.parametrize(
    "content", [None, "[", "rules:\n  - id: a\n", FILE % "x" + (FILE % "y").partition("rules:")[2]]
)
def test_a_file_that_cannot_be_used_ends_the_start(bundle_path: Path, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "rules.yaml"
    if content is not None:
        path.write_text(content)
    settings = Settings(bundle=bundle_path, store="none", rules=path)
    with pytest.raises(ConfigError, match=str(path)):
        check(settings)
    with pytest.raises(ConfigError), running(bundle=bundle_path, store="none", rules=path):
        pass


def test_a_file_of_more_rules_than_there_may_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text((FILE % "x") + (FILE % "y").partition("rules:")[2].replace("first", "second"))
    assert len(GivenRules.of(Settings(rules=path, max_rules=2)).first) == 2
    with pytest.raises(ConfigError, match="max-rules"):
        GivenRules.of(Settings(rules=path, max_rules=1))


def test_requests_that_differ_in_what_no_rule_reads_are_made_together(bundle: Bundle) -> None:
    german = Rule.model_validate(
        {"id": "german", "action": {"type": "hide"}, "where": "item.price > 1", "when": 'context.country == "DE"'}
    )
    compiled = CompiledRules.compile([german], RuleBase.of(bundle))

    def read(**context: str | float) -> Options:
        return as_read(compiled, Options(context=Given.all_of(context)))

    assert read(country="DE", basket=3.0) == read(basket=4.0, country="DE") == read(country="DE")
    assert read(country="DE") != read(country="FR")
    assert read(basket=3.0) == read() == Options()
