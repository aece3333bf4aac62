"""Live users over HTTP: what is said of them, whom to forget, which ids are one person's, and all that is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Bundle
from serve.errors import UnfitRequestError
from serve.server import Server
from serve.users.attribute_types import typed
from tests.support.bundles import make_bundle
from tests.support.serving import explain, get, history_of, refusal, rows_of, running
from tests.support.waiting import eventually

AT = 1_700_000_000


@pytest.fixture
def shop(bundle_path: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Server]]:
    with running(bundle=bundle_path, store=f"sqlite:///{tmp_path}/store.sqlite") as both:
        yield both


@pytest.fixture
def client(shop: tuple[TestClient, Server]) -> TestClient:
    return shop[0]


def tell(client: TestClient, user_id: str, *items: str, kind: str = "view", at: float = AT) -> dict[str, Any]:
    events = [
        {"user_id": user_id, "item_id": item, "event_type": kind, "timestamp": at + place}
        for place, item in enumerate(items)
    ]
    response = client.post("/events", json=events)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def put(client: TestClient, user_id: str, **body: object) -> dict[str, Any]:
    response = client.put(f"/users/{user_id}", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def forget(client: TestClient, user_id: str) -> dict[str, Any]:
    response = client.delete(f"/users/{user_id}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def deleted(answer: dict[str, Any]) -> dict[str, Any]:
    """What was deleted, but for served lists, which may not have been written yet."""
    return {name: count for name, count in answer["deleted"].items() if name != "served_lists"}


def merge(client: TestClient, user_id: str, from_id: str) -> dict[str, Any]:
    response = client.post(f"/users/{user_id}/merge", json={"from": from_id})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def listed(client: TestClient) -> dict[str, int]:
    found, cursor = {}, {}
    while True:
        answer = client.get("/users", params={"limit": 7, **cursor}).json()
        found |= {user["user_id"]: user["interactions"] for user in answer["users"]}
        if answer["next_cursor"] is None:
            return found
        assert len(answer["users"]) == 7
        cursor = {"cursor": answer["next_cursor"]}


def test_attributes_are_kept_with_consent_alone(client: TestClient) -> None:
    said = {"age": 41, "city": "Łódź", "newsletter": True, "sizes": ["M", "L"], "nothing": None}
    answer = put(client, "user3", consent=True, attributes=said)
    del said["nothing"]
    assert (answer["consent"], answer["attributes"], answer["deleted"]) == (True, said, [])
    shown = client.get("/users/user3").json()
    assert (shown["consent"], shown["attributes"]) == (True, said)
    assert shown["updated_at"] == answer["updated_at"]
    answer = put(client, "user3", consent=True, attributes={"age": 42})
    assert (answer["attributes"], answer["deleted"]) == ({"age": 42}, ["city", "newsletter", "sizes"])
    answer = put(client, "user3", consent=False, attributes={"age": 43})
    assert (answer["consent"], answer["attributes"], answer["deleted"]) == (False, {}, ["age"])
    assert client.get("/users/user3").json()["attributes"] == {}
    assert put(client, "new one", consent=True)["attributes"] == {}
    assert client.get("/users/new one").json()["interactions"] == 0
    refusal(client.get("/users/nobody"), 404)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"attributes": {}}, "consent: Field required"),
        ({"consent": 1}, "consent: Input should be a valid boolean"),
        ({"consent": True, "attributes": {"a b": 1}}, "should match pattern"),
        ({"consent": True, "attributes": {"a": {"b": 1}}}, "attributes.a: expected a text, a number"),
        ({"consent": True, "attributes": {"a": [1]}}, "attributes.a: expected a text, a number"),
        ({"consent": True, "attributes": {"a": "x" * 1001}}, "attributes.a: expected a text, a number"),
        ({"consent": True, "attributes": {f"a{n}": 1 for n in range(101)}}, "100 names at most"),
        ({"consent": True, "age": 41}, "age: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_kept_is_named(client: TestClient, body: dict[str, object], detail: str) -> None:
    assert detail in refusal(client.put("/users/user3", json=body), 422)
    assert client.get("/users/user3").json()["consent"] is None


def test_attributes_have_the_types_of_the_dataset() -> None:
    types = {"age": "number", "city": "text", "signup": "date", "vip": "bool", "sizes": "texts"}
    said = {"age": 4, "city": "x", "signup": "2024-05-01", "vip": False, "sizes": ["M"], "other": 1}
    assert typed(types, {**said, "none": None}) == {**said, "sizes": ("M",)}
    assert typed(types, {"signup": "2024-05-01T12:00:00+02:00"})
    wrong = {"age": ["41", True, math.inf], "city": [1], "signup": ["yesterday", 7], "vip": [1], "sizes": ["M", [1]]}
    for name, values in wrong.items():
        for value in values:
            with pytest.raises(UnfitRequestError, match=rf"attributes\.{name}: expected"):
                typed(types, {name: value})


def test_a_forgotten_person_is_a_stranger_everywhere(client: TestClient, bundle: Bundle) -> None:
    history = history_of(bundle, 3)
    tell(client, "user3", "item7", "item8", kind="purchase")
    put(client, "user3", consent=True, attributes={"age": 41})
    before = get(client, "user3", k=5, explain="cheap")
    assert before["user"]["known"]
    answer = forget(client, "user3")
    assert answer["deleted"] == {
        "events": 2,
        "list_events": 0,
        "served_lists": answer["deleted"]["served_lists"],
        "attributes": True,
        "aliases": 0,
    }
    assert answer["hidden_interactions"] == len(history)
    for path in ("/users/user3", "/users/user3/profile", "/users/user3/export"):
        refusal(client.get(path), 404)
    stranger = get(client, "nobody", k=5)
    for options in ({}, {"exclude_seen": "purchases"}, {"exclude_seen": False}, {"explain": "cheap"}):
        after = get(client, "user3", k=5, **options)
        assert rows_of(after["items"]) == rows_of(stranger["items"])
        assert after["user"] == stranger["user"]
        assert after["fallback_reason"] == "unknown user"
    assert "user3" not in listed(client)
    told = explain(client, "item5", user_id="user3", depth="cheap")
    assert told["user"]["interactions"] == 0
    preview = client.post("/rules/preview", json={"user_ids": ["user3"], "show": 1}).json()["lists"][0]
    assert preview["known"] is False
    sample = client.post("/rules/preview", json={"sample": 50, "show": 50}).json()["lists"]
    assert "user3" not in {one["user_id"] for one in sample}
    popular = client.get("/items/popular", params={"k": 100, "user_id": "user3"}).json()["items"]
    assert popular == client.get("/items/popular", params={"k": 100}).json()["items"]
    again = forget(client, "user3")
    assert again["deleted"] == {
        "events": 0,
        "list_events": 0,
        "served_lists": again["deleted"]["served_lists"],
        "attributes": False,
        "aliases": 0,
    }
    assert again["hidden_interactions"] == 0
    assert get(client, "user4")["user"]["known"], "nobody else is"


def test_nothing_that_was_shown_before_is_written_later(shop: tuple[TestClient, Server]) -> None:
    client, server = shop
    store = server.parts.link.store
    get(client, "user3")
    get(client, "user4")
    forget(client, "user3")
    eventually(lambda: [row.user_id for row in store.served(0, 1e10)] == ["user4"])
    get(client, "user3")  # another worker may not know yet, and make it of what is to be forgotten
    get(client, "user5")
    eventually(lambda: [row.user_id for row in store.served(0, 1e10)] == ["user4", "user5"])


def test_later_events_are_of_a_new_person(client: TestClient) -> None:
    forget(client, "user3")
    assert tell(client, "user3", "item7") | {"event_ids": []} == {
        "accepted": 0,
        "duplicates": 0,
        "forgotten": 1,
        "unknown_items": 0,
        "event_ids": [],
    }
    answer = tell(client, "user3", "item7", at=time.time() + 1)
    assert answer["accepted"] == 1
    assert "forgotten" not in answer
    user = get(client, "user3")["user"]
    assert (user["known"], user["interactions"], user["live_events"]) == (True, 1, 1)
    assert client.get("/users/user3").json()["interactions"] == 0
    document = client.get("/users/user3/export").json()
    assert (document["history"], len(document["events"])) == ([], 1)


def test_a_bundle_that_is_made_later_shows_what_came_later(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/store.sqlite"
    path = make_bundle(tmp_path / "bundle")
    with running(bundle=path, store=store) as (client, server):
        loaded = server.parts.bundles.loaded
        times = loaded.bundle.histories.select([3]).timestamps.tolist()
        middle = times[len(times) // 2]
        server.parts.link.store.live_users.forget("user3", float(middle))
        # The bundle was made after that: only its times tell.
        server.parts.persons_watch.look()
        user = client.get("/users/user3").json()
        assert user["interactions"] == sum(at > middle for at in times) > 0
        profile = client.get("/users/user3/profile").json()
        assert profile["interactions"] == user["interactions"]
        assert get(client, "user3")["user"]["interactions"] == user["interactions"]
        assert listed(client)["user3"] == user["interactions"]


def test_what_an_anonymous_session_did_is_the_users(client: TestClient, bundle: Bundle) -> None:
    own, other = history_of(bundle, 3), history_of(bundle, 4)
    tell(client, "user4", "item7")
    tell(client, "user3", "item8", at=AT + 100)
    answer = merge(client, "user3", "user4")
    assert (answer["events"], answer["aliases"]) == (1, 0)
    assert answer["interactions"] == len({*own, *other})
    profile = client.get("/users/user3/profile", params={"limit": 100}).json()
    assert set(rows_of(profile["history"])) == {*own, *other, 7, 8}
    assert get(client, "user3")["user"]["interactions"] == len({*own, *other, 7, 8})
    assert not {*own, *other, 7, 8} & set(rows_of(get(client, "user3", k=100)["items"]))
    refusal(client.get("/users/user4"), 404)
    assert get(client, "user4")["fallback_reason"] == "unknown user"
    users = listed(client)
    assert "user4" not in users
    assert users["user3"] == len({*own, *other})
    assert merge(client, "user3", "user4")["events"] == 0
    tell(client, "user4", "item9", at=time.time() + 1)
    assert get(client, "user4")["user"]["interactions"] == 1
    assert get(client, "user3")["user"]["interactions"] == len({*own, *other, 7, 8})
    document = client.get("/users/user3/export").json()
    assert {alias["alias_id"] for alias in document["aliases"]} == {"user4"}
    assert set(rows_of(document["history"])) == {*own, *other}
    assert forget(client, "user3")["deleted"]["aliases"] == 1
    assert get(client, "user4")["user"]["interactions"] == 1, "what came later is the device's own"
    assert get(client, "user3")["user"]["known"] is False


def test_a_history_that_became_a_users_makes_the_same_list_as_its_own(tmp_path: Path, bundle: Bundle) -> None:
    with running(bundle=bundle.path, store=f"sqlite:///{tmp_path}/store.sqlite") as (client, _):
        before = get(client, "user3", k=20)
        merge(client, "account", "user3")
        after = get(client, "account", k=20)
        assert [i["item_id"] for i in after["items"]] == [i["item_id"] for i in before["items"]]
        assert after["user"]["known"]


def test_ids_that_are_not_one_persons_are_refused(client: TestClient) -> None:
    merge(client, "user3", "anon")
    for user_id, from_id in (("user3", "user3"), ("anon", "user3"), ("anon", "other")):
        refusal(client.post(f"/users/{user_id}/merge", json={"from": from_id}), 409)
    forget(client, "gone")
    assert "who was forgotten" in refusal(client.post("/users/gone/merge", json={"from": "anon"}), 409)
    assert "from: Field required" in refusal(client.post("/users/user3/merge", json={}), 422)


def test_all_that_is_kept_is_told(client: TestClient, bundle: Bundle) -> None:
    tell(client, "user3", *[f"item{n % 200}" for n in range(1000)])
    tell(client, "user3", *[f"item{n % 200}" for n in range(999)], at=AT + 5000)
    tell(client, "user3", "item7", kind="purchase", at=AT + 9000)
    put(client, "user3", consent=True, attributes={"age": 41})
    shown = get(client, "user3", k=3)
    merge(client, "user3", "anon")
    document: dict[str, Any] = {}

    def exported() -> bool:
        document.update(client.get("/users/user3/export").json())
        return bool(document["served"])

    eventually(exported)
    assert (document["user_id"], document["consent"], document["attributes"]) == ("user3", True, {"age": 41})
    assert len(document["events"]) == 2000
    assert document["events"][-1]["event_type"] == "purchase"
    assert len({event["event_id"] for event in document["events"]}) == 2000
    kept = document["served"][0]
    assert kept["item_ids"] == [item["item_id"] for item in shown["items"]]
    assert kept["recommendation_id"] == shown["recommendation_id"]
    assert kept["details"]["history"] == shown["user"]["interactions"]
    assert sorted(rows_of(document["history"])) == sorted(history_of(bundle, 3))
    assert all(item["title"] for item in document["history"])
    assert [alias["alias_id"] for alias in document["aliases"]] == ["anon"]
    refusal(client.get("/users/nobody/export"), 404)


def test_without_a_store_nobody_can_be_forgotten(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        for call in (client.delete("/users/user3"), client.put("/users/user3", json={"consent": True})):
            refusal(call, 503)
        assert client.get("/users/user3").json()["store"] == "off"


def test_attributes_are_in_no_explanation(client: TestClient) -> None:
    put(client, "user1", consent=True, attributes={"city": "Quxtown"})
    item = get(client, "user1", explain="cheap")["items"][0]
    assert "Quxtown" not in str(item)
    assert "Quxtown" not in str(explain(client, item["item_id"]))


def test_whoever_has_an_id_like_another_address_can_be_forgotten(client: TestClient) -> None:
    for user_id in ("x/profile", "x/export", "by-id"):
        tell(client, user_id, "item7")
        for method in (client.put, client.delete):
            if user_id != "by-id":
                assert method(f"/users/{user_id}").status_code == 405
        named = {"params": {"user_id": user_id}}
        assert client.put("/users/by-id", json={"consent": True}, **named).status_code == 200
        assert client.get("/users/by-id", **named).json()["live_events"] == 1
        assert client.delete("/users/by-id", **named).json()["deleted"]["events"] == 1
        refusal(client.get("/users/by-id", **named), 404)
    refusal(client.delete("/users/by-id"), 422)


def test_who_starts_without_the_store_still_knows_whom_to_forget(
    bundle_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, copy = tmp_path / "store.sqlite", tmp_path / "copy.json"
    told = {"bundle": bundle_path, "store": f"sqlite:///{store}", "tombstones_copy": copy}
    with running(**told) as (client, _):
        forget(client, "user3")
    assert "user3" not in copy.read_text()
    store.rename(tmp_path / "elsewhere")
    store.mkdir()  # no database
    with running(wait=False, **told) as (client, _):
        assert get(client, "user3")["fallback_reason"] == "unknown user"
        assert get(client, "user4")["user"]["known"]
    assert "by the copy alone" in caplog.text
    copy.write_text("{")
    with running(wait=False, **told) as (client, _):
        assert get(client, "user3")["user"]["known"]
    assert "not known until the store answers" in caplog.text


def test_what_was_forgotten_stays_so_though_the_store_comes_back_older(shop: tuple[TestClient, Server]) -> None:
    client, server = shop
    forget(client, "user3")
    forget(client, "user4")
    store = server.parts.link.store
    with store._database.write() as connection:  # as a backup of before has it
        for statement in ("DELETE FROM tombstones", "UPDATE persons_version SET version = 0"):
            connection.exec_driver_sql(statement)
    merge(client, "account", "user5")
    server.parts.persons_watch.look()
    assert get(client, "user3")["fallback_reason"] == "unknown user"
    assert get(client, "account")["user"]["known"]
