"""What a shop may say of its items over HTTP, and what is answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.bundle import Attributes
from serve.server import Server
from tests.support.bundles import make_bundle
from tests.support.keys import entry, write_keys
from tests.support.live_items_over_http import delete, item, listed, patch, put
from tests.support.serving import N_ITEMS, N_USERS, get, refusal, running
from tests.support.waiting import eventually

TYPES = {"stock": "number", "seller": "text", "organic": "bool", "colours": "texts"}
NOTHING: list[object] = [None] * N_ITEMS


@pytest.fixture(scope="module")
def shop_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that knows stock, seller and more of its items, but of none of them."""
    attributes = Attributes.of(TYPES, dict.fromkeys(TYPES, NOTHING))  # type: ignore[arg-type]
    return make_bundle(tmp_path_factory.mktemp("live"), N_ITEMS, N_USERS, attributes=attributes)


@pytest.fixture(scope="module")
def server(shop_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Server]]:
    store = tmp_path_factory.mktemp("store") / "store.sqlite"
    with running(bundle=shop_path, store=f"sqlite:///{store}", live_items_poll_s=0.05) as server:
        yield server


@pytest.fixture
def shop(server: tuple[TestClient, Server]) -> Iterator[TestClient]:
    """A client of a server whose store holds no live items."""
    client, running = server
    yield client
    store = Path(running.parts.settings.store.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(store, timeout=20)) as connection, connection:
        connection.execute("DELETE FROM live_items")
        connection.execute("UPDATE live_items_version SET version = 0")
    eventually(lambda: running.parts.live_items.known.version == 0)
    eventually(lambda: running.parts.bundles.loaded is running.parts.bundles.base)


def test_an_item_that_is_not_available_leaves_every_list_at_once(shop: TestClient) -> None:
    before = listed(shop)
    answer = patch(shop, before[0], {"available": False})
    assert answer["item"] == {"item_id": before[0], "done": "patched", "state": "trained", "version": 1}
    assert listed(shop)[:9] == before[1:]
    assert before[0] not in [entry["item_id"] for entry in shop.get("/items/popular?k=100").json()["items"]]
    similar = shop.get(f"/items/{before[1]}/similar?k=100").json()["items"]
    assert similar
    assert before[0] not in [entry["item_id"] for entry in similar]
    patch(shop, before[0], {"available": True})
    assert listed(shop) == before


@pytest.mark.parametrize("stock", [0, -3])
def test_an_item_without_stock_leaves_every_list(shop: TestClient, stock: int) -> None:
    before = listed(shop)
    patch(shop, before[0], {"stock": stock})
    assert before[0] not in listed(shop, k=100)
    patch(shop, before[0], {"stock": 1})
    assert listed(shop) == before
    assert item(shop, before[0])["live"]["stock"] == 1
    patch(shop, before[0], {"stock": None})
    assert listed(shop) == before, "nobody knows, it is for sale"


def test_a_price_is_shown_and_filtered_by_at_once(shop: TestClient) -> None:
    first = listed(shop)[0]
    answer = patch(shop, first, {"price": 123456.5})
    assert answer["version"] == 1
    shown = get(shop, "user1")["items"][0]
    assert (shown["item_id"], shown["price"]) == (first, 123456.5)
    assert listed(shop, min_price=123456.5) == [first]
    assert item(shop, first)["price"] == 123456.5


def test_an_item_is_told_with_what_was_said_of_it(shop: TestClient) -> None:
    assert "live" not in item(shop, "item3")
    assert shop.get("/items/item3").headers["ETag"] == '"0"'
    before = item(shop, "item3")
    patch(shop, "item3", {"price": 5.0, "seller": "Ann", "colours": ["red", "blue"], "organic": True})
    patch(shop, "item3", {"stock": 7, "available": True})
    after = item(shop, "item3")
    live = after.pop("live")
    assert after == {
        **before,
        "price": 5.0,
        "attributes": {"seller": "Ann", "colours": ["red", "blue"], "organic": True, "stock": 7.0},
    }
    assert live["fields"] == ["available", "colours", "organic", "price", "seller", "stock"]
    assert (live["state"], live["version"], live["available"], live["stock"]) == ("trained", 2, True, 7.0)
    assert live["since"] <= live["updated_at"]
    assert shop.get("/items/item3").headers["ETag"] == '"2"'


def test_what_is_put_is_all_that_an_item_has(shop: TestClient) -> None:
    answer = put(shop, "item3", {"title": " A <b>new</b>  title ", "categories": ["A", "", "A", "B"]})
    assert answer["item"]["done"] == "replaced"
    told = item(shop, "item3")
    assert (told["title"], told["categories"]) == ("A new title", ["A", "B"])
    assert (told["brand"], told["price"], told["description"], told["attributes"]) == (None, None, None, {})
    assert listed(shop, category="B") == ["item3"]


