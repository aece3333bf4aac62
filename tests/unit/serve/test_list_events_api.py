"""What became of lists, over HTTP: events name theirs, and impressions change nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.core.events import FEEDBACK, MAX_POSITION
from recsys.store import Event, ListEvent, Store
from tests.support.databases import patient
from tests.support.serving import Answer, get, refusal, row_of, running
from tests.support.waiting import eventually

AT = 1.7e9
EVENT = {"user_id": "u", "item_id": "item1", "event_type": "click", "timestamp": AT}
SEEN = {**EVENT, "event_type": "impression"}
LIST = "3f2a9c0e5b7d41688a1c0d9e2f4b6a73"
SAID = {"event_type": "explanation_feedback", "value": "wrong"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with patient(f"sqlite:///{tmp_path}/store.sqlite") as store:
        yield store


@pytest.fixture
def shop(bundle_path: Path, store: Store) -> Iterator[TestClient]:
    with running(bundle=bundle_path, store=url_of(store)) as (client, _):
        yield client


@pytest.fixture
def searching(bundle_path: Path, store: Store) -> Iterator[TestClient]:
    """A shop whose search knows the items, which a process of its own has told it."""
    with running(bundle=bundle_path, store=url_of(store), index_items=True) as (client, _):
        eventually(lambda: client.get("/items?query=item").json().get("items"))
        yield client


def url_of(store: Store) -> str:
    return store._database.backend.url.render_as_string()


def post(client: TestClient, events: object) -> dict[str, Any]:
    response = client.post("/events", json=events)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def stored(store: Store, user_id: str) -> list[Event]:
    return store.events_of([user_id], limit=100)[user_id]


def told(store: Store, user_id: str) -> list[ListEvent]:
    return [one for part in store.live_users.export(user_id).list_events() for one in part]


def test_one_batch_has_what_users_did_and_what_is_told_of_lists(shop: TestClient, store: Store) -> None:
    of_list = {"recommendation_id": LIST}
    batch: list[dict[str, Any]] = [
        {**SEEN, **of_list, "event_id": "a", "position": 3},
        {**EVENT, **of_list, "event_id": "b", "position": 3.0},
        {**EVENT, **of_list, "event_id": "c", "event_type": " Explanation_Open"},
        {**EVENT, **of_list, **SAID, "event_id": "d", "item_id": "no such item"},
        {**EVENT, **of_list, "event_id": "e", "event_type": "purchase", "price": 3, "quantity": 2},
        {**EVENT, "event_id": "b"},
        {**SEEN, "event_id": "a"},
    ]
    assert post(shop, batch) == {
        "accepted": 5,
        "duplicates": 2,
        "unknown_items": 1,
        "event_ids": ["a", "b", "c", "d", "e", "b", "a"],
    }
    assert stored(store, "u") == [
        Event("b", "u", "item1", "click", AT, recommendation_id=LIST, position=3),
        Event("e", "u", "item1", "purchase", AT, None, 3.0, 2.0, LIST),
    ]
    assert set(told(store, "u")) == {
        ListEvent("a", "u", "item1", "impression", AT, LIST, 3),
        ListEvent("c", "u", "item1", "explanation_open", AT, LIST),
        ListEvent("d", "u", "no such item", "explanation_feedback", AT, LIST, None, "wrong"),
    }
    assert post(shop, batch)["duplicates"] == 7


def test_a_list_event_needs_no_list(shop: TestClient, store: Store) -> None:
    before = time.time()
    (event_id,) = post(shop, {"user_id": "u", "item_id": "item1", "event_type": "impression"})["event_ids"]
    (found,) = told(store, "u")
    assert (found.event_id, found.recommendation_id, found.position, found.value) == (event_id, None, None, None)
    assert before <= found.timestamp <= time.time()


@pytest.mark.parametrize("value", FEEDBACK)
def test_what_can_be_said_of_an_explanation(shop: TestClient, store: Store, value: str) -> None:
    post(shop, {**EVENT, "event_type": "explanation_feedback", "value": value})
    assert [one.value for one in told(store, "u")] == [value]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"recommendation_id": ""}, "recommendation_id: String should have at least 1 character"),
    ({"recommendation_id": "a\0"}, "recommendation_id: String should match pattern"),
    ({"recommendation_id": "x" * 513}, "recommendation_id: String should have at most 512 characters"),
    ({"recommendation_id": 5}, "recommendation_id: Input should be a valid string"),
    ({"position": 0}, "position: Input should be greater than or equal to 1"),
    ({"position": MAX_POSITION + 1}, f"position: Input should be less than or equal to {MAX_POSITION}"),
    ({"position": 1.5}, "position: Input should be a valid integer"),
    ({"position": "3"}, "position: Input should be a valid integer"),
    ({"position": True}, "position: Input should be a valid integer"),
    ({"value": "clear"}, "has no value"),
    ({"event_type": "explanation_feedback"}, "an event of type explanation_feedback needs a value"),
    ({**SAID, "value": "meh"}, "value: Input should be 'clear', 'unclear', 'wrong'"),
    ({"event_type": "impression", "value": "clear"}, "an event of type 'impression' has no value"),
    ({"event_type": "impression", "price": 1}, "an event of type impression has no rating, price or quantity"),
    ({**SAID, "rating": 3}, "an event of type explanation_feedback has no rating, price or quantity"),
    ({"event_type": "impresion"}, "(do you mean impression?)"),
    ({"event_type": "impression", "user_id": ""}, "user_id: String should have at least 1 character"),
    ({"event_type": "impression", "timestamp": time.time() + 200_000}, "must not lie more than a day ahead"),
]


def test_what_does_not_fit_refuses_all_of_a_batch(shop: TestClient, store: Store) -> None:
    for change, detail in REFUSED:
        said = refusal(shop.post("/events", json=[EVENT, SEEN, {**EVENT, **change}]), 422)
        assert detail in said, said
        assert said.startswith("batch.2"), said
    assert stored(store, "u") == []
    assert told(store, "u") == []


def test_what_takes_an_event_back_does_so_at_once_and_keeps_its_list(shop: TestClient, store: Store) -> None:
    before = get(shop, "user3")
    for number, (kind, undo) in enumerate([("purchase", "refund"), ("add_to_cart", "remove_from_cart")]):
        item = before["items"][number]["item_id"]
        act = {"user_id": "user3", "item_id": item, "recommendation_id": before["recommendation_id"], "position": 1}
        post(shop, {**act, "event_type": kind})
        after = get(shop, "user3")
        assert after["user"]["interactions"] == before["user"]["interactions"] + 1
        assert item not in {one["item_id"] for one in after["items"]}
        post(shop, {**act, "event_type": undo})
        assert shown(get(shop, "user3")) == shown(before)
    kept = [(one.event_type, one.recommendation_id, one.position) for one in stored(store, "user3")]
    kinds = ["purchase", "refund", "add_to_cart", "remove_from_cart"]
    assert kept == [(kind, before["recommendation_id"], 1) for kind in kinds]


def shown(answer: Answer) -> object:
    """The list, to the last bit, and what it was made of."""
    return answer["items"], answer["user"]["interactions"], answer["fallback_reason"]


PATHS = (
    *("/recommendations/user3", "/recommendations/nobody", "/recommendations/seen alone", "/stats", "/users"),
    *("/users/user3/profile", "/users/user3", "/items/popular", "/items/popular?user_id=user3", "/items?query=item"),
    *("/items/item1", "/items/item1/similar"),
)
OF_THE_MOMENT = ("recommendation_id", "timing", "generated_at", "uptime_s", "stages")


def everything(client: TestClient) -> dict[str, Any]:
    return {path: settled(client.get(path).json()) for path in PATHS}


def settled(value: Any) -> Any:
    """What is said, without what differs from one moment to the next."""
    if isinstance(value, dict):
        return {name: settled(one) for name, one in value.items() if name not in OF_THE_MOMENT}
    return [settled(one) for one in value] if isinstance(value, list) else value


def test_a_thousand_impressions_change_nothing_but_what_came_of_lists(searching: TestClient, store: Store) -> None:
    post(searching, [{**EVENT, "user_id": "user3", "item_id": f"item{n}"} for n in (7, 8, 7)])
    before, explained = everything(searching), why(searching)
    users = ["user3", "nobody", "seen alone", "user7"]
    impressions = [{**SEEN, "user_id": users[n % 4], "item_id": f"item{n % 150}"} for n in range(1000)]
    assert post(searching, impressions)["accepted"] == 1000
    assert post(searching, {**EVENT, **SAID, "user_id": "user3"})["accepted"] == 1
    assert sum(len(told(store, user)) for user in users) == 1001
    after = everything(searching)
    for path in PATHS:
        assert after[path] == before[path], path
    assert why(searching) == explained
    assert {row_of(one["item_id"]) for one in after["/recommendations/user3"]["items"]}.isdisjoint({7, 8})


def why(client: TestClient) -> Any:
    body = {"user_id": "user3", "item_id": "item20", "depth": "full"}
    return settled(client.post("/explanations", json=body).json())
