"""Logs of item properties, in the style of RetailRocket's."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.core.errors import DataError
from recsys.prepare.prepare import prepare
from recsys.prepare.prepared import PreparedDataset

MS = 1_433_000_000_000
# The latest value of each property counts, whatever the order of the rows; at equal times the later row.
PROPERTIES = [
    (3, "1", "categoryid", "111"),
    (1, "1", "categoryid", "100"),
    (1, "1", "790", "n5.000"),
    (2, "1", "790", "n277.200"),
    (2, "1", "available", "1"),
    (2, "1", "available", "0"),
    (1, "2", "Title", "n3.000 hash"),
    (1, "2", "790", "n-7.000"),
    (1, "3", "888", "1147466 n552.000"),
    (1, "4", "categoryid", "7"),
]
NAMES = {"categoryid": "categories", 790: "price"}
COLUMNS = {"item_id": "ITEMID"}


def write_csv(folder: Path, rows: list[tuple[Any, ...]]) -> Path:
    path = folder / "item_properties.csv"
    lines = [f"{MS + 1000 * time},{item},{name},{value}" for time, item, name, value in rows]
    path.write_text("\n".join(["timestamp,itemid,property,value", *lines]) + "\n")
    return path


def write_parquet(folder: Path, rows: list[tuple[Any, ...]]) -> Path:
    path = folder / "item_properties.parquet"
    times, items, names, values = zip(*rows, strict=True)
    frame = {
        "timestamp": 1000 * np.array(times) + MS,
        "itemid": list(map(int, items)),
        "property": names,
        "value": values,
    }
    pd.DataFrame(frame).to_parquet(path)
    return path


def run(folder: Path, log: Path, **data: Any) -> PreparedDataset:
    events = folder / "events.csv"
    rows = [f"u{user},{item},purchase,{1_600_000_000 + item}" for user in range(3) for item in (1, 2, 3)]
    events.write_text("\n".join(["user_id,item_id,event_type,timestamp", *rows]) + "\n")
    settings: dict[str, Any] = {
        "format": "events",
        "interactions": [events],
        "properties": [log],
        "property_columns": COLUMNS,
        "property_names": NAMES,
        "attributes": {"available": "bool"},
        "k_core_users": 0,
        "k_core_items": 0,
        "prepared_dir": folder / "prepared",
        **data,
    }
    config = parse_config({"name": "shop", "data": settings}, "the test")
    return PreparedDataset.load(prepare(config, Console(quiet=True)))


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_the_latest_value_of_each_property_is_the_items(tmp_path: Path, write: Any) -> None:
    dataset = run(tmp_path, write(tmp_path, PROPERTIES))
    items = dataset.items.set_index("item_id")
    assert set(items.index) == {"1", "2", "3", "4"}
    assert list(items.loc["1", "categories"]) == ["111"]
    assert items.loc["1", "price"] == np.float32(277.2)
    assert items.loc["2", "title"] == items.loc["2", "text"] == "n3.000 hash"
    assert list(items.loc["4", "categories"]) == ["7"]
    assert items.loc[["2", "3", "4"], "price"].isna().all()
    available = dict(zip(dataset.item_ids, dataset.attribute_values["available"], strict=True))
    assert available == {"1": False, "2": None, "3": None, "4": None}

    source = dataset.manifest["sources"][1]
    assert (source["kind"], source["lines"], source["kept"]) == ("properties", 10, 9)
    assert source["dropped"] == {"unknown_property": 1}
    assert dataset.manifest["metadata"]["fields"] == {"price_not_understood": 1}
    assert dataset.manifest["counts"]["items_without_interactions"] == 1


def test_a_record_of_the_catalogue_counts_more_field_by_field(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.jsonl"
    records = [{"item_id": "1", "title": "One", "price": None, "available": True}, {"item_id": "2", "title": "Two"}]
    catalogue.write_text("".join(json.dumps(record) + "\n" for record in records))
    items = run(tmp_path, write_csv(tmp_path, PROPERTIES), metadata=[catalogue]).items.set_index("item_id")
    assert items.loc["1", ["title", "text", "available"]].tolist() == ["One", "One. 111", True]
    assert items.loc["1", "price"] == np.float32(277.2)
    assert items.loc["2", "title"] == "Two"


def test_items_of_the_log_alone_are_left_out_where_only_those_with_interactions_are_wanted(tmp_path: Path) -> None:
    dataset = run(tmp_path, write_csv(tmp_path, PROPERTIES), items="interacted")
    assert set(dataset.item_ids) == {"1", "2", "3"}


def test_bad_rows_are_counted_and_too_many_stop(tmp_path: Path) -> None:
    bad = [(1, "", "790", "n1.000"), (-MS, "1", "790", "n1.000"), (1, "x" * 600, "categoryid", "5")]
    rows = [*PROPERTIES, *bad]
    dataset = run(tmp_path, write_csv(tmp_path, rows), max_bad_line_share=0.5)
    dropped = dataset.manifest["sources"][1]["dropped"]
    assert dropped == {"invalid_id": 1, "missing_field": 1, "timestamp_out_of_range": 1, "unknown_property": 1}
    with pytest.raises(DataError, match=r"3 of 13 .*missing_field"):
        run(tmp_path, write_csv(tmp_path, rows))


def test_a_property_that_no_row_has_is_told_of(tmp_path: Path) -> None:
    names = {"categoryID": "categories", "brand": "brand"}
    dataset = run(tmp_path, write_csv(tmp_path, PROPERTIES), property_names=names)
    told = [warning for warning in dataset.manifest["warnings"] if "property" in warning]
    assert told == ["No row of data.properties has the property brand (data.property_names)."]


def test_a_log_with_a_format_of_its_own_is_refused(tmp_path: Path) -> None:
    log = write_csv(tmp_path, PROPERTIES)
    with pytest.raises(DataError, match="leave it out"):
        run(tmp_path, log, properties=[{"path": log, "format": "events"}])


def test_a_log_without_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"one column product(.|\n)*data.property_columns"):
        run(tmp_path, write_csv(tmp_path, PROPERTIES), property_columns={"item_id": "product"})
