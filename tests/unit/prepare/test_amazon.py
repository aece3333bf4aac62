import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import DataError
from recsys.prepare.formats.base import Picture, load_format
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import InputKind, InputReport
from recsys.prepare.settings import DataConfig

REVIEW = {"reviewerID": "U", "asin": "A", "overall": 4.0, "unixReviewTime": 1_400_000_000, "reviewText": "ok"}
REVIEW_2023 = {"user_id": "U", "parent_asin": "A", "asin": "V", "rating": 4.0, "timestamp": 1_400_000_000_999}


def config(edition: str, **changes: Any) -> DataConfig:
    settings = {"format": f"amazon_{edition}", "interactions": ["x"], "max_bad_line_share": 1.0, **changes}
    return DataConfig.model_validate(settings)


def write(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def reviews(
    tmp_path: Path, edition: str, lines: list[bytes], **changes: Any
) -> tuple[list[dict[str, Any]], InputReport]:
    report = open_file(write(tmp_path / "reviews", lines), "interactions")
    read = load_format(f"amazon_{edition}").interactions
    tables = read(report, config(edition, **changes), 100, lambda _: None)
    return [row for table in tables for row in table.to_pylist()], report


def metadata(tmp_path: Path, edition: str, lines: list[bytes]) -> tuple[list[Any], InputReport]:
    report = open_file(write(tmp_path / "meta", lines), "metadata")
    batches = load_format(f"amazon_{edition}").items(report, config(edition), lambda _: None)
    return [record for records in batches for record in records], report


def dumps(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()


@pytest.mark.parametrize(("edition", "line"), [("2014", REVIEW), ("2018", REVIEW), ("2023", REVIEW_2023)])
def test_review_fields(tmp_path: Path, edition: str, line: dict[str, Any]) -> None:
    rows, report = reviews(tmp_path, edition, [dumps(line), dumps(line)])
    expected = {"user_id": "U", "item_id": "A", "timestamp": 1_400_000_000, "rating": 4.0}
    assert rows == [{**expected, "seq": 100}, {**expected, "seq": 101}]
    assert (report.lines, report.kept) == (2, 2)


@pytest.mark.parametrize("rating", [{}, {"overall": None}])
def test_a_rating_may_be_absent(tmp_path: Path, rating: dict[str, Any]) -> None:
    line = {key: value for key, value in REVIEW.items() if key != "overall"} | rating
    rows, report = reviews(tmp_path, "2018", [dumps(line)])
    assert rows[0]["rating"] is None
    assert report.kept == 1


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b'{"reviewerID": "U", "asin": "A", "unixRev', "malformed"),
        (b"not json", "malformed"),
        (b'{"x": ' + b"[" * 100_000, "malformed"),
        (dumps(REVIEW) + dumps(REVIEW), "malformed"),
        (dumps(REVIEW).replace(b'"ok"', b'"\xff\xfe"'), "not_utf8"),
        (dumps(REVIEW).replace(b'"A"', b'"\xe9"'), "not_utf8"),
        (dumps({**REVIEW, "asin": None}), "mistyped_field"),
        (dumps({**REVIEW, "asin": 7}), "mistyped_field"),
        (dumps({**REVIEW, "overall": "5"}), "mistyped_field"),
        (dumps({**REVIEW, "unixReviewTime": "yesterday"}), "mistyped_field"),
        (b"null", "mistyped_field"),
        (b"[1, 2]", "mistyped_field"),
        (dumps({**REVIEW, "reviewerID": ""}), "missing_field"),
        (dumps({key: value for key, value in REVIEW.items() if key != "asin"}), "missing_field"),
        (dumps({key: value for key, value in REVIEW.items() if key != "unixReviewTime"}), "missing_field"),
        (dumps({**REVIEW, "overall": 7}), "rating_out_of_range"),
        (dumps({**REVIEW, "overall": 0.5}), "rating_out_of_range"),
        (dumps(REVIEW).replace(b"4.0", b"1e999"), "rating_out_of_range"),
        (dumps({**REVIEW, "unixReviewTime": -1}), "timestamp_out_of_range"),
        (dumps({**REVIEW, "unixReviewTime": 1_400_000_000_000}), "timestamp_out_of_range"),
        (dumps({**REVIEW, "unixReviewTime": 10**30}), "timestamp_out_of_range"),
        (b"", "blank_line"),
        (b" \t\r", "blank_line"),
    ],
)
def test_a_bad_line_is_counted_and_its_neighbours_are_read(tmp_path: Path, line: bytes, cause: str) -> None:
    rows, report = reviews(tmp_path, "2018", [dumps(REVIEW), line, dumps({**REVIEW, "asin": "B"})])
    assert [row["item_id"] for row in rows] == ["A", "B"]
    assert report.dropped == {cause: 1}
    assert (report.lines, report.kept) == (3, 2)
    if cause != "blank_line":
        assert report.examples[0][:2] == (2, cause)


