"""Catalogues in every form: what was written comes back, record by record."""

import csv
import html
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.core.errors import DataError
from recsys.prepare.categories import CategoryReader
from recsys.prepare.formats.reports import InputReport
from tests.support.catalogues import read

Item = dict[str, Any]
FIELDS = ("item_id", "title", "brand", "categories", "price", "description", "image")


def plain(item: Any, report: InputReport) -> Item:
    """The fields of an item; a list that its form can only write as a text is read as that list."""
    price = None if item.price is None else float(item.price)
    return {
        **{name: getattr(item, name) for name in ("item_id", "title", "brand", "description", "image")},
        "categories": CategoryReader(None, report).read(item.categories),
        "price": price,
    }


def json_lines(items: list[Item], path: Path) -> None:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), "utf8")


def json_array(items: list[Item], path: Path) -> None:
    path.write_text(json.dumps(items), "utf8")


def json_indented(items: list[Item], path: Path) -> None:
    path.write_text("\n".join(json.dumps(item, indent=2) for item in items), "utf8")


def json_array_indented(items: list[Item], path: Path) -> None:
    path.write_text(json.dumps(items, indent=1), "utf8")


def json_wrapped(items: list[Item], path: Path) -> None:
    path.write_text(json.dumps({"products": items}), "utf8")


def json_wrapped_indented(items: list[Item], path: Path) -> None:
    path.write_text(json.dumps({"products": items}, indent=2), "utf8")


def parquet(items: list[Item], path: Path) -> None:
    kinds = {name: pa.string() for name in FIELDS} | {"categories": pa.list_(pa.string()), "price": pa.float64()}
    pq.write_table(pa.Table.from_pylist(items, pa.schema(list(kinds.items()))), path)


def delimited(delimiter: str, *, all_quoted: bool = False) -> Callable[[list[Item], Path], None]:
    def write(items: list[Item], path: Path) -> None:
        text = io.StringIO()
        writer = csv.writer(
            text, delimiter=delimiter, quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL, lineterminator="\n"
        )
        writer.writerow(FIELDS)
        for item in items:
            cells = {**item, "categories": json.dumps(item["categories"]) if item["categories"] else None}
            writer.writerow(["" if cells[name] is None else cells[name] for name in FIELDS])
        path.write_text(text.getvalue(), "utf8")

    return write


FORMS: dict[str, Callable[[list[Item], Path], None]] = {
    "JSON lines": json_lines,
    "a JSON array": json_array,
    "an indented JSON array": json_array_indented,
    "objects on several lines": json_indented,
    "an array in an object of JSON": json_wrapped,
    "an indented array in an object of JSON": json_wrapped_indented,
    "Parquet": parquet,
    "commas": delimited(","),
    "semicolons": delimited(";"),
    "tabs": delimited("\t"),
    "bars": delimited("|"),
    "all in quotes": delimited(",", all_quoted=True),
}
# Words for no value are read as none: they are not drawn here.
_TEXT = st.text(st.sampled_from("abcß€𝄞 ,;|/\"'<>&.0"), min_size=1, max_size=8).filter(
    lambda text: text.strip() not in ("", "-") and text == text.strip()
)
_ID = st.from_regex(r"[a-z][a-z0-9é_]{0,6}", fullmatch=True).filter(lambda text: text not in ("nan", "null", "none"))
# Nor entities of HTML, such as A&lt, which are decoded.
_CATEGORY = st.from_regex(r"[A-Z][a-z&]{1,5}", fullmatch=True).filter(lambda text: html.unescape(text) == text)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "item_id": _ID,
            "title": _TEXT,
            "brand": st.none() | _TEXT,
            "categories": st.lists(_CATEGORY, max_size=3),
            "price": st.none() | st.integers(1, 10**6).map(lambda cents: cents / 100),
            "description": st.none() | _TEXT,
            "image": st.none() | st.just("https://shop.example/1.jpg"),
        }
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=ITEMS)
def test_what_was_written_comes_back(tmp_path: Path, form: str, items: list[Item]) -> None:
    path = tmp_path / "catalogue"
    FORMS[form](items, path)
    found, report = read(path, **WRITTEN.get(form, {}))
    assert [plain(item, report) for item in found] == items
    assert (report.lines, report.bad, report.left_out) == (len(items), 0, {})


# What rows drawn at random look like does not always tell how they are separated: shops' rows do.
WRITTEN = {
    name: {"delimiter": mark, "quote": '"'}
    for name, mark in {"commas": ",", "semicolons": ";", "tabs": "\t", "bars": "|", "all in quotes": ","}.items()
}

