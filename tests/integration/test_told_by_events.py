"""What rows of events tell of their items and users: the latest counts, and a catalogue counts more."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset

START = 1_600_000_000
COLUMNS = {
    "user_id": "visitor",
    "item_id": "sku",
    "event_type": "what",
    "timestamp": "at",
    "price": "cost",
    "item.price": "cost",
    "item.brand": "maker",
    "item.categories": "path",
    "item.colour": "colour",
    "user.age": "age",
}
NAMES = ("visitor", "sku", "what", "at", "cost", "maker", "path", "colour", "age")
# Lines are not in the order of their times; an empty field tells nothing.
LINES = [
    ("ann", "tea", "view", START + 5, 4.5, "", "food.tea", "", 34),
    ("ann", "tea", "view", START + 1, 4.0, "Leaf", "food", "green", 33),
    ("ann", "cup", "view", START + 2, 5.0, "Clay", "", "", ""),
    ("ann", "pot", "view", START + 3, "", "Iron", "a.b", "black", ""),
    ("bob", "pot", "view", START + 3, "", "Steel", "a.b.c", "grey", ""),
    ("cy", "pot", "view", START + 9, "", "NULL", "", " n/a", ""),
]
ROWS: list[dict[str, Any]] = [dict(zip(NAMES, line, strict=True)) for line in LINES]


def write_csv(folder: Path) -> Path:
    path = folder / "log.csv"
    pd.DataFrame(ROWS).to_csv(path, index=False)
    return path


def write_json_lines(folder: Path) -> Path:
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps({k: None if v == "" else v for k, v in row.items()}) + "\n" for row in ROWS))
    return path


def write_parquet(folder: Path) -> Path:
    path = folder / "log.parquet"
    frame = pd.DataFrame(ROWS).replace("", None)
    frame.astype({"cost": float, "age": "Int64"}).to_parquet(path)
    return path


def write_lists(folder: Path) -> Path:
    """Categories as lists, as Parquet has them."""
    path = folder / "lists.parquet"
    frame = pd.DataFrame(ROWS).replace("", None).astype({"cost": float, "age": "Int64"})
    frame["path"] = [row["path"].split(".") if row["path"] else None for row in ROWS]
    frame["tags"] = [["hot", "wet; sweet"] if sku == "tea" else None for sku in frame["sku"]]
    frame.to_parquet(path)
    return path


def run(folder: Path, log: Path, **data: Any) -> PreparedDataset:
    settings: dict[str, Any] = {
        "format": "events",
        "interactions": [log],
        "columns": COLUMNS,
        "category_separator": ".",
        "attributes": {"colour": "text"},
        "user_attributes": {"age": "number"},
        "k_core_users": 0,
        "k_core_items": 0,
        "split": {"method": "temporal", "test_share": 0.25, "validation_share": 0.25},
        "prepared_dir": folder / "prepared",
        **data,
    }
    config = parse_config({"name": "shop", "data": settings}, "the test")
    return PreparedDataset.load(prepare(config, Console(quiet=True)))


@pytest.mark.parametrize("write", [write_csv, write_json_lines, write_parquet, write_lists])
def test_the_latest_that_rows_tell_is_the_items_and_the_users(tmp_path: Path, write: Any) -> None:
    dataset = run(tmp_path, write(tmp_path))
    items = dataset.items.set_index("item_id")
    colours = dataset.attribute_values["colour"]
    told = {
        item: (brand, list(categories), colour)
        for item, brand, categories, colour in zip(
            items.index, items["brand"], items["categories"], colours, strict=True
        )
    }
    assert told == {
        "tea": ("Leaf", ["food", "tea"], "green"),
        "cup": ("Clay", [], None),
        "pot": ("Steel", ["a", "b", "c"], "grey"),  # of two rows at one time the later line
    }
    assert items.loc[["tea", "cup"], "price"].tolist() == [4.5, 5.0]
    assert np.isnan(items.loc["pot", "price"])
    assert items.loc["tea", "text"] == "Leaf. food > tea"
    assert dict(zip(dataset.user_ids, dataset.user_attribute_values["age"], strict=True)) == {
        "ann": 34,
        "bob": None,
        "cy": None,
    }


def test_a_catalogue_counts_more_field_by_field(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.jsonl"
    catalogue.write_text(json.dumps({"item_id": "tea", "title": "Tea", "brand": "Blatt", "colour": None}) + "\n")
    items = run(tmp_path, write_csv(tmp_path), metadata=[catalogue]).items.set_index("item_id")
    tea = items.loc["tea"]
    assert (tea["title"], tea["brand"], list(tea["categories"]), tea["price"]) == ("Tea", "Blatt", ["food", "tea"], 4.5)
    assert (tea["text"], tea["colour"]) == ("Tea. Blatt. food > tea", "green")


def test_items_that_a_filter_drops_are_not_made_by_what_events_tell(tmp_path: Path) -> None:
    """The log is no catalogue: an item that it alone knows stays with its interactions, or goes with them."""
    dataset = run(tmp_path, write_csv(tmp_path), k_core_items=2, split={"method": "temporal"})
    assert dataset.item_ids.tolist() == ["pot"]


def test_lists_stay_lists(tmp_path: Path) -> None:
    columns = COLUMNS | {"item.tags": "tags"}
    dataset = run(tmp_path, write_lists(tmp_path), columns=columns, attributes={"colour": "text", "tags": "texts"})
    tags = dict(zip(dataset.item_ids, dataset.attribute_values["tags"], strict=True))
    assert tags == {"tea": ["hot", "wet; sweet"], "cup": None, "pot": None}
