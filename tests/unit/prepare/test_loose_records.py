"""Catalogues whose fields are of other types than wanted: what is meant is read, one field does not cost the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.prepare.formats.base import RawItem
from recsys.prepare.formats.events import EVENTS
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig


def read(tmp_path: Path, *lines: str) -> tuple[list[Any], InputReport]:
    path = tmp_path / "items.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf8")
    config = DataConfig.model_validate({"format": "events", "interactions": [path], "max_bad_line_share": 1.0})
    report = open_file(path, "metadata")
    return [item for batch in EVENTS.items(report, config, lambda _: None) for item in batch], report


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"item_id": 50001, "title": "Mug"}', {"item_id": "50001", "title": "Mug"}),
        ('{"item_id": 50001.0}', {"item_id": "50001"}),
        ('{"item_id": " a "}', {"item_id": "a"}),
        ('{"item_id": "a b", "title": 1984, "brand": 47.0}', {"item_id": "a b", "title": "1984", "brand": "47"}),
        ('{"item_id": "a", "title": "Mug", "price": NaN}', {"item_id": "a", "title": "Mug", "price": None}),
        ('{"item_id": "a", "price": -Infinity, "brand": "B"}', {"item_id": "a", "price": None, "brand": "B"}),
        ('{"item_id": "a", "categories": [12, "Cups"]}', {"item_id": "a", "categories": ["12", "Cups"]}),
    ],
)
def test_what_is_meant_is_read(tmp_path: Path, line: str, expected: dict[str, Any]) -> None:
    (before, item, after), report = read(tmp_path, '{"item_id": "x"}', line, '{"item_id": "y"}')
    assert (before.item_id, after.item_id) == ("x", "y")
    plain = RawItem(item_id="")
    assert {name: getattr(item, name) for name in RawItem.__struct_fields__} == {
        **{name: getattr(plain, name) for name in RawItem.__struct_fields__},
        **expected,
    }
    assert report.bad == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ["Mug"]),
        ("title", True),
        ("title", "\ud800"),
        ("price", {"amount": 5}),
        ("brand", {"name": "B"}),
        ("image", 5.5),
    ],
)
def test_a_field_that_cannot_be_read_is_left_out_alone(tmp_path: Path, field: str, value: Any) -> None:
    fields = {"item_id": "a", "title": "Mug", "brand": "Holm", "price": 3.5, "image": "u"}
    (item,), report = read(tmp_path, json.dumps({**fields, field: value}))
    assert {name: getattr(item, name) for name in fields} == {**fields, field: None}
    assert report.left_out == {f"{field}_not_understood": 1}
    assert report.kept == 1


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('{"item_id": true}', "mistyped_field"),
        ('{"item_id": 1.5}', "mistyped_field"),
        ('{"item_id": 2103807459595387904.0}', "mistyped_field"),
        ('{"item_id": ["a"]}', "mistyped_field"),
        ('{"item_id": null}', "missing_field"),
        ('{"item_id": NaN}', "missing_field"),
        ('{"item_id": "null"}', "missing_field"),
        ('{"item_id": "\\ud800"}', "mistyped_field"),
        ('{"item_id": ""}', "missing_field"),
        ('{"title": NaN}', "missing_field"),
        ('{"item_id": "a\\u0007"}', "invalid_id"),
        (json.dumps({"item_id": "x" * 513}), "invalid_id"),
        ("[1]", "mistyped_field"),
        ("not json", "malformed"),
        ("", "blank_line"),
    ],
)
def test_records_without_an_id_that_can_be_one(tmp_path: Path, line: str, cause: str) -> None:
    items, report = read(tmp_path, '{"item_id": "x"}', line, '{"item_id": "y"}')
    assert [item.item_id for item in items] == ["x", "y"]
    assert report.dropped == {cause: 1}
