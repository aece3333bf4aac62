"""Experiments over HTTP: what is kept, what is refused, who may, what a change makes of one that is running."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.experiments.experiment import BUCKETS
from serve.server import Server
from tests.support.experiments_over_http import assignment, define, start, taken, terms
from tests.support.keys import entry, write_keys
from tests.support.serving import refusal, running

pytest_plugins = "tests.support.experiment_fixtures"
URL = "/experiments/e"


# Kept, changed, deleted


def test_an_experiment_is_drafted_started_stopped_and_deleted(shop: TestClient) -> None:
    assert taken(shop.get("/experiments")) == {"version": 0, "source": "live", "experiments": []}
    drafted = define(shop, title="Is popular better?")
    row = drafted["experiment"]
    assert (drafted["done"], drafted["version"], row["status"], row["version"]) == ("created", 1, "draft", 1)
    assert (row["started_at"], row["first_bucket"], row["end_bucket"]) == (None, 0, 0)
    started = taken(shop.post(f"{URL}/start"))
    assert (started["done"], started["experiment"]["status"]) == ("started", "running")
    assert (started["experiment"]["first_bucket"], started["experiment"]["end_bucket"]) == (0, BUCKETS)
    assert started["experiment"]["started_at"] is not None
    assert "stop it first" in refusal(shop.delete(URL), 409)
    assert "nothing needs to be done" in refusal(shop.post(f"{URL}/start"), 409)
    stopped = taken(shop.post(f"{URL}/stop"))
    assert (stopped["done"], stopped["experiment"]["status"]) == ("stopped", "stopped")
    assert stopped["experiment"]["started_at"] == started["experiment"]["started_at"]
    assert "one that was stopped" in refusal(shop.post(f"{URL}/stop"), 409)
    assert taken(shop.delete(URL)) == {"key": "e", "version": 4}
    refusal(shop.get(URL), 404)
    changes = taken(shop.get(f"{URL}/changes", params={"limit": 3}))
    assert [(one["change"], one["action"]) for one in changes["changes"]] == [
        (4, "deleted"),
        (3, "replaced"),
        (2, "replaced"),
    ]
    assert [one["before"]["status"] for one in changes["changes"]] == ["stopped", "running", "draft"]
    rest = taken(shop.get(f"{URL}/changes", params={"cursor": changes["next_cursor"]}))
    assert [(one["change"], one["before"], one["after"]["title"]) for one in rest["changes"]] == [
        (1, None, "Is popular better?")
    ]


def test_what_is_answered_can_be_put_again(shop: TestClient) -> None:
    said = terms(
        title="ein „Test“ 😀",
        layer="home",
        traffic=0.25,
        salt="s",
        primary="revenue_per_user",
        guardrails=[{"metric": "latency_ms", "most": 0.05}],
        alpha=0.1,
        winsorised=0.95,
        least_users=500,
    )
    said["variants"][0]["weight"] = 3
    taken(shop.put(URL, json=said))
    row = taken(shop.get(URL))["experiment"]
    defaults = [{"weight": 1, "overrides": {}, **variant} for variant in said["variants"]]
    assert row["terms"] == {"mode": "split", **said, "variants": defaults}
    again = taken(shop.put(URL, json=row["terms"]))
    assert (again["done"], again["version"], again["experiment"]) == ("nothing", 1, row)


def test_an_experiment_is_changed_as_the_one_that_was_read(shop: TestClient) -> None:
    define(shop, headers={"If-None-Match": "*"})
    assert shop.get(URL).headers["ETag"] == '"1"'
    refusal(shop.put(URL, json=terms(), headers={"If-None-Match": "*"}), 412)
    assert shop.put(URL, json=terms(title="2"), headers={"If-Match": '"1"'}).headers["ETag"] == '"2"'
    for method, path in (("PUT", URL), ("DELETE", URL), ("POST", f"{URL}/start"), ("POST", f"{URL}/stop")):
        answer = shop.request(method, path, json=terms() if method == "PUT" else None, headers={"If-Match": '"1"'})
        assert "expected experiment 'e' of version 1, got one of version 2" in refusal(answer, 412), path
    assert shop.post(f"{URL}/start", headers={"If-Match": '"2"'}).headers["ETag"] == '"3"'


@pytest.mark.parametrize(
    "changes",
    [
        {"variants": terms()["variants"][:1]},
        {"variants": [{"name": "a"}, {"name": "a"}]},
        {"variants": [{"name": "a", "weight": 0}, {"name": "b"}]},
        {"variants": [{"name": "a"}, {"name": "b", "overrides": {"colour": "red"}}]},
        {"variants": [{"name": "a"}, {"name": "b", "overrides": {"k": 101}}]},
        {"variants": [{"name": "a b"}, {"name": "b"}]},
        {"variants": "a"},
        {"traffic": 0},
        {"traffic": 1.5},
        {"traffic": "half"},
        {"primary": "happiness"},
        {"alpha": 0.5},
        {"guardrails": [{"metric": "ctr", "most": 0.1}, {"metric": "ctr", "most": 0.2}]},
        {"mode": "interleaved", "variants": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
        {"mode": "interleaved", "variants": [{"name": "a"}, {"name": "b", "overrides": {"k": 3}}]},
        {"mode": "interleaved", "variants": [{"name": "a", "weight": 2}, {"name": "b"}]},
        {"status": "running"},
        {"least_users": 2**70},
    ],
)
def test_what_makes_no_experiment_is_refused(client: TestClient, changes: dict[str, Any]) -> None:
    refusal(client.put("/experiments/none", json=terms(**changes)), 422)
    refusal(client.get("/experiments/none"), 404)


@pytest.mark.parametrize("path", ["", "/start", "/stop", "/results", "/assignment?user_id=u"])
def test_an_experiment_that_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    methods = {"": "DELETE", "/start": "POST", "/stop": "POST"}
    assert "there is no experiment 'none'" in refusal(
        client.request(methods.get(path, "GET"), f"/experiments/none{path}"), 404
    )


def test_keys_have_a_form_and_parameters_exist(shop: TestClient) -> None:
    refusal(shop.put("/experiments/-e", json=terms()), 422)
    refusal(shop.get("/experiments", params={"x": 1}), 422)
    refusal(shop.get(f"{URL}/results", params={"as_of": "yesterday"}), 422)
    refusal(shop.get(f"{URL}/changes", params={"cursor": "x"}), 422)
    define(shop)
    refusal(shop.get(f"{URL}/assignment"), 422)


def test_there_are_not_more_than_the_settings_allow(bundle_path: Path, tmp_path: Path) -> None:
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/s.sqlite", max_experiments=1) as (client, _):
        define(client, "a")
        assert "expected 1 experiments at most, got 2" in refusal(client.put("/experiments/b", json=terms()), 409)


def test_without_a_store_there_are_none(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        assert taken(client.get("/experiments")) == {"version": 0, "source": "off", "experiments": []}
        refusal(client.get(URL), 404)
        for method, path in (("PUT", URL), ("POST", f"{URL}/start"), ("GET", f"{URL}/results")):
            assert "no store" in refusal(client.request(method, path, json=terms()), 503)


def test_who_may_read_may_not_change(bundle_path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    write_keys(keys, entry("reader"), entry("writer", "read", "write", "catalogue"), entry("admin", "admin"))
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/s.sqlite", api_keys=keys) as (client, _):
        reader, writer, admin = ({"X-API-Key": name} for name in ("reader", "writer", "admin"))
        refusal(client.put(URL, json=terms(), headers=reader), 403)
        taken(client.put(URL, json=terms(), headers=admin))
        for method, path in (("POST", f"{URL}/start"), ("POST", f"{URL}/stop"), ("DELETE", URL)):
            refusal(client.request(method, path, headers=writer), 403)
        started = taken(client.post(f"{URL}/start", headers=admin))
        assert started["experiment"]["updated_by"] == "admin"
        assert taken(client.get(URL, headers=reader))["experiment"]["status"] == "running"


# What keeps one from starting


def test_what_could_not_be_judged_or_made_is_not_started(bundle_path: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/s.sqlite"
    with running(bundle=bundle_path, store=store, served_log=False) as (client, _):
        define(client)
        assert "served_log" in refusal(client.post(f"{URL}/start"), 409)
    with running(bundle=bundle_path, store=store) as (client, _):
        for overrides in ({"model": "oracle"}, {"bundle": "20200101-000000"}, {"bundle": "../other"}):
            define(client, variants=[{"name": "a"}, {"name": "b", "overrides": overrides}])
            detail = refusal(client.post(f"{URL}/start"), 409)
            assert "a variant 'b' whose lists can be made" in detail
            assert str(bundle_path.parent) not in detail, "where files lie is nobody's business"
        assert taken(client.get(URL))["experiment"]["status"] == "draft"


def test_experiments_of_a_layer_share_its_users(shop: TestClient) -> None:
    rows = [start(shop, key, traffic=share)["experiment"] for key, share in (("a", 0.5), ("b", 0.3))]
    assert [(row["first_bucket"], row["end_bucket"]) for row in rows] == [(0, 5000), (5000, 8000)]
    define(shop, "c", traffic=0.25)
    detail = refusal(shop.post("/experiments/c/start"), 409)
    assert "room for 25.00% of the users in the layer 'default', got at most 20.00% beside a, b" in detail
    taken(shop.post("/experiments/a/stop"))
    assert start(shop, "d", traffic=0.2)["experiment"]["end_bucket"] == 2000
    assert taken(shop.post("/experiments/c/start"))["experiment"]["first_bucket"] == 2000
    seen = [{key for key in "bcd" if assignment(shop, f"u{n}", key)["variant"]} for n in range(200)]
    assert all(len(keys) <= 1 for keys in seen), "their users are disjoint"
    assert {next(iter(keys), None) for keys in seen} == {"b", "c", "d", None}


def test_experiments_of_different_layers_change_different_things(shop: TestClient) -> None:
    start(shop, "a")
    define(shop, "b", layer="other")
    assert "model, which 'a' of the layer 'default' overrides, too" in refusal(shop.post("/experiments/b/start"), 409)
    shorter = [{"name": "ten"}, {"name": "five", "overrides": {"k": 5}}]
    start(shop, "c", layer="other", variants=shorter)
    teams = [{"name": "x"}, {"name": "y", "overrides": {"model": "popularity"}}]
    define(shop, "d", layer="third", mode="interleaved", variants=teams)
    refusal(shop.post("/experiments/d/start"), 409)
    taken(shop.post("/experiments/a/stop"))
    assert taken(shop.post("/experiments/d/start"))["experiment"]["status"] == "running"


def test_of_two_that_start_at_once_one_is_refused(shop: TestClient) -> None:
    """Room for one of them: whichever comes first has it, and the same one twice is started once."""
    for key in ("a", "b"):
        define(shop, key, traffic=0.8)
    barrier = threading.Barrier(4)

    def begin(key: str) -> int:
        barrier.wait()
        return shop.post(f"/experiments/{key}/start").status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(begin, ["a", "b", "a", "b"]))
    assert statuses == [200, 409, 409, 409]
    states = [row["status"] for row in taken(shop.get("/experiments"))["experiments"]]
    assert sorted(states) == ["draft", "running"]


# What a change makes of one that is running


def test_other_variants_of_a_running_experiment_are_a_new_version(shop: TestClient) -> None:
    first = start(shop)["experiment"]
    assert define(shop, title="other words", primary="conversion_rate")["experiment"]["version"] == 1
    heavier = terms()["variants"]
    heavier[1]["weight"] = 9
    second = define(shop, variants=heavier)["experiment"]
    assert (second["version"], second["status"], second["end_bucket"]) == (2, "running", BUCKETS)
    assert second["started_at"] > first["started_at"]
    third = define(shop, variants=heavier, traffic=0.5)["experiment"]
    assert (third["version"], third["end_bucket"]) == (3, BUCKETS // 2)
    bad = [{"name": "old"}, {"name": "new", "overrides": {"model": "oracle"}}]
    refusal(shop.put(URL, json=terms(variants=bad)), 409)
    assert taken(shop.get(URL))["experiment"] == third, "nothing was changed"


def test_one_that_was_stopped_begins_anew_as_its_next_version(shop: TestClient) -> None:
    start(shop)
    taken(shop.post(f"{URL}/stop"))
    assert define(shop, title="words alone")["experiment"]["status"] == "stopped"
    again = taken(shop.post(f"{URL}/start"))["experiment"]
    assert (again["version"], again["stopped_at"]) == (2, None)
    taken(shop.post(f"{URL}/stop"))
    other = define(shop, salt="another")["experiment"]
    assert (other["version"], other["status"], other["started_at"]) == (3, "draft", None)
    assert define(shop, salt="a third")["experiment"]["version"] == 3, "nobody was assigned by a draft"
    assert taken(shop.post(f"{URL}/start"))["experiment"]["version"] == 3


def test_of_a_variant_that_does_not_fit_nothing_else_is_told(shop: TestClient) -> None:
    wrong = terms(variants=[{"name": "a", "weight": 0}, {"name": "b"}])
    said = refusal(shop.put(URL, json=wrong), 422)
    assert said == "variants.0.weight: Input should be greater than or equal to 1 (got 0)"
    assert "at least 2 items" in refusal(shop.put(URL, json=terms(variants=[{"name": "a"}])), 422)


def test_versions_go_on_where_a_deleted_experiment_is_defined_anew(shop: TestClient) -> None:
    """The log of lists holds those of the deleted one under its key and versions."""
    start(shop)
    taken(shop.post(f"{URL}/stop"))
    taken(shop.delete(URL))
    assert start(shop)["experiment"]["version"] == 2
    define(shop, salt="another")
    taken(shop.post(f"{URL}/stop"))
    assert define(shop, salt="a third")["experiment"]["version"] == 4
    taken(shop.delete(URL))
    assert define(shop)["experiment"]["version"] == 4, "nobody was assigned by a draft"
    taken(shop.delete(URL))
    assert define(shop)["experiment"]["version"] == 4
    assert define(shop, "other")["experiment"]["version"] == 1


def test_metrics_tell_what_runs(shop: TestClient) -> None:
    start(shop, "a", traffic=0.5)
    define(shop, "b")
    text = shop.get("/metrics").text
    assert "recsys_experiments_running 1.0" in text
    assert "recsys_experiments_version 3.0" in text
    assert 'recsys_experiment_changes_total{action="started"} 1.0' in text
    assert taken(shop.get("/ready"))["experiments"] == "live"


def test_what_another_version_of_the_program_kept_is_told_and_can_be_replaced(
    served: tuple[TestClient, Server],
) -> None:
    shop, server = served
    assert server.parts.link is not None
    assert server.parts.experiments_watch is not None
    body = (
        '{"key": "e", "variants": [{"name": "a"}, {"name": "b"}], "status": "running", "mode": "bandit", "version": 3,'
        ' "started_at": 1.0}'
    )
    server.parts.link.store.experiments.put("e", body, who="old", timestamp=1.0, most=9)
    server.parts.experiments_watch.look()
    row = taken(shop.get(URL))["experiment"]
    assert (row["status"], row["version"], row["terms"]["mode"]) == ("fault", 0, "bandit")
    assert row["fault"].startswith("mode: ")
    assert "experiments" not in taken(shop.get("/recommendations/user1")), "it does not run"
    for path in ("/start", "/stop"):
        assert "this version of the program can read" in refusal(shop.post(f"{URL}{path}"), 409)
    refusal(shop.get(f"{URL}/assignment", params={"user_id": "u"}), 409)
    assert taken(shop.get(f"{URL}/results"))["verdict"] is None
    anew = define(shop)["experiment"]
    assert (anew["status"], anew["version"]) == ("draft", 4)
    assert taken(shop.delete(URL))["key"] == "e"


def test_words_of_a_running_experiment_change_though_its_bundle_is_gone(served: tuple[TestClient, Server]) -> None:
    shop, server = served
    start(shop)
    assert server.parts.link is not None
    assert server.parts.experiments_watch is not None
    gone = [{"name": "old"}, {"name": "new", "overrides": {"bundle": "20200101-000000"}}]

    def of_then(texts: Any) -> str:
        return json.dumps({**json.loads(texts["e"].body), "variants": gone})

    server.parts.link.store.experiments.revise("e", of_then, who=None, timestamp=1.0, most=9)
    server.parts.experiments_watch.look()
    row = define(shop, variants=gone, title="other words")["experiment"]
    assert (row["status"], row["version"], row["terms"]["title"]) == ("running", 1, "other words")
    refusal(shop.put(URL, json=terms(variants=gone, salt="s")), 409)
    assert define(shop)["experiment"]["version"] == 2, "as it was before, which can be made"
