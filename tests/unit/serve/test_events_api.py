"""Events: what is accepted, what is refused, and that nothing counts twice."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from recsys.histories.event_types import EventTypes
from recsys.store import Event, Store
from serve.http.schemas import MAX_EVENTS
from tests.support.databases import patient
from tests.support.serving import refusal, running

EVENT = {"user_id": "u", "item_id": "item1", "event_type": "view"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with patient(f"sqlite:///{tmp_path_factory.mktemp('events')}/store.sqlite") as store:
        yield store


@pytest.fixture(scope="module")
def shop(bundle_path: Path, store: Store) -> Iterator[TestClient]:
    with running(bundle=bundle_path, store=store._database.backend.url.render_as_string()) as (client, _):
        yield client


def stored(store: Store, user_id: str) -> list[Event]:
    return store.events_of([user_id], limit=100)[user_id]


def test_an_event_is_in_the_store_when_it_is_acknowledged(shop: TestClient, store: Store) -> None:
    event = {
        "event_id": "e1",
        "user_id": "用户/1 ",
        "item_id": "item7",
        "event_type": "rating",
        "timestamp": "2024-05-01T12:00:00.5+02:00",
        "rating": 4,
        "price": 9.5,
        "quantity": 2,
    }
    answer = shop.post("/events", json=event)
    assert answer.status_code == 200
    assert answer.json() == {"accepted": 1, "duplicates": 0, "unknown_items": 0, "event_ids": ["e1"]}
    (found,) = stored(store, "用户/1 ")
    assert found == Event("e1", "用户/1 ", "item7", "rating", 1714557600.5, 4.0, 9.5, 2.0)


def test_the_server_names_and_dates_what_is_not(shop: TestClient, store: Store) -> None:
    before = time.time()
    (event_id,) = shop.post("/events", json={**EVENT, "user_id": "dateless"}).json()["event_ids"]
    (found,) = stored(store, "dateless")
    assert found.event_id == event_id
    assert before <= found.timestamp <= time.time()


def test_types_that_take_others_back_are_accepted(shop: TestClient, store: Store) -> None:
    batch = [
        {**EVENT, "user_id": "returner", "event_type": kind} for kind in (" Purchase", "REFUND", "remove_from_cart")
    ]
    assert shop.post("/events", json=batch).status_code == 200
    assert [event.event_type for event in stored(store, "returner")] == ["purchase", "refund", "remove_from_cart"]


def test_types_of_the_bundle_are_accepted_and_weigh_what_they_did(
    bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"format": "events", "event_weights": {"wish": 2.5, "view": 1.0}, "undo_events": {"unwish": "wish"}}
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/s.sqlite") as (client, server):
        loaded = server.parts.bundles.loaded
        manifest = msgspec.structs.replace(loaded.bundle.manifest, config={"data": data})
        monkeypatch.setattr(loaded.bundle, "manifest", manifest)
        monkeypatch.setattr(loaded, "event_types", EventTypes.of(loaded.bundle))
        for user_id, kinds in {"u": ["wish"], "v": ["wish", "unwish"]}.items():
            for kind in kinds:
                event = {"user_id": user_id, "item_id": "item1", "event_type": kind}
                assert client.post("/events", json=event).status_code == 200
        detail = refusal(client.post("/events", json={**EVENT, "event_type": "unwanted"}), 422)
        assert "view, click, add_to_cart, purchase, rating, wish, refund" in detail
        assert "unwish, impression" in detail
        assert client.post("/events", json={**EVENT, "event_type": "refund"}).status_code == 200
        histories = server.parts.histories.of(loaded).of(["u", "v"], time.time()).queries.histories
        assert (histories.lengths.tolist(), histories.weights.tolist()) == ([1, 0], [2.5])


def test_a_batch_is_idempotent(shop: TestClient, store: Store) -> None:
    batch = [{**EVENT, "user_id": "twice", "event_id": f"t{n % 3}", "item_id": f"thing{n}"} for n in range(4)]
    first, second = (shop.post("/events", json=batch).json() for _ in range(2))
    assert (first["accepted"], first["duplicates"], first["unknown_items"]) == (3, 1, 4)
    assert (second["accepted"], second["duplicates"]) == (0, 4)
    assert first["event_ids"] == ["t0", "t1", "t2", "t0"]
    assert sorted(event.item_id for event in stored(store, "twice")) == ["thing0", "thing1", "thing2"]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"event_type": "buy"}, "event.event_type: expected an event type of view, click"),
        ({"event_type": "purchas"}, "(do you mean purchase?)"),
        ({"event_type": "x" * 101}, "event.event_type: String should have at most 100 characters"),
        ({"event_type": None}, "event.event_type: Input should be a valid string"),
        ({"user_id": ""}, "event.user_id: String should have at least 1 character"),
        ({"user_id": "x" * 513}, "event.user_id: String should have at most 512 characters"),
        ({"user_id": "a\x00b"}, "event.user_id: String should match pattern"),
        ({"item_id": "a\n"}, "event.item_id: String should match pattern"),
        ({"event_id": "\x85"}, "event.event_id: String should match pattern"),
        ({"rating": 5.5}, "event.rating: expected a rating from 1 to 5, the scale of the dataset, got 5.5"),
        ({"timestamp": "20240501"}, "a time needs its offset"),
        ({"timestamp": 20240501}, "a time needs its offset"),
        ({"timestamp": "2024-05-01T12:00:00 CEST"}, "the zone 'CEST' is not understood"),
        ({"timestamp": "5/6/2024 12:00 UTC"}, "'5/6/2024' is 2024-06-05"),
        ({"item_id": 5}, "event.item_id: Input should be a valid string"),
        ({"item_id": {"a": {"b": {"c": 1}}}}, "event.item_id: Input should be a valid string"),
        ({"event_id": []}, "event.event_id: Input should be a valid string"),
        ({"rating": "NaN"}, "event.rating: Input should be a valid number (got 'NaN')"),
        ({"price": -1}, "event.price: Input should be greater than or equal to 0"),
        ({"quantity": 1e300}, "event.quantity: Input should be less than or equal to"),
        ({"timestamp": -1}, "event.timestamp: expected a time such as"),
        ({"timestamp": True}, "event.timestamp: expected a time such as"),
        ({"timestamp": "2024-05-01"}, "event.timestamp: expected a time such as"),
        ({"timestamp": time.time() + 200_000}, "timestamp must not lie more than a day ahead"),
        ({"timestamp": 1714557600500}, "event.timestamp: expected a time such as"),  # milliseconds
        ({"event_type": "rating"}, "an event of type rating needs a rating"),
        ({"colour": "red"}, "event.colour: Extra inputs are not permitted"),
    ],
)
def test_what_does_not_fit_is_named(shop: TestClient, change: dict[str, Any], detail: str) -> None:
    assert detail in refusal(shop.post("/events", json={**EVENT, **change}), 422)


def test_one_bad_event_refuses_the_batch(shop: TestClient, store: Store) -> None:
    good = {**EVENT, "user_id": "halfway"}
    response = shop.post("/events", json=[good, {**good, "event_type": "buy"}, good])
    assert refusal(response, 422).startswith("batch.1.event_type:")
    assert stored(store, "halfway") == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"null", 422),
        (b"[]", 422),
        (b"[[]]", 422),
        (b'"text"', 422),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b'{"user_id":"u","item_id":"i","event_type":"view","rating":NaN}', 422),
        (b'{"user_id":"\\ud800","item_id":"i","event_type":"view"}', 422),
        (b'{"user_id":"u","item_id":"i","event_type":"view","price":' + b"9" * 5000 + b"}", 400),
        (b"\xff\xfe", 422),
    ],
)
def test_a_body_that_is_no_event(shop: TestClient, body: bytes, status: int) -> None:
    refusal(shop.post("/events", content=body, headers={"Content-Type": "application/json"}), status)


def test_a_batch_has_a_limit(shop: TestClient) -> None:
    assert shop.post("/events", json=[EVENT] * MAX_EVENTS).json()["accepted"] == MAX_EVENTS
    refusal(shop.post("/events", json=[EVENT] * (MAX_EVENTS + 1)), 422)


def test_a_body_of_another_type(shop: TestClient) -> None:
    refusal(shop.post("/events", content=b"user_id=u", headers={"Content-Type": "text/plain"}), 422)