def test_a_deleted_item_is_gone_until_it_is_put_again(shop: TestClient) -> None:
    before = listed(shop)
    assert delete(shop, before[0])["item"]["state"] == "deleted"
    assert before[0] not in listed(shop, k=100)
    assert "no item" in refusal(shop.get(f"/items/{before[0]}"), 404)
    assert "no item" in refusal(shop.patch(f"/items/{before[0]}", json={"price": 1}), 404)
    assert "no item" in refusal(shop.delete(f"/items/{before[0]}"), 404)
    assert put(shop, before[0], {"title": "Back"})["item"]["done"] == "created"
    assert before[0] in listed(shop, k=100)


def test_a_new_item_waits_where_the_bundle_cannot_encode_it(shop: TestClient) -> None:
    answer = put(shop, "new/1", {"title": "Something new", "brand": "Acme", "price": 3, "seller": "Ann"})
    assert (answer["item"]["done"], answer["item"]["state"]) == ("created", "no_encoder")
    told = item(shop, "new/1")
    assert (told["title"], told["brand"], told["price"]) == ("Something new", "Acme", 3.0)
    assert (told["attributes"], told["live"]["state"]) == ({"seller": "Ann"}, "no_encoder")
    assert "new/1" not in listed(shop, k=100)
    delete(shop, "new/1")
    assert "no item" in refusal(shop.get("/items/new/1"), 404)


def test_nobody_overwrites_what_they_have_not_read(shop: TestClient) -> None:
    first = shop.put("/items/item3", json={"title": "a"}, headers={"If-Match": '"0"'})
    assert first.headers["ETag"] == '"1"'
    for method, headers in (
        ("PUT", {"If-Match": '"0"'}),
        ("PATCH", {"If-Match": '"9"'}),
        ("DELETE", {"If-Match": '"2"'}),
        ("PUT", {"If-None-Match": "*"}),
    ):
        body = None if method == "DELETE" else {"title": "b"}
        refusal(shop.request(method, "/items/item3", json=body, headers=headers), 412)
    assert item(shop, "item3")["title"] == "a"
    assert "an item" in refusal(shop.put("/items/item4", json={}, headers={"If-None-Match": "*"}), 412)
    assert put(shop, "new", {}, **{"If-None-Match": "*"})["item"]["version"] == 2
    assert patch(shop, "item3", {"title": "c"}, **{"If-Match": '"1"'})["item"]["version"] == 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"colour": "red"}, "colour: there is no such field; there are title, brand"),
        ({"price": -1}, "price"),
        ({"price": "12"}, "price"),
        ({"price": True}, "price"),
        ({"price": 1e10}, "price"),
        ({"available": "no"}, "available"),
        ({"stock": "many"}, "stock"),
        ({"title": 5}, "title"),
        ({"categories": "A > B"}, "categories"),
        ({"categories": ["x" * 513]}, "categories"),
        ({"seller": 5}, "seller: expected a text or null, got '5.0'"),
        ({"organic": "yes"}, "organic: expected true or false or null"),
        ({"colours": "red"}, "colours: expected a list of texts or null"),
        ({"organic": 1}, "organic: expected true or false or null"),
        ({"title": "a\ud800"}, "title"),
    ],
)
def test_what_an_item_cannot_have_is_refused(shop: TestClient, fields: dict[str, Any], said: str) -> None:
    for method in ("PUT", "PATCH"):
        body = json.dumps(fields)
        response = shop.request(method, "/items/item3", content=body, headers={"Content-Type": "application/json"})
        assert said in refusal(response, 422)
    assert "live" not in item(shop, "item3")


def test_a_batch_is_taken_as_a_whole(shop: TestClient) -> None:
    batch = [
        {"item_id": "item1", "price": 9.5},
        {"item_id": "item2", "action": "delete"},
        {"item_id": "new", "action": "put", "title": "New"},
        {"item_id": "item3", "action": "patch", "stock": 0, "if_version": 0},
    ]
    answer = shop.post("/items/batch", json={"items": batch}).json()
    assert [(entry["item_id"], entry["done"], entry["state"], entry["version"]) for entry in answer["items"]] == [
        ("item1", "patched", "trained", 1),
        ("item2", "deleted", "deleted", 2),
        ("new", "created", "no_encoder", 3),
        ("item3", "patched", "trained", 4),
    ]
    assert answer["version"] == 4
    everything = listed(shop, k=100, exclude_seen="false")
    assert not {"item2", "item3"} & set(everything)
    again = shop.post("/items/batch", json={"items": batch[:1]}).json()
    assert (again["items"][0]["done"], again["items"][0]["version"]) == ("nothing", 1)