def test_line_numbers_of_bad_lines_count_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.prepare.formats.files.BLOCK_BYTES", 300)
    lines = [dumps(REVIEW)] * 40
    lines[33] = b"bad"
    _, report = reviews(tmp_path, "2018", lines)
    assert report.examples == [(34, "malformed", "bad")]


def test_too_many_bad_lines_stop(tmp_path: Path) -> None:
    lines = [dumps(REVIEW)] * 98 + [b"bad"] * 2
    with pytest.raises(DataError, match=r"2 of 100 \(2 malformed\)"):
        reviews(tmp_path, "2018", lines, max_bad_line_share=0.019)
    rows, _ = reviews(tmp_path, "2018", lines, max_bad_line_share=0.02)
    assert len(rows) == 98


def test_windows_line_ends(tmp_path: Path) -> None:
    rows, report = reviews(tmp_path, "2018", [dumps(REVIEW) + b"\r", dumps(REVIEW) + b"\r"])
    assert len(rows) == 2
    assert report.dropped == {}


def test_metadata_2014_literals(tmp_path: Path) -> None:
    records = [
        {"asin": "A", "title": "Plain", "price": 9.5, "categories": [["CDs", "Rock"], ["Music"]], "imUrl": "u"},
        {"asin": "B", "title": 'Don\'t "quote" me\n', "description": "caf\xe9 \\ 'x'", "categories": [["CDs"]]},
        {"asin": "C", "title": None, "related": {"also_bought": ["A"]}},
    ]
    rows, report = metadata(tmp_path, "2014", [repr(record).encode() for record in records])
    assert report.kept == 3
    assert [row.title for row in rows] == ["Plain", 'Don\'t "quote" me\n', None]
    assert rows[0].categories == [["CDs", "Rock"], ["Music"]]
    assert (rows[0].price, rows[0].image) == (9.5, "u")
    assert rows[1].description == "caf\xe9 \\ 'x'"


def test_metadata_2014_may_be_json(tmp_path: Path) -> None:
    rows, _ = metadata(tmp_path, "2014", [dumps({"asin": "A", "title": 'The "A" isn\'t'})])
    assert rows[0].title == 'The "A" isn\'t'


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b"{'asin': 'X', 'title': ", "malformed"),
        (b"__import__('os').abort()", "malformed"),
        (b"{'asin': open('/etc/passwd').read()}", "malformed"),
        (b"{'asin': 'a' 'b' * 3}", "malformed"),
        (b"(" * 5000, "malformed"),
        (b"{'asin': 'X', 'title': '\\ud800\"'}", "not_utf8"),
        (b"{'asin': 'X', 'title': 'caf\xe9'}", "not_utf8"),
        (b"{'title': \"it's\"}", "missing_field"),
        (b"{'asin': ['X'], 'title': \"it's\"}", "mistyped_field"),
        (b"{'asin': 'X\\x07'}", "invalid_id"),
    ],
)
def test_bad_literals(tmp_path: Path, line: bytes, cause: str) -> None:
    rows, report = metadata(tmp_path, "2014", [b"{'asin': 'A'}", line, b"{'asin': 'B'}"])
    assert [row.item_id for row in rows] == ["A", "B"]
    assert report.dropped == {cause: 1}


def test_metadata_2018(tmp_path: Path) -> None:
    line = {
        "asin": "A", "title": "T", "brand": "B", "category": ["X", "Y"], "price": "$3", "description": ["d", ""],
        "imageURLHighRes": ["u", "v"], "main_cat": "X",
    }  # fmt: skip
    (row,), _ = metadata(tmp_path, "2018", [dumps(line)])
    assert (row.item_id, row.title, row.brand, row.categories, row.price) == ("A", "T", "B", ["X", "Y"], "$3")
    assert (row.description, row.image) == (["d", ""], ["u", "v"])


def test_metadata_2023(tmp_path: Path) -> None:
    line = {
        "parent_asin": "A", "title": "T", "store": "B", "categories": ["X"], "price": 3.5, "description": [],
        "images": [{"thumb": "t", "large": "u", "hi_res": None}], "main_category": "X",
    }  # fmt: skip
    (row,), _ = metadata(tmp_path, "2023", [dumps(line)])
    assert (row.item_id, row.title, row.brand, row.categories, row.price) == ("A", "T", "B", ["X"], 3.5)
    assert row.image == [Picture(large="u")]


META_2014 = b"{'asin': 'A', 'title': \"it's\", 'imUrl': 'u'}"
META_2018 = dumps({"asin": "A", "title": "T", "category": ["X"], "also_buy": []})
META_2023 = dumps({"parent_asin": "A", "title": "T", "store": "S"})


