"""New items under a running server: encoded once, in lists by their text, and part of the next bundle or over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recsys.core.errors import BundleError
from recsys.encoding import CatalogueEntry, ItemEncoder
from serve.bundles.loaded import LoadedBundle
from serve.live_items.texts import TextVectors, key_of
from serve.recommendations.warm_up import warm_up
from serve.server import Server
from tests.support.bundles import make_bundle
from tests.support.databases import patient
from tests.support.live_items_over_http import delete, found, item, listed, patch, put
from tests.support.serving import N_ITEMS, N_USERS, refusal, running
from tests.support.waiting import eventually

SOMETHING = {"title": "Thing 3", "brand": "Brand 3", "categories": ["All", "Group 3"], "price": 12.5}
POLL = {"live_items_poll_s": 0.05}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that encodes items by the letters of their text."""
    return make_bundle(tmp_path_factory.mktemp("encoding"), N_ITEMS, N_USERS, item_encoder=True)


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture
def shop(path: Path, store: str) -> Iterator[tuple[TestClient, Server]]:
    with running(bundle=path, store=store, **POLL) as shop:
        yield shop


def state(client: TestClient, item_id: str) -> str:
    told: str = item(client, item_id)["live"]["state"]
    return told


def everything(client: TestClient, **wanted: object) -> list[str]:
    return listed(client, model="two_tower", k=100, exclude_seen="false", **wanted)


def test_a_new_item_is_in_lists_by_its_text(shop: tuple[TestClient, Server]) -> None:
    client, server = shop
    assert put(client, "new", SOMETHING)["item"]["state"] in {"encoding", "new"}
    eventually(lambda: state(client, "new") == "new")
    assert listed(client, brand="Brand 3", only_items="new") == ["new"]
    (row,) = client.get("/recommendations/user1", params={"only_items": "new"}).json()["items"]
    assert (row["title"], row["price"]) == ("Thing 3", 12.5)
    bundle = server.parts.bundles.loaded.bundle
    assert bundle.n_items == N_ITEMS + 1
    encoder = server.parts.bundles.loaded.base.bundle.item_encoder
    assert encoder is not None
    entry = CatalogueEntry("Thing 3", "Brand 3", ("All", "Group 3"), 12.5)
    expected = encoder.new_items([entry], encoder.encode_texts([encoder.text_of(entry)])).vectors[0]
    np.testing.assert_allclose(bundle.item_embeddings[N_ITEMS].astype(float), expected.astype(float), atol=1e-3)
    similar = client.get("/items/new/similar", params={"k": 5}).json()["items"]
    assert len(similar) == 5
    explained = client.post("/explanations", json={"user_id": "user1", "item_id": "new"})
    assert explained.status_code == 200, explained.text


def test_a_new_item_changes_and_goes(shop: tuple[TestClient, Server]) -> None:
    client, server = shop
    put(client, "new", SOMETHING)
    eventually(lambda: state(client, "new") == "new")
    assert listed(client, only_items="new") == ["new"]
    before = server.parts.bundles.loaded.bundle.item_embeddings[N_ITEMS].copy()
    patch(client, "new", {"stock": 0})
    assert listed(client, only_items="new") == []
    patch(client, "new", {"stock": None, "title": "Quite another name", "brand": None})
    vectors = server.parts.bundles
    eventually(lambda: bool((vectors.loaded.bundle.item_embeddings[N_ITEMS] != before).any()))
    assert listed(client, only_items="new") == ["new"]
    delete(client, "new")
    refusal(client.get("/items/new"), 404)
    refusal(client.get("/items/new/blurb"), 404)
    refusal(client.post("/explanations", json={"user_id": "user1", "item_id": "new"}), 404)
    assert client.get("/items/new/similar").status_code == 200  # for whoever has a link to it
    assert listed(client, only_items="new") == []
    put(client, "second", SOMETHING)
    eventually(lambda: state(client, "second") == "new")
    put(client, "new", SOMETHING)
    eventually(lambda: set(listed(client, only_items=["new", "second"])) == {"new", "second"})
    catalogue = server.parts.bundles.loaded.bundle.catalogue
    assert catalogue.item_rows(["new", "second"]) == {"new": N_ITEMS, "second": N_ITEMS + 1}, "rows stay"


def test_an_item_without_a_text_waits(shop: tuple[TestClient, Server]) -> None:
    client, server = shop
    put(client, "untold", {"price": 3.0})
    assert state(client, "untold") == "no_text"
    assert server.parts.bundles.loaded is server.parts.bundles.base
    patch(client, "untold", {"title": "Told"})
    eventually(lambda: state(client, "untold") == "new")