def test_of_a_batch_all_that_is_wrong_is_named_and_nothing_is_written(shop: TestClient) -> None:
    batch = [
        {"item_id": "item1", "price": 9.5},
        {"item_id": "item2", "colour": "red"},
        {"item_id": "item1", "price": 10},
        {"item_id": "item4", "action": "delete", "price": 1},
    ]
    said = refusal(shop.post("/items/batch", json={"items": batch}), 422)
    assert "items.1 ('item2'): colour" in said
    assert "items.2 ('item1'): the item is named twice" in said
    assert "items.3 ('item4'): an item that is deleted has no fields" in said
    said = refusal(shop.post("/items/batch", json={"items": [{"item_id": "item1", "price": -1}, {"price": 2}]}), 422)
    assert "items.0.price" in said
    assert "items.1.item_id" in said
    said = refusal(shop.post("/items/batch", json={"items": [batch[0], {"item_id": "none", "price": 1}]}), 422)
    assert "change 1: there is no item 'none'" in said
    said = refusal(shop.post("/items/batch", json={"items": [batch[0], {"item_id": "item2", "if_version": 7}]}), 412)
    assert "change 1" in said
    too_many = [{"item_id": f"item{n}", "price": 1} for n in range(1001)]
    refusal(shop.post("/items/batch", json={"items": too_many}), 422)
    assert shop.get("/item-changes").json()["items"] == []


def test_a_large_batch_of_whole_items_fits(shop: TestClient) -> None:
    batch = [
        {"item_id": f"n{n}", "action": "put", "title": f"T {n}", "brand": "B", "categories": ["A", "B"], "price": n}
        for n in range(1000)
    ]
    answer = shop.post("/items/batch", json={"items": batch})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["items"]) == 1000


def test_live_items_are_listed_the_last_changed_first(shop: TestClient) -> None:
    for number in range(3):
        patch(shop, f"item{number}", {"price": number})
    first = shop.get("/item-changes?limit=2").json()
    assert [(row["item_id"], row["fields"], row["version"]) for row in first["items"]] == [
        ("item2", {"price": 2.0}, 3),
        ("item1", {"price": 1.0}, 2),
    ]
    second = shop.get("/item-changes", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert ([row["item_id"] for row in second["items"]], second["next_cursor"]) == (["item0"], None)
    assert (second["source"], second["version"]) == ("live", 3)
    refusal(shop.get("/item-changes?cursor=x"), 422)


def test_there_are_not_more_new_items_than_may_be(shop_path: Path, tmp_path: Path) -> None:
    settings = {"bundle": shop_path, "store": f"sqlite:///{tmp_path}/store.sqlite", "max_live_items": 2}
    with running(**settings) as (client, _):
        put(client, "new1", {"title": "a"})
        put(client, "new2", {"title": "a"})
        assert "train" in refusal(client.put("/items/new3", json={"title": "a"}), 507)
        put(client, "new2", {"title": "b"})
        patch(client, "item1", {"price": 1})
        delete(client, "new1")
        put(client, "new3", {"title": "a"})


def test_without_a_store_nothing_can_be_changed(shop_path: Path) -> None:
    with running(bundle=shop_path, store="none") as (client, _):
        for response in (
            client.put("/items/item1", json={}),
            client.patch("/items/item1", json={}),
            client.delete("/items/item1"),
            client.post("/items/batch", json={"items": [{"item_id": "item1"}]}),
            client.get("/item-changes"),
        ):
            assert "no store" in refusal(response, 503)
        assert "live" not in item(client, "item1")


def test_whoever_changes_items_needs_a_key_for_that(shop_path: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    write_keys(
        keys,
        entry("reader"),
        entry("sender", "read", "write"),
        entry("stock", "catalogue", "read"),
        entry("boss", "read", "admin"),
    )
    with running(bundle=shop_path, store=f"sqlite:///{tmp_path}/s.sqlite", api_keys=keys) as (client, _):
        batch = {"items": [{"item_id": "item2", "price": 1}]}
        for name in ("reader", "sender"):
            headers = {"X-API-Key": name}
            for response in (
                client.put("/items/item1", json={}, headers=headers),
                client.patch("/items/item1", json={}, headers=headers),
                client.delete("/items/item1", headers=headers),
                client.post("/items/batch", json=batch, headers=headers),
            ):
                assert "catalogue" in refusal(response, 403)
            assert client.get("/item-changes", headers=headers).json()["items"] == []
        refusal(client.put("/items/item1", json={}), 401)
        for name in ("stock", "boss"):
            assert patch(client, "item1", {"title": name}, **{"X-API-Key": name})["item"]["done"] == "patched"
        assert client.post("/items/batch", json=batch, headers={"X-API-Key": "stock"}).status_code == 200
        said = client.get("/items/item1", headers={"X-API-Key": "reader"}).json()["live"]
        assert said["updated_by"] == "boss"
        refusal(client.get("/config", headers={"X-API-Key": "stock"}), 403)
