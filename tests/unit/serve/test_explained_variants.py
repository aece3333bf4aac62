"""What is explained is the list that the user gets, and the answer says of which experiments it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serve.bundles import held as held_module
from serve.server import Server
from tests.support.serving import Answer, explain, refusal, running
from tests.support.variants import experiment, hold, made, run
from tests.support.versions import make_versions, publish
from tests.support.waiting import eventually

OF_ONE_ANSWER = {"generated_at", "experiments"}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_versions(tmp_path_factory.mktemp("versions"), 2)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, versions: list[Path]) -> Iterator[tuple[TestClient, Server]]:
    shop = tmp_path_factory.mktemp("shop") / "shop"
    publish(shop, versions[0], current=False)
    publish(shop, versions[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_module, "POLL_S", 0.02)
        with running(bundle=shop, store="none") as (client, server):
            yield client, server


def said(answer: Answer) -> Answer:
    return {name: value for name, value in answer.items() if name not in OF_ONE_ANSWER}


def test_the_list_of_the_variants_bundle_is_explained(served: tuple[TestClient, Server], versions: list[Path]) -> None:
    client, server = served
    old = versions[0].name
    run(server)
    plain = explain(client, "item3")
    assert "experiments" not in plain
    run(server, experiment({"bundle": old}, {"bundle": old}))
    hold(server, old)
    listed = made(server, "user1").answer.items
    with running(bundle=versions[0], store="none") as (alone, _):
        for item in listed[:3]:
            explained = explain(client, item.item_id)
            assert said(explained) == said(explain(alone, item.item_id))
            assert explained["rank"] == item.rank
            assert explained["bundle"]["version"] == old
            assert [one["delivered"] for one in explained["experiments"]] == [True]
    assert plain["bundle"]["version"] == versions[1].name


@pytest.mark.parametrize(
    ("overrides", "asked"), [({"model": "transitions"}, {"model": "transitions"}), ({"k": 3}, {"k": 3})]
)
def test_it_is_explained_as_if_the_overrides_were_asked_for(
    served: tuple[TestClient, Server], overrides: dict[str, Any], asked: dict[str, Any]
) -> None:
    client, server = served
    run(server)
    expected = explain(client, "item3", **asked)
    run(server, experiment(overrides, overrides))
    explained = explain(client, "item3")
    assert said(explained) == said(expected)
    (of_it,) = explained["experiments"]
    assert (of_it["experiment"], of_it["delivered"]) == ("e", True)


def test_an_explanation_of_another_list_says_so(served: tuple[TestClient, Server]) -> None:
    client, server = served
    run(server)
    plain = said(explain(client, "item3"))
    run(server, experiment({}, {"model": "transitions"}, mode="interleaved"))
    drafted = explain(client, "item3")
    assert said(drafted) == plain
    assert drafted["experiments"] == [{"experiment": "e", "version": 1, "variant": None, "delivered": False}]
    run(server, experiment({"model": "oracle"}, {"model": "oracle"}))
    missing = explain(client, "item3")
    assert said(missing) == plain
    assert [one["delivered"] for one in missing["experiments"]] == [False]


def test_a_session_is_in_experiments_by_its_visitor(served: tuple[TestClient, Server]) -> None:
    client, server = served
    run(server, experiment({"k": 3}, {"k": 3}))
    history = ["item1", "item2"]
    nobody = explain(client, "item3", user_id=None, history=history)
    assert nobody["k"] == 10
    assert "experiments" not in nobody
    visitor = explain(client, "item3", user_id=None, history=history, visitor_id="v1")
    assert visitor["k"] == 3
    for path, body in (
        ("/explanations", {"user_id": "user1", "item_id": "item3"}),
        ("/recommendations", {"user_ids": ["u"]}),
    ):
        assert "visitor_id" in refusal(client.post(path, json={**body, "visitor_id": "v1"}), 422)


def test_the_server_says_which_versions_it_holds(served: tuple[TestClient, Server], versions: list[Path]) -> None:
    client, server = served
    old, new = versions[0].name, versions[1].name
    run(server)
    assert client.get("/stats").json()["held"] == []
    run(server, experiment({"bundle": old}, {"bundle": new}, {"bundle": "lost"}))
    hold(server, old)
    eventually(lambda: client.get("/stats").json()["held"][2]["state"] == "refused")
    held = client.get("/stats").json()["held"]
    assert [(one["version"], one["state"]) for one in held] == [(old, "held"), (new, "served"), ("lost", "refused")]
    assert held[0]["fault"] is held[1]["fault"] is None
    assert "lost" in held[2]["fault"]
