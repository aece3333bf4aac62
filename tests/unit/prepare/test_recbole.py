import gzip
import zipfile
from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import DataError
from recsys.prepare.formats.base import RawItem, RawTaggedItem
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.recbole import check_header, interaction_tables, item_rows
from recsys.prepare.formats.reports import InputKind, InputReport
from recsys.prepare.settings import DataConfig

HEADER = "user_id:token\titem_id:token\trating:float\ttimestamp:float"


def config(path: Path, **changes: Any) -> DataConfig:
    settings = {
        "format": "recbole",
        "interactions": [path],
        "max_bad_line_share": 1.0,
        "earliest_year": 1970,
        **changes,
    }
    return DataConfig.model_validate(settings)


def write(tmp_path: Path, *lines: str, name: str = "shop.inter") -> Path:
    path = tmp_path / name
    path.write_bytes("\n".join((*lines, "")).encode())
    return path


def read(path: Path, **changes: Any) -> tuple[list[dict[str, Any]], InputReport]:
    report = open_file(path, "interactions")
    seen: list[int] = []
    tables = interaction_tables(report, config(path, **changes), 100, seen.append)
    rows = [row for table in tables for row in table.to_pylist()]
    assert sum(seen) == path.stat().st_size
    return rows, report


def read_items(path: Path, **changes: Any) -> tuple[list[RawItem], InputReport]:
    report = open_file(path, "metadata")
    batches = item_rows(report, config(path, **changes), lambda _: None)
    return [row for batch in batches for row in batch], report


def test_interactions(tmp_path: Path) -> None:
    # A quote is a letter like any other; times may be written as floats.
    rows, report = read(write(tmp_path, HEADER, "1\tToy Story (1995)\t5\t978300760", 'u\t"7", a\t4.5\t1.5e9'))
    assert [(row["user_id"], row["item_id"], row["rating"], row["timestamp"], row["seq"]) for row in rows] == [
        ("1", "Toy Story (1995)", 5.0, 978_300_760, 100),
        ("u", '"7", a', 4.5, 1_500_000_000, 101),
    ]
    assert {row["weight"] for row in rows} == {1.0}
    assert (report.lines, report.kept) == (2, 2)


def test_fields_in_any_order_others_ignored_and_rating_optional(tmp_path: Path) -> None:
    header = "timestamp:float\tcount:float\ttags:token_seq\titem_id:token\tuser_id:token"
    (row,), _ = read(write(tmp_path, header, "9\t3\tx y\ta\tu"))
    assert (row["user_id"], row["item_id"], row["timestamp"], row["rating"]) == ("u", "a", 9, None)


def test_line_ends_byte_order_mark_and_gzip_of_other_systems(tmp_path: Path) -> None:
    path = tmp_path / "shop.inter"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + f"{HEADER}\r\nu\ta\t3\t9\r\n".encode()))
    (row,), report = read(path)
    assert (row["user_id"], row["rating"], row["timestamp"]) == ("u", 3.0, 9)
    assert len(report.sha256) == 64


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("u\ta\t3", "malformed"),
        ("u\ta\t3\t9\tmore", "malformed"),
        ("\ta\t3\t9", "missing_field"),
        ("u\t\t3\t9", "missing_field"),
        ("u\ta\t3\t", "missing_field"),
        ("u\ta\tgood\t9", "mistyped_field"),
        ("u\ta\t3\tsoon", "mistyped_field"),
        ("u\ta\t6\t9", "rating_out_of_range"),
        ("u\ta\t3\t978300760000", "timestamp_out_of_range"),
    ],
)
def test_a_bad_row_is_counted_and_its_neighbours_are_read(tmp_path: Path, line: str, cause: str) -> None:
    rows, report = read(write(tmp_path, HEADER, "u\ta\t3\t978300760", line, "u\tb\t\t978300761"))
    assert [(row["item_id"], row["rating"]) for row in rows] == [("a", 3.0), ("b", None)]
    assert report.dropped == {cause: 1}
    assert report.examples == [(3, cause, line)]


def test_a_row_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "shop.inter"
    path.write_bytes(f"{HEADER}\nu\ta\t3\t1\n".encode() + b"\xff\ta\t3\t1\n")
    rows, report = read(path)
    assert len(rows) == 1
    assert (report.dropped, report.examples[0][0]) == ({"not_utf8": 1}, 3)