@pytest.mark.parametrize(
    ("kind", "line", "named", "remedy"),
    [
        ("interactions", dumps(REVIEW), "2023", "amazon_2014"),
        ("interactions", dumps(REVIEW_2023), "2018", "amazon_2023"),
        ("interactions", META_2018, "2018", "data.metadata"),
        ("metadata", META_2014, "2018", "amazon_2014"),
        ("metadata", META_2018, "2014", "amazon_2018"),
        ("metadata", META_2018, "2023", "amazon_2018"),
        ("metadata", META_2023, "2018", "amazon_2023"),
        ("metadata", dumps(REVIEW), "2018", "data.interactions"),
    ],
)
def test_another_format_than_named_is_recognised(
    tmp_path: Path, kind: InputKind, line: bytes, named: str, remedy: str
) -> None:
    report = open_file(write(tmp_path / "f", [b"junk", line]), kind)
    with pytest.raises(DataError) as error:
        load_format(f"amazon_{named}").check(report)
    assert remedy in error.value.remedy


@pytest.mark.parametrize(
    ("kind", "line", "named"),
    [
        ("interactions", dumps(REVIEW), "2014"),
        ("interactions", dumps(REVIEW), "2018"),
        ("interactions", dumps(REVIEW_2023), "2023"),
        ("metadata", META_2014, "2014"),
        ("metadata", META_2018, "2018"),
        ("metadata", META_2023, "2023"),
        ("metadata", dumps({"asin": "A", "title": "T"}), "2014"),
        ("metadata", dumps({"asin": "A", "title": "T"}), "2018"),
        ("metadata", b"junk", "2018"),
        ("metadata", b'{"asin": "\xff"}', "2018"),
        ("metadata", b"[" * 100_000, "2018"),
    ],
)
def test_the_format_named_is_accepted(tmp_path: Path, kind: InputKind, line: bytes, named: str) -> None:
    load_format(f"amazon_{named}").check(open_file(write(tmp_path / "f", [line]), kind))


@pytest.mark.parametrize(("codec", "encoding"), [("utf-16", "auto"), ("utf-8-sig", "auto"), ("utf-16-le", "utf-16-le")])
def test_reviews_in_an_archive_and_any_encoding(tmp_path: Path, codec: str, encoding: str) -> None:
    path = tmp_path / "reviews"
    line = json.dumps({**REVIEW, "reviewerID": "Ü"}, ensure_ascii=False) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", line.encode(codec))
        archive.writestr("b.json", gzip.compress(line.encode(codec)))
    report = open_file(path, "interactions")
    report.text = config("2018", encoding=encoding)
    amazon = load_format("amazon_2018")
    amazon.check(report)
    tables = amazon.interactions(report, config("2018"), 0, lambda _: None)
    assert [row["user_id"] for table in tables for row in table.to_pylist()] == ["Ü", "Ü"]
    assert report.dropped == {}


DESCRIBED = {
    "parent_asin": "A", "title": "Game", "features": ["Wooden board", None, "Two players"], "description": [],
    "categories": [], "main_category": "Toys & Games",
    "details": {"Material": "Wood", "Weight": 2, "Rank": {"Toys": 7}, "Color": ""},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "description", "categories"),
    [
        ({}, ["Wooden board", "Two players", "Material: Wood", "Weight: 2"], ["Toys & Games"]),
        ({"details": '{"Material": "Wood"}'}, ["Wooden board", "Two players", "Material: Wood"], ["Toys & Games"]),
        ({"details": "none", "features": None, "description": ["Old", "new"]}, ["Old", "new"], ["Toys & Games"]),
        ({"details": [], "features": 5, "main_category": None}, [], []),
        ({"details": None, "features": "One", "categories": ["Toys", "Games"]}, ["One"], ["Toys", "Games"]),
        ({"details": {}, "features": [], "categories": None, "description": "Text"}, ["Text"], ["Toys & Games"]),
        ({"details": {}, "features": [], "images": {"hi_res": ["u"]}}, [], ["Toys & Games"]),
    ],
)
def test_metadata_2023_says_what_an_item_is_in_further_fields(
    tmp_path: Path, changes: dict[str, Any], description: list[str], categories: list[str]
) -> None:
    (row,), report = metadata(tmp_path, "2023", [dumps(DESCRIBED | changes)])
    assert (row.description, row.categories) == (description, categories)
    assert report.kept == 1
    assert report.left_out == ({"image_not_understood": 1} if "images" in changes else {})


def test_a_further_field_may_be_an_attribute_too(tmp_path: Path) -> None:
    report = open_file(write(tmp_path / "meta", [dumps(DESCRIBED)]), "metadata")
    settings = config("2023", metadata=["meta"], attributes={"department": {"type": "text", "column": "main_category"}})
    ((row,),) = load_format("amazon_2023").items(report, settings, lambda _: None)
    assert (row.attribute_department, row.categories) == ("Toys & Games", ["Toys & Games"])