MUGS = [
    {"item_id": f"m{n}", "title": f"Mug {n}", "brand": "Holm", "categories": ["Home", "Mugs"], "price": n + 0.5,
     "description": "Blue.", "image": None} for n in range(3)
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_how_a_file_is_written_is_told_by_itself(tmp_path: Path, form: str) -> None:
    path = tmp_path / "catalogue"
    FORMS[form](MUGS, path)
    items, report = read(path)
    assert [plain(item, report) for item in items] == MUGS


def test_numbers_are_the_ids_that_events_have(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pq.write_table(pa.table({"Item_ID": [50001.0, None, 50003.0], "TITLE": ["A", "B", "C"]}), path)
    items, report = read(path)
    assert [(item.item_id, item.title) for item in items] == [("50001", "A"), ("50003", "C")]
    assert report.dropped == {"missing_field": 1}


def test_values_of_parquet_that_json_has_not(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    prices = pa.array([1299, None], pa.decimal128(9, 2))
    table = {"item_id": [b"a", b"b"], "title": pa.array(["A", None]), "price": prices, "genres": [["X", None], []]}
    pq.write_table(pa.table(table), path)
    items, _ = read(path)
    assert [(item.item_id, item.title, item.price, item.categories) for item in items] == [
        ("a", "A", 1299.0, ["X"]),
        ("b", None, None, []),
    ]


def test_an_array_with_values_that_are_no_json(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text('[{"item_id": "a", "price": NaN, "title": "x\\ny"},\n {"item_id": "b", "price": 2}, 7]')
    items, report = read(path)
    assert [(item.item_id, item.title, item.price) for item in items] == [("a", "x\ny", None), ("b", None, 2.0)]
    assert report.dropped == {"mistyped_field": 1}


def test_an_array_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text('[{"item_id": "a"}, {"item_id": "b')
    with pytest.raises(DataError, match="after 1 objects"):
        read(path)


def test_nested_names(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    lines = [
        {"product": {"ID": 7, "name": {"en": "Mug"}}, "tags": [{"name": "Home"}, {"name": "Mugs"}, {"other": 1}]},
        {"product": {"ID": 8}, "tags": None},
        {"product": None},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    names = {"item_id": "product.id", "title": "product.name.en", "categories": "tags[].name"}
    items, report = read(path, metadata_columns=names)
    assert [(item.item_id, item.title, item.categories) for item in items] == [
        ("7", "Mug", ["Home", "Mugs"]),
        ("8", None, None),
    ]
    assert report.dropped == {"missing_field": 1}


def test_nested_names_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pq.write_table(pa.table({"product": [{"id": 7, "tags": [{"name": "Home"}]}, {"id": 8, "tags": []}]}), path)
    items, _ = read(path, metadata_columns={"item_id": "product.id", "categories": "product.tags[].name"})
    assert [(item.item_id, item.categories) for item in items] == [("7", ["Home"]), ("8", [])]


def test_a_field_that_the_first_records_lack_is_read(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    lines = [{"item_id": n} for n in range(150)] + [{"item_id": "last", "title": "Late", "cost": 5}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    items, report = read(path, metadata_columns={"price": "cost"})
    assert (items[-1].title, items[-1].price) == ("Late", 5.0)
    assert report.absent == {}


@pytest.mark.parametrize(
    ("images", "first"),
    [
        ([{"src": "u"}, {"src": "v"}], "u"),
        ([None, "u"], "u"),
        ({"url": "u"}, "u"),
        ([], None),
        ("https://x/a,b.jpg, https://x/c.jpg", "https://x/a,b.jpg"),
        ([{"hi_res": None, "large": "u"}], "u"),
    ],
)
def test_pictures(tmp_path: Path, images: Any, first: str | None) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps({"id": 1, "images": images}) + "\n")
    (item,), report = read(path)
    assert item.image == first
    assert report.left_out == {}


def test_a_long_array_in_an_object(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"products": [{"sku": n, "name": "x" * 999} for n in range(2000)]}))
    items, report = read(path)
    assert [item.item_id for item in items] == list(map(str, range(2000)))
    assert report.assumed == ["records are the entries of products"]


@pytest.mark.parametrize(
    "text",
    ['{"id": 1, "tags": [{"a": 1}]}\n', '{"tags": [{"a": 1}], "id": 1}\n', '{"tags": [{"a": 1}], "id": 1}\n' * 2],
)
def test_an_object_with_a_list_among_others_is_a_record(tmp_path: Path, text: str) -> None:
    path = tmp_path / "items.json"
    path.write_text(text)
    items, report = read(path)
    assert {item.item_id for item in items} == {"1"}
    assert report.lines == text.count("\n")