def test_a_text_is_encoded_once_for_all_servers(path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    encode = ItemEncoder.encode_texts

    def noted(self: ItemEncoder, texts: Any) -> Any:
        encoded.extend(texts)
        return encode(self, texts)

    with ExitStack() as stack:
        one, _ = stack.enter_context(running(bundle=path, store=store, **POLL))
        other, _ = stack.enter_context(running(bundle=path, store=store, **POLL))
        monkeypatch.setattr(ItemEncoder, "encode_texts", noted)
        batch = [{"item_id": f"n{n}", "action": "put", "title": f"Thing {n}"} for n in range(50)]
        assert one.post("/items/batch", json={"items": batch}).status_code == 200
        for client in (one, other):
            eventually(lambda client=client: all(state(client, f"n{n}") == "new" for n in range(50)))
    texts = [text for text in encoded if text.startswith("Thing")]
    assert sorted(texts) == sorted({f"Thing {n}" for n in range(50)})
    encoded.clear()
    with running(bundle=path, store=store, **POLL) as (client, _):
        assert all(state(client, f"n{n}") == "new" for n in range(50)), "from its first list on"
    assert [text for text in encoded if text.startswith("Thing")] == []


def test_a_worker_that_dies_while_it_encodes_is_not_waited_for(path: Path, store: str) -> None:
    with running(bundle=path, store=store, **POLL) as (client, server):
        encoder = server.parts.bundles.loaded.bundle.item_encoder
        assert encoder is not None
        with patient(store) as other:
            begun = other.text_vectors.claim(encoder.fingerprint, [key_of("Thing 1")], timestamp=1.0, stale_s=60.0)
        assert begun == [key_of("Thing 1")]
        put(client, "n1", {"title": "Thing 1"})
        eventually(lambda: state(client, "n1") == "new")


@pytest.mark.parametrize("error", [RuntimeError("no memory"), BundleError("an encoder", "a damaged one", "export it")])
def test_a_failing_encoder_leaves_lists_as_they_are(
    shop: tuple[TestClient, Server], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    client, _ = shop
    before = listed(client)

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(TextVectors, "_encode", fail)
        patched.setattr("serve.live_items.watch.RETRY_S", 0.05)
        put(client, "new", SOMETHING)
        assert state(client, "new") == "encoding"
        patch(client, before[0], {"available": False})
        eventually(lambda: before[0] not in listed(client))
        eventually(lambda: "recsys_overlay_failures_total 0.0" not in client.get("/metrics").text)
    monkeypatch.setattr("serve.live_items.texts.STALE_S", 0.0)
    eventually(lambda: state(client, "new") == "new")
    assert client.get("/health").status_code == 200


def test_what_is_sold_out_does_not_wait_for_texts(
    shop: tuple[TestClient, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = shop
    encode, begun, go_on = TextVectors._encode, threading.Event(), threading.Event()

    def slow(self: TextVectors, *given: Any) -> None:
        begun.set()
        go_on.wait(20)
        encode(self, *given)

    monkeypatch.setattr(TextVectors, "_encode", slow)
    before = listed(client)
    put(client, "new", SOMETHING)
    assert begun.wait(20)
    patch(client, before[0], {"stock": 0})
    assert before[0] not in listed(client)
    assert state(client, "new") == "encoding"
    go_on.set()
    eventually(lambda: state(client, "new") == "new")


def test_the_next_bundle_takes_new_items_over(tmp_path: Path, store: str) -> None:
    models = tmp_path / "models"
    make_bundle(models, N_ITEMS, N_USERS, item_encoder=True, name="shop")
    with running(bundle=models / "shop", store=store, index_items=True, **POLL) as (client, server):
        batch = [
            {"item_id": "item200", "action": "put", **SOMETHING, "price": 77.0},
            {"item_id": "other", "action": "put", **SOMETHING},
            {"item_id": "item3", "available": False},
            {"item_id": "item4", "action": "delete"},
        ]
        assert client.post("/items/batch", json={"items": batch}).status_code == 200
        eventually(lambda: state(client, "other") == state(client, "item200") == "new")
        eventually(lambda: found(client, "thing 3") != [])
        make_bundle(models, N_ITEMS + 1, N_USERS, item_encoder=True, name="shop")
        assert client.post("/admin/reload").status_code == 200
        bundle = server.parts.bundles.loaded.bundle
        assert (bundle.n_items, server.parts.bundles.loaded.base.bundle.n_items) == (N_ITEMS + 2, N_ITEMS + 1)
        assert (state(client, "item200"), state(client, "other")) == ("trained", "new"), "at once"
        assert item(client, "item200")["price"] == 77.0
        assert not {"item3", "item4"} & set(everything(client))
        refusal(client.get("/items/item4"), 404)


def test_a_bundle_that_cannot_encode_lets_new_items_wait(tmp_path: Path, store: str) -> None:
    models = tmp_path / "models"
    make_bundle(models, N_ITEMS, N_USERS, item_encoder=True, name="shop")
    with running(bundle=models / "shop", store=store, **POLL) as (client, _):
        put(client, "new", SOMETHING)
        eventually(lambda: state(client, "new") == "new")
        make_bundle(models, N_ITEMS, N_USERS, name="shop")
        assert client.post("/admin/reload").status_code == 200
        assert state(client, "new") == "no_encoder"
        assert item(client, "new")["title"] == "Thing 3"
        assert listed(client, only_items="new") == []


def test_vectors_are_kept_in_the_store_as_the_encoder_gave_them(path: Path, store: str) -> None:
    with running(bundle=path, store=store, **POLL) as (client, server):
        put(client, "new", {"title": "Thing 3"})
        eventually(lambda: state(client, "new") == "new")
        encoder = server.parts.bundles.loaded.base.bundle.item_encoder
        assert encoder is not None
        with patient(store) as other:
            (vector,) = other.text_vectors.find(encoder.fingerprint, [key_of("Thing 3")]).values()
        np.testing.assert_allclose(np.frombuffer(vector, "<f4"), encoder.encode_texts(["Thing 3"])[0], atol=1e-5)


def test_lists_with_a_new_item_are_made_before_a_bundle_is_served(
    path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def noted(loaded: LoadedBundle) -> None:
        sizes.append(loaded.bundle.n_items)
        warm_up(loaded)

    monkeypatch.setattr("serve.server.warm_up", noted)
    with running(bundle=path, store=store, **POLL) as (client, server):
        assert sizes == [N_ITEMS, N_ITEMS + 1]
        assert server.parts.bundles.loaded.bundle.n_items == N_ITEMS
        assert client.get("/items/popular", params={"k": 100, "only_items": "\n"}).status_code == 422
    sizes.clear()
    with running(bundle=path, store="none"):
        assert sizes == [N_ITEMS]
