"""What a store says of items since a bundle was made is in the dataset of the next one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset
from recsys.store import Event, Store

CATALOGUE = [
    {
        "item_id": "tea",
        "title": "Tea",
        "brand": "Leaf",
        "categories": ["Food", "Tea"],
        "price": 4,
        "stock": 3,
        "tags": [],
    },
    {"item_id": "cup", "title": "Cup", "price": 5, "stock": 9},
    {"item_id": "pot", "title": "Pot", "price": 20},
    {"item_id": "tray", "title": "Tray", "price": 8},
    {"item_id": "shelf", "title": "Shelf", "price": 90},
]
# Three items of three users; nobody has chosen the tray, the shelf, or what is new.
EVENTS = [(user, item, day) for user in ("ann", "bob", "cy") for day, item in enumerate(("tea", "cup", "pot"))]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with Store.open(str(path)) as opened:
        opened.upgrade()
        events = [
            Event(f"{user} {item}", user, item, "purchase", 1_600_000_000 + day * 86_400, None, None, None)
            for user, item, day in EVENTS
        ]
        opened.append(events)
    return path


def run(folder: Path, store: Path, **data: Any) -> PreparedDataset:
    catalogue = folder / "catalogue.jsonl"
    catalogue.write_text("".join(json.dumps(record) + "\n" for record in CATALOGUE))
    settings = {
        "format": "store",
        "interactions": [store],
        "metadata": [catalogue],
        "attributes": {"stock": "number", "tags": "texts"},
        "k_core_users": 0,
        "k_core_items": 0,
        "prepared_dir": folder / "prepared",
        **data,
    }
    config = parse_config({"name": "shop", "data": settings}, "the test")
    return PreparedDataset.load(prepare(config, Console(quiet=True)))


def change_items(store: Path) -> None:
    with Store.open(str(store)) as opened:
        items = opened.items
        items.patch("tea", {"price": 3.5, "stock": 0, "tags": ("green", "loose")}, timestamp=1)
        items.put("cup", {"title": "Big <b>cup</b>", "price": 6}, timestamp=2)
        items.put(
            "new", {"title": "New", "categories": ("Food",), "price": 1.25, "stock": 7, "colour": "red"}, timestamp=3
        )
        items.delete("pot", timestamp=4)
        items.delete("tray", timestamp=5)
        items.patch("shelf", {"available": False}, timestamp=6)
        items.put("came and went", {"title": "Gone"}, timestamp=7)
        items.delete("came and went", timestamp=8)
        items.patch("nobody knows it", {"price": 3}, timestamp=9)


def test_live_items_go_over_the_catalogue_field_by_field(tmp_path: Path, store: Path) -> None:
    change_items(store)
    dataset = run(tmp_path, store)
    items = dataset.items.set_index("item_id")
    assert set(items.index) == {"tea", "cup", "pot", "shelf", "new"}

    tea = items.loc["tea"]
    assert (tea["title"], tea["brand"], tea["price"], tea["stock"]) == ("Tea", "Leaf", 3.5, 0)
    assert (list(tea["categories"]), list(tea["tags"])) == (["Food", "Tea"], ["green", "loose"])
    assert tea["text"] == "Tea. Leaf. Food > Tea"
    # PUT says all that any item may have, and nothing of attributes that it does not name.
    cup = items.loc["cup"]
    assert (cup["title"], cup["text"], cup["price"], cup["stock"]) == ("Big cup", "Big cup", 6, 9)
    new = items.loc["new"]
    assert (new["title"], new["text"], new["price"], new["stock"]) == ("New", "New. Food", 1.25, 7)

    assert dataset.attributes == {"stock": "number", "tags": "texts", "available": "bool"}
    available = dict(zip(dataset.item_ids, dataset.attribute_values["available"], strict=True))
    assert available == {"tea": None, "cup": None, "pot": False, "shelf": False, "new": None}
    manifest = dataset.manifest
    assert manifest["live_items"] == {
        "changed": 5, "deleted": 3, "stores": [{"path": store.as_posix(), "version": 9}]
    }  # fmt: skip
    assert manifest["metadata"]["dropped"] == {"item_not_in_dataset": 0, "repeated_item": 0, "deleted_item": 1}
    assert manifest["metadata"]["fields"] == {"live_field_that_is_no_attribute": 1}
    assert manifest["counts"]["items_without_interactions"] == 2


def test_interactions_with_deleted_items_stay(tmp_path: Path, store: Path) -> None:
    def interactions(dataset: PreparedDataset) -> set[tuple[str, str]]:
        log = dataset.interactions
        return set(zip(dataset.user_ids[log["user"]], dataset.item_ids[log["item"]], strict=True))

    before = interactions(run(tmp_path, store))
    change_items(store)
    after = run(tmp_path, store)
    assert interactions(after) == before == {(user, item) for user, item, _ in EVENTS}
    assert after.items.set_index("item_id").loc["pot", "title"] == "Pot"


def test_of_items_with_interactions_alone_none_comes_from_the_store(tmp_path: Path, store: Path) -> None:
    change_items(store)
    dataset = run(tmp_path, store, items="interacted")
    assert set(dataset.item_ids) == {"tea", "cup", "pot"}
    assert dataset.items.set_index("item_id").loc["tea", "price"] == 3.5


def test_without_live_items_nothing_changes(tmp_path: Path, store: Path) -> None:
    dataset = run(tmp_path, store, attributes={"stock": "number"})
    assert "live_items" not in dataset.manifest
    assert dataset.attributes == {"stock": "number"}
    assert np.isnan(dataset.items.set_index("item_id").loc["pot", "stock"])
