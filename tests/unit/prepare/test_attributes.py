"""Attributes: columns that a shop names, read from its catalogue as they are meant, and counted where they are not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from recsys.bundle import Attributes
from recsys.core.errors import DataError
from recsys.prepare.prepared import PreparedDataset
from recsys.prepare.settings import DataConfig
from tests.support.inputs import run

START = 1_600_000_000


def events(tmp_path: Path, count: int) -> Path:
    """Two users who buy items i0, i1, ... and three that have no record, one after the other."""
    path = tmp_path / "events.csv"
    lines = (f"u{k % 2},i{k // 2},purchase,{START + 3600 * k}\n" for k in range(2 * count + 6))
    path.write_text("user_id,item_id,event_type,timestamp\n" + "".join(lines), "utf8")
    return path


def shop(tmp_path: Path, records: Sequence[Mapping[str, Any]], attributes: Any, **data: Any) -> PreparedDataset:
    """A shop whose items i0, i1, ... have these records."""
    path = tmp_path / "items.jsonl"
    lines = [json.dumps({"item_id": f"i{row}", **record}) + "\n" for row, record in enumerate(records)]
    path.write_text("".join(lines), "utf8")
    return run(tmp_path, [events(tmp_path, len(records))], metadata=[path], attributes=attributes, **data)


def values(dataset: PreparedDataset, name: str) -> list[Any]:
    """Of the items with a record, i0, i1, ..., as the file has them."""
    table = pq.read_table(dataset.path / "items.parquet").to_pylist()
    rows = sorted(table, key=lambda row: int(row["item_id"][1:]))
    assert [row[name] for row in rows[-3:]] in ([None] * 3, [[]] * 3)
    return [row[name] for row in rows[:-3]]


def column(tmp_path: Path, kind: str, raw: Sequence[Any], **data: Any) -> tuple[list[Any], dict[str, int]]:
    """What became of a column, and what was counted of it."""
    dataset = shop(tmp_path, [{"x": value} for value in raw], {"x": kind}, **data)
    return values(dataset, "x"), dataset.manifest["metadata"]["fields"]


def test_numbers_are_read_as_prices_are(tmp_path: Path) -> None:
    raw = [5, 0, -2.5, "12", "1 299,50", "n/a", "", None, "many", True, [3], 1e16, "12 kg", 10**400, -(10**30)]
    read, causes = column(tmp_path, "number", raw)
    assert read == [5, 0, -2.5, 12, 1299.5] + 10 * [None]
    assert causes == {"x_not_understood": 7}


def test_the_decimal_mark_is_that_of_the_column_or_of_the_settings(tmp_path: Path) -> None:
    assert column(tmp_path, "number", ["1.299", "0,5"]) == ([1299, 0.5], {})
    assert column(tmp_path, "number", ["1,299", "7"]) == ([1299, 7], {"x_ambiguous": 1})
    assert column(tmp_path, "number", ["1,299", "7"], decimal=",") == ([1.299, 7], {})


def test_truth_values_are_written_in_a_few_ways(tmp_path: Path) -> None:
    raw = [True, False, 1, 0, "yes", "No", " TRUE ", "0", "", None, "maybe", 2, 0.5, ["yes"], 1.0, 10**400]
    read, causes = column(tmp_path, "bool", raw)
    assert read == [True, False, True, False, True, False, True, False] + 6 * [None] + [True, None]
    assert causes == {"x_not_understood": 5}


def test_texts_are_cleaned_as_brands_are(tmp_path: Path) -> None:
    raw = ["Finch &amp; Co", "  Wide   shop ", "", None, 47, 4.5, True, ["Finch"], {"name": "Finch"}]
    read, causes = column(tmp_path, "text", raw)
    assert read == ["Finch & Co", "Wide shop", None, None, "47", "4.5", "true", None, None]
    assert causes == {"x_not_understood": 2}


def test_lists_of_texts_may_be_written_as_one(tmp_path: Path) -> None:
    raw = [["red", "blue", "red", ""], "red|blue, light", "red; blue", "red,blue", "red", 7, [], "", None, [["red"]]]
    read, causes = column(tmp_path, "texts", raw)
    assert read == [
        ["red", "blue"], ["red", "blue, light"], ["red", "blue"], ["red", "blue"], ["red"], ["7"],
        None, None, None, None,
    ]  # fmt: skip
    assert causes == {"x_not_understood": 1}


def test_lists_of_texts_may_be_written_as_lists_in_a_text(tmp_path: Path) -> None:
    read, causes = column(tmp_path, "texts", ['["red", "dark|blue"]', "['red']", "[red]", "[]"])
    assert read == [["red", "dark|blue"], ["red"], ["[red]"], None]
    assert causes == {}


def test_a_separator_may_be_set(tmp_path: Path) -> None:
    records = [{"x": "red / blue"}, {"x": "red|blue"}]
    dataset = shop(tmp_path, records, {"x": {"type": "texts", "separator": "/"}})
    assert values(dataset, "x") == [["red", "blue"], ["red|blue"]]


def test_a_dataset_tells_its_attributes_and_of_how_many_items_they_are_known(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [{"stock": 3, "sellerName": "A"}, {"stock": None}, {}]
    attributes = {"seller": {"type": "text", "column": "sellerName"}, "stock": "number"}
    dataset = shop(tmp_path, records, attributes)
    assert dataset.attributes == {"seller": "text", "stock": "number"}
    assert dataset.manifest["metadata"]["attributes"] == {"seller": 1, "stock": 1}
    assert values(dataset, "seller") == ["A", None, None]
    schema = pq.read_schema(dataset.path / "items.parquet")
    assert schema.names[-2:] == ["seller", "stock"]
    assert [str(schema.field(name).type) for name in schema.names[-2:]] == ["string", "double"]


def test_a_bundle_has_what_the_catalogue_said(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"stock": "1,299.5", "seller": "Ünï & Co", "organic": "yes", "colours": "red|blue"},
        {"stock": 0, "seller": None, "organic": False, "colours": []},
        {},
    ]
    kinds = {"stock": "number", "seller": "text", "organic": "bool", "colours": "texts"}
    dataset = shop(tmp_path, records, kinds)
    written = Attributes.of(dataset.attributes, dataset.attribute_values)
    written.save(tmp_path)
    read = Attributes.load(tmp_path, dataset.attributes, dataset.n_items)
    of_items = {item: read.of_item(row) for row, item in enumerate(dataset.item_ids)}
    assert [of_items[f"i{row}"] for row in range(4)] == [
        {"stock": 1299.5, "seller": "Ünï & Co", "organic": True, "colours": ["red", "blue"]},
        {"stock": 0.0, "organic": False},
        {},
        {},
    ]
    assert read.sold_out is not None
    assert dataset.item_ids[read.sold_out].tolist() == ["i1"]


def test_a_dataset_without_attributes_says_nothing_of_them(tmp_path: Path) -> None:
    dataset = shop(tmp_path, [{"stock": 3}], {})
    assert dataset.attributes == {}
    assert "attributes" not in dataset.manifest["config"]["data"]
    assert "attributes" not in dataset.manifest["metadata"]
    assert "stock" not in dataset.items


def test_what_is_not_understood_is_named_with_a_reason(tmp_path: Path) -> None:
    dataset = shop(tmp_path, [{"stock": "many"}, {"stock": "few"}, {"stock": 1}], {"stock": "number"})
    assert [warning for warning in dataset.manifest["warnings"] if "stock" in warning] == [
        "2 values of stock in the catalogue are not understood and count as missing: "
        "'many' is not understood as a number."
    ]


def test_an_attribute_that_no_item_has_a_value_of_is_named(tmp_path: Path) -> None:
    dataset = shop(tmp_path, [{"stock": None}, {"stock": ""}], {"stock": "number"})
    assert "No item has a value of stock: rules that read it act on nothing." in dataset.manifest["warnings"]


@pytest.mark.parametrize(("stocks", "told"), [([0, -1, 3, None], True), ([0, 0, 3, 4], False)])
def test_a_shop_that_has_sold_out_of_most_is_told(tmp_path: Path, stocks: list[int | None], *, told: bool) -> None:
    dataset = shop(tmp_path, [{"stock": stock} for stock in stocks], {"stock": "number"})
    sentence = "2 of 3 items with a stock are sold out: they are in no list."
    assert (sentence in dataset.manifest["warnings"]) is told


def test_an_attribute_that_no_record_has_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        shop(tmp_path, [{"title": "Mug", "Stocks": 3}], {"stock": "number"})
    assert "stock (data.attributes.stock)" in raised.value.expected
    assert "no stock among Stocks, item_id, title" in raised.value.got
    assert "set column: Stocks at data.attributes.stock" in raised.value.remedy


def test_a_column_that_is_read_anyway_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="price is price"):
        shop(tmp_path, [{"price": 3}], {"cost": {"type": "number", "column": "price"}})


def test_the_first_record_of_an_item_counts_in_several_catalogues(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    paths[0].write_text('{"item_id": "i0", "stock": "1.5"}\n', "utf8")
    paths[1].write_text('{"item_id": "i0", "stock": 9}\n{"item_id": "i1", "stock": 8}\n', "utf8")
    dataset = run(tmp_path, [events(tmp_path, 2)], metadata=paths, attributes={"stock": "number"})
    assert values(dataset, "stock") == [1.5, 8]


@pytest.mark.parametrize("name", ["order", "select", "Group", "class", "end"])
def test_names_may_be_words_of_other_languages(tmp_path: Path, name: str) -> None:
    assert values(shop(tmp_path, [{name: 3}], {name: "number"}), name) == [3]


AMAZON = {
    "amazon_2014": (
        "{'asin': 'i0', 'title': 'Mug', 'imUrl': 'u', 'stock': 4, 'seller': \"O'Dell\", 'sizes': ['S', 'M'],"
        " 'organic': True}",
        {"reviewerID": "u0", "asin": "ITEM", "overall": 5.0, "unixReviewTime": START},
    ),
    "amazon_2018": (
        '{"asin": "i0", "category": ["Cups"], "stock": "4", "seller": "O\'Dell", "sizes": "S|M", "organic": "yes"}',
        {"reviewerID": "u0", "asin": "ITEM", "overall": 5.0, "unixReviewTime": START},
    ),
    "amazon_2023": (
        '{"parent_asin": "i0", "store": "B", "stock": 4.0, "seller": "O\'Dell", "sizes": ["S", "M"], "organic": 1}',
        {"user_id": "u0", "parent_asin": "ITEM", "rating": 5.0, "timestamp": START * 1000},
    ),
}
KINDS = {"stock": "number", "seller": "text", "sizes": "texts", "organic": "bool"}


@pytest.mark.parametrize("edition", AMAZON)
def test_every_edition_of_amazons_data_has_free_columns(tmp_path: Path, edition: str) -> None:
    metadata, review = AMAZON[edition]
    (tmp_path / "meta.json").write_text(metadata + "\n", "utf8")
    lines = [json.dumps(review).replace("ITEM", f"i{row}") + "\n" for row in range(3)]
    (tmp_path / "reviews.json").write_text("".join(lines), "utf8")
    reviews, records = [tmp_path / "reviews.json"], [tmp_path / "meta.json"]
    dataset = run(tmp_path, reviews, format=edition, metadata=records, attributes=KINDS)
    row = dataset.items.set_index("item_id").loc["i0"]
    assert (row["stock"], row["seller"], list(row["sizes"]), bool(row["organic"])) == (4, "O'Dell", ["S", "M"], True)


def test_recboles_item_files_have_free_columns(tmp_path: Path) -> None:
    (tmp_path / "a.inter").write_text(
        "user_id:token\titem_id:token\ttimestamp:float\n" + "".join(f"u\ti{row}\t{START + row}\n" for row in range(3)),
        "utf8",
    )
    (tmp_path / "a.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tmoods:token_seq\tseen:float\n"
        "i0\tAlien\t1979\tdark tense\t3\ni1\tToy Story\t\t\t\n",
        "utf8",
    )
    attributes = {"year": {"type": "number", "column": "release_year"}, "moods": "texts", "seen": "number"}
    dataset = run(
        tmp_path, [tmp_path / "a.inter"], format="recbole", metadata=[tmp_path / "a.item"], attributes=attributes
    )
    items = dataset.items.set_index("item_id")
    assert items.loc["i0", "year"] == 1979
    assert list(items.loc["i0", "moods"]) == ["dark", "tense"]
    assert items.loc["i0", "text"] == "Alien. 1979"
    assert math.isnan(items.loc["i1", "seen"])
    with pytest.raises(DataError, match="no stock among item_id, moods, movie_title"):
        run(
            tmp_path,
            [tmp_path / "a.inter"],
            format="recbole",
            metadata=[tmp_path / "a.item"],
            attributes={"stock": "number"},
        )


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"price": "number"}, "'price' is taken"),
        ({"Title": "text"}, "'Title' is taken"),
        ({"a b": "text"}, "conditions can ask for"),
        ({"x": "integer"}, "number"),
        ({"x": {"type": "text", "separator": ","}}, "separator is for the type texts"),
        ({"x": {"kind": "text"}}, "type"),
        ({"x": "text", "X": "text"}, "differ in more than case, got x twice"),
        ({"x": "text", "y": {"type": "text", "column": "x"}}, "a column for each, got x twice"),
        ({"stock": "text"}, "expected its type number, got text"),
    ],
)
def test_settings_that_make_no_sense_are_refused(attributes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataConfig.model_validate(
            {"format": "events", "interactions": ["a"], "metadata": ["b"], "attributes": attributes}
        )


def test_attributes_need_a_catalogue() -> None:
    with pytest.raises(ValueError, match="attributes needs metadata"):
        DataConfig.model_validate({"format": "events", "interactions": ["a"], "attributes": {"stock": "number"}})
