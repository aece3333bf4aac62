"""Amazon's ratings alone, as CSV: in either order of columns, with names or without."""

from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import DataError
from recsys.prepare.formats.base import load_format
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

USERS = ("A2SUAM1J3GNN3B", "A1V6B6TNIC10QE", "AHQI3BMUWIGMN")
ITEMS = ("B00ABCDEF1", "0000013714", "043935936X")
ROWS = [(USERS[n % 3], ITEMS[n // 3 % 3], f"{1 + n % 5}.0", 1_400_000_000 + 86_400 * n) for n in range(9)]


def read(tmp_path: Path, edition: str, text: str) -> tuple[list[dict[str, Any]], InputReport]:
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    config = DataConfig.model_validate({"format": f"amazon_{edition}", "interactions": [path]})
    report = open_file(path, "interactions")
    report.text = report.mapping = config
    amazon = load_format(f"amazon_{edition}")
    amazon.check(report)
    return [
        row for table in amazon.interactions(report, config, 7, lambda _: None) for row in table.to_pylist()
    ], report


def text_of(order: tuple[int, ...], header: str = "", ticks: int = 1) -> str:
    rows = [(*row[:3], row[3] * ticks) for row in ROWS]
    return header + "".join(",".join(str(row[place]) for place in order) + "\n" for row in rows)


USER_FIRST, ITEM_FIRST = (0, 1, 2, 3), (1, 0, 2, 3)


@pytest.mark.parametrize(
    ("edition", "text", "ticks_as"),
    [
        ("2014", text_of(USER_FIRST), "seconds"),
        ("2014", text_of(ITEM_FIRST), "seconds"),
        ("2018", text_of(ITEM_FIRST), "seconds"),
        ("2018", text_of(USER_FIRST), "seconds"),
        ("2014", text_of(USER_FIRST, "UserId,ProductId,Rating,Timestamp\n"), "seconds"),
        ("2018", text_of(ITEM_FIRST, "asin,reviewerID,overall,unixReviewTime\n"), "seconds"),
        ("2023", text_of(USER_FIRST, "user_id,parent_asin,rating,timestamp\n", 1000), "milliseconds"),
        ("2023", text_of(USER_FIRST, "user_id,item_id,rating,timestamp\n", 1000), "milliseconds"),
    ],
)
def test_ratings_are_read(tmp_path: Path, edition: str, text: str, ticks_as: str) -> None:
    rows, report = read(tmp_path, edition, text)
    fields = ("user_id", "item_id", "rating", "timestamp")
    assert [tuple(row[name] for name in fields) for row in rows] == [
        (user, item, float(rating), time) for user, item, rating, time in ROWS
    ]
    assert [row["seq"] for row in rows] == list(range(7, 16))
    assert {row["weight"] for row in rows} == {1.0}
    assert report.read_as == f"{ticks_as} since 1970"


def test_the_columns_of_a_file_without_names_are_told(tmp_path: Path) -> None:
    _, report = read(tmp_path, "2018", text_of(ITEM_FIRST))
    assert report.assumed == ["columns without names: item_id, user_id, rating, timestamp"]


@pytest.mark.parametrize(
    "text",
    [
        "B00ABCDEF1,B00ABCDEF2,3.0,1400000000\n",  # both look like items
        "u1,i1,3.0,1400000000\n",  # neither does
        "A2SUAM1J3GNN3B,B00ABCDEF1,1400000000\n",
        "A2SUAM1J3GNN3B,B00ABCDEF1,good,1400000000\n",
        "user_id,parent_asin,rating\nA,B,3\n",
    ],
)
def test_what_is_unclear_is_refused_with_what_helps(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"ratings alone as CSV(.|\n)*data.header"):
        read(tmp_path, "2018", text)


def test_bad_lines_are_counted(tmp_path: Path) -> None:
    rows, report = read(tmp_path, "2018", text_of(USER_FIRST) * 30 + f"{USERS[0]},{ITEMS[0]},9.0,1400000000\n")
    assert len(rows) == 270
    assert report.dropped == {"rating_out_of_range": 1}
