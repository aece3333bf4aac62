"""Event logs in JSON: paths, lists, records that are not as the others, and other ways to write a file of objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import DataError
from recsys.prepare.formats.events import check, event_tables
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

T = 1_600_000_000
PATHS = {
    "user_id": "user.id",
    "item_id": "items[].sku",
    "event_type": "type",
    "timestamp": "time",
    "price": "items[].price",
}


def read(path: Path, **changes: Any) -> tuple[list[dict[str, Any]], InputReport]:
    config = DataConfig.model_validate(
        {"format": "events", "interactions": [path], "max_bad_line_share": 1.0, **changes}
    )
    report = open_file(path, "interactions")
    report.text = report.mapping = config
    check(report)
    rows = [row for table in event_tables(report, config, 0, lambda _: None) for row in table.to_pylist()]
    assert report.kept == len(rows)
    return rows, report


def write(tmp_path: Path, *records: Any) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(each if isinstance(each, str) else json.dumps(each) + "\n" for each in records))
    return path


def event(**changes: Any) -> dict[str, Any]:
    return {"user_id": "u", "item_id": "i", "event_type": "view", "timestamp": T, **changes}


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (event(user_id=None), "missing_field"),
        ({"user_id": "u", "item_id": "i", "event_type": "view"}, "missing_field"),
        (event(timestamp=float("nan")), "missing_field"),
        (event(user_id={"id": "u"}), "mistyped_field"),
        (event(item_id=["i"]), "mistyped_field"),
        (event(item_id=True), "mistyped_field"),
        (event(timestamp="soon"), "mistyped_field"),
        (event(price={"amount": 1}), "mistyped_field"),
        (event(event_type="fly"), "unknown_event_type"),
        (event(user_id="a\nb"), "invalid_id"),
        ([event()], "mistyped_field"),
        ('{"user_id": "u", "item_id\n', "malformed"),
        ('{"user_id": "\\ud800", "item_id": "i", "event_type": "view", "timestamp": 1}\n', "malformed"),
        ('{"user_id": "\\ud800", "item_id": "i", "event_type": "view", "timestamp": 1, "n": NaN}\n', "not_utf8"),
        ("\n", "blank_line"),
    ],
)
def test_a_bad_record_is_counted_and_its_neighbours_are_read(tmp_path: Path, bad: Any, cause: str) -> None:
    rows, report = read(write(tmp_path, event(item_id="a"), event(item_id="b"), bad, event(item_id="c")))
    assert [row["item_id"] for row in rows] == ["a", "b", "c"]
    assert (dict(report.dropped), report.lines) == ({cause: 1}, 4)
    assert [number for number, *_ in report.examples] == ([] if cause == "blank_line" else [3])


def test_numbers_are_ids_and_missing_numbers_are_none(tmp_path: Path) -> None:
    large = 12_345_678_901_234_567
    rows, _ = read(write(tmp_path, event(user_id=large, price=float("nan")), event(user_id=7, price="1.50")))
    assert [(row["user_id"], row["price"]) for row in rows] == [(str(large), None), ("7", 1.5)]


def test_an_event_for_each_entry_of_a_list(tmp_path: Path) -> None:
    shared = {"user": {"id": "u"}, "type": "view", "time": T}
    path = write(
        tmp_path,
        {**shared, "items": [{"sku": "a", "price": 1}, {"sku": "b"}]},
        {**shared, "items": []},
        {**shared, "items": None},
        {**shared, "items": [{"sku": "c"}, None, {"price": 2}]},
        {**shared, "user": None, "items": [{"sku": "d"}]},
        {**shared, "user": "u", "items": [{"sku": "e"}]},
    )
    rows, report = read(path, columns=PATHS)
    assert [(row["item_id"], row["price"]) for row in rows] == [("a", 1.0), ("b", None), ("c", None)]
    assert dict(report.dropped) == {"no_entries": 2, "missing_field": 3, "mistyped_field": 1}
    assert sorted(number for number, *_ in report.examples) == [4, 4, 5, 6]


def test_ids_may_be_the_entries_themselves(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, event(skus=["a", 2])), columns={"item_id": "skus[]"})
    assert [row["item_id"] for row in rows] == ["a", "2"]


def test_what_records_tell_of_items_and_users_may_be_anything(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        event(product={"brand": 7, "tags": ["x", ["y"]]}, age=31),
        event(product={"brand": {"no": 1}, "tags": "z"}),
        event(product=None, age=None),
    )
    columns = {"item.brand": "product.brand", "item.tags": "product.tags", "user.age": "age"}
    rows, report = read(path, columns=columns, attributes={"tags": "texts"}, user_attributes={"age": "number"})
    assert [row["item.brand"] for row in rows] == ["7", None, None]
    assert [row["item.tags"] for row in rows] == [["x", "y"], ["z"], None]
    assert [row["user.age"] for row in rows] == ["31", None, None]
    assert not report.dropped


def test_a_name_with_a_point_is_no_path_where_it_is_there(tmp_path: Path) -> None:
    record = {**event(), "shop.user": "u1"}
    (row,), _ = read(write(tmp_path, record), columns={"user_id": "shop.user"})
    assert row["user_id"] == "u1"


def test_a_value_and_what_holds_it_are_not_both_read(tmp_path: Path) -> None:
    record = {**event(), "user": {"id": "u"}}
    with pytest.raises(DataError, match="what holds it"):
        read(write(tmp_path, record), columns={"user_id": "user.id", "item_id": "user"})


def test_a_number_that_comes_late_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, *[event()] * 2500, event(price=3))
    rows, report = read(path, columns={"quantity": "n"})
    assert [row["price"] for row in rows[-2:]] == [None, 3.0]
    assert report.used == set()


@pytest.mark.parametrize("indent", [None, 2])
def test_one_array_of_objects(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "log.json"
    path.write_text(
        json.dumps([event(item_id="a"), event(item_id="b", price=float("nan")), event(user_id="")], indent=indent)
    )
    rows, report = read(path)
    assert [row["item_id"] for row in rows] == ["a", "b"]
    assert dict(report.dropped) == {"missing_field": 1}


def test_objects_on_several_lines(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, *(json.dumps(event(item_id=name), indent=1) + "\n" for name in "ab")))
    assert [row["item_id"] for row in rows] == ["a", "b"]


def test_an_array_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="export the file again"):
        read(write(tmp_path, json.dumps([event(), event()])[:-20]))


def test_records_without_the_fields_are_refused_with_lines_of_a_config(tmp_path: Path) -> None:
    record = {"who": {"userId": "u"}, "productId": "i", "eventTime": T, "action": "view"}
    with pytest.raises(DataError, match="user_id") as error:
        read(write(tmp_path, record))
    assert "data.columns: {user_id: who.userId, item_id: productId" in error.value.remedy


@pytest.mark.parametrize("columns", [{}, {"item_id": "items[].item_id", "user_id": "user_pseudo_id"}])
def test_lists_may_be_empty_in_all_of_the_first_records(tmp_path: Path, columns: dict[str, str]) -> None:
    shared = {"event_timestamp": T * 10**6, "event_name": "view_item", "user_pseudo_id": "u"}
    page = {**shared, "event_name": "page_view", "items": [], "page": "x" * 1000}
    path = write(tmp_path, *[page] * 1500, {**shared, "items": [{"item_id": "i"}]})
    rows, report = read(path, columns=columns)
    assert [(row["item_id"], row["event_type"]) for row in rows] == [("i", "view")]
    assert dict(report.dropped) == {"no_entries": 1500}