def test_too_many_bad_rows_stop(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 2 \(1 missing_field\)"):
        read(write(tmp_path, HEADER, "u\ta\t3\t1", "u\t\t3\t1"), max_bad_line_share=0.2)
    with pytest.raises(DataError, match="header alone"):
        read(write(tmp_path, HEADER))


@pytest.mark.parametrize(
    ("kind", "header", "words"),
    [
        ("interactions", "user_id\titem_id\trating\ttimestamp", "write token, token_seq, float"),
        ("interactions", "user_id:token,item_id:token,timestamp:float", "tab-separated"),
        ("interactions", "user_id:token\titem_id:token\ttimestamp:int", "write token, token_seq, float"),
        ("interactions", '{"reviewerID": "u"}', "write token, token_seq, float"),
        ("interactions", "user_id:token\titem_id:token\trating:float", "a time is needed"),
        ("interactions", "venue_id:token\tuser_id:token\ttimestamp:float", "no item_id among venue_id, user_id"),
        ("interactions", "item_id:token\tname:token", "data.metadata"),
        ("metadata", "movie_id:token\tname:token", "no item_id among movie_id, name"),
        ("metadata", HEADER, "data.interactions"),
    ],
)
def test_a_header_that_will_not_do(tmp_path: Path, kind: InputKind, header: str, words: str) -> None:
    report = open_file(write(tmp_path, header), kind)
    with pytest.raises(DataError) as error:
        check_header(report)
    assert words in str(error.value)


def test_items(tmp_path: Path) -> None:
    header = (
        "item_id:token\tmovie_title:token\trelease_year:float\tgenre:token_seq\tprice:float\tbrand:token\tlen:float"
    )
    lines = ["1\tToy Story\t1995.0\tAnimation Children's Comedy\t9.5\tPixar\t81", "2\t\t\t\t\t\t", "\tNo id\t\t\t\t\t"]
    items, report = read_items(write(tmp_path, header, *lines))
    assert items == [
        RawTaggedItem(
            item_id="1",
            title="Toy Story",
            brand="Pixar",
            categories=["Animation", "Children's", "Comedy"],
            price="9.5",
            year="1995",
        ),
        RawTaggedItem(item_id="2", categories=[]),
    ]
    assert report.dropped == {"missing_field": 1}
    assert report.examples[0][0] == 4


@pytest.mark.parametrize(
    ("field", "attribute"),
    [
        ("title:token", "title"),
        ("book_title:token_seq", "title"),
        ("name:token_seq", "title"),
        ("category:token_seq", "categories"),
        ("categories:token", "categories"),
        ("class:token_seq", "categories"),
        ("genres:token_seq", "categories"),
        ("publication_year:token", "year"),
        ("description:token_seq", "description"),
    ],
)
def test_names_of_item_fields(tmp_path: Path, field: str, attribute: str) -> None:
    ((item,), _) = read_items(write(tmp_path, f"item_id:token\tother:token\t{field}", "1\tx\tword"))
    expected = ["word"] if attribute == "categories" else "word"
    assert getattr(item, attribute) == expected


def test_the_first_title_counts(tmp_path: Path) -> None:
    header = "subtitle_of:token\ttitle:token\titem_id:token\tname:token"
    ((item,), _) = read_items(write(tmp_path, header, "a\tb\t1\tc"))
    assert item.title == "b"


def test_archives_encodings_and_stray_quotes(tmp_path: Path) -> None:
    lines = "\n".join([HEADER, "u\ta\t5\t1400000000", '"v\tb\t5\t1400000000', "w\tc", ""])
    path = tmp_path / "shop.inter"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("shop.inter", lines.encode("utf-16"))
    rows, report = read(path)
    assert [row["user_id"] for row in rows] == ["u", '"v']
    assert report.examples == [(4, "malformed", "w\tc")]
    assert report.written_as == "ZIP, UTF-16"


def test_a_field_named_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\titem_id:float", "u\ta\t5\t1400000000\t7")
    with pytest.raises(DataError, match="item_id twice"):
        check_header(open_file(path, "interactions"))


AMAZON_ITEMS = ("asin:token\tsales_type:token_seq\tName:token\tmaker:token\tcost:float", "A\tHome|Cups\tMug\tHolm\t3.5")
NAMES = {"item_id": "ASIN", "title": "name", "brand": "maker", "categories": "sales_type", "price": "cost"}


def test_fields_of_items_under_other_names(tmp_path: Path) -> None:
    path = write(tmp_path, *AMAZON_ITEMS, name="shop.item")
    ((item,), report) = read_items(path, metadata_columns=NAMES)
    assert (item.item_id, item.title, item.brand, item.price) == ("A", "Mug", "Holm", "3.5")
    assert item.categories == ["Home|Cups"]
    assert report.columns == {name: theirs if name != "item_id" else "asin" for name, theirs in NAMES.items()} | {
        "title": "Name"
    }
    ((item,), _) = read_items(path, metadata_columns=NAMES, category_separator="|")
    assert item.categories == "Home|Cups"


def test_items_without_an_id_name_what_is_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, *AMAZON_ITEMS, name="shop.item")
    with pytest.raises(DataError, match=r"no item_id among asin(.|\n)*data.metadata_columns: {item_id: asin}"):
        read_items(path)
    with pytest.raises(DataError, match=r"a field code \(data.metadata_columns.item_id\)"):
        read_items(path, metadata_columns={"item_id": "code"})
