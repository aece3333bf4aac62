import datetime as dt
import gzip
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.errors import DataError
from recsys.prepare.formats.events import check, event_tables
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import HARMLESS, InputReport
from recsys.prepare.settings import DataConfig

T = 1_400_000_000
HEADER = "user_id,item_id,event_type,timestamp,rating,price,quantity"


def read(path: Path, **changes: Any) -> tuple[list[dict[str, Any]], InputReport]:
    settings = {"format": "events", "interactions": [path], "max_bad_line_share": 1.0, "earliest_year": 1970, **changes}
    config = DataConfig.model_validate(settings)
    report = open_file(path, "interactions")
    seen: list[int] = []
    tables = event_tables(report, config, 0, seen.append)
    rows = [row for table in tables for row in table.to_pylist()]
    assert sum(seen) == path.stat().st_size
    return rows, report


def write(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "events.csv"
    path.write_text("\n".join((header, *lines)) + "\n", "utf8")
    return path


def test_csv(tmp_path: Path) -> None:
    rows, report = read(
        write(tmp_path, "u,a,view,1400000000,,,", "u,b,purchase,1400000001,4.5,9.99,2", '"Ü, ""x""",c,click,7,,,')
    )
    assert [(row["user_id"], row["item_id"], row["timestamp"], row["weight"]) for row in rows] == [
        ("u", "a", 1_400_000_000, 1.0),
        ("u", "b", 1_400_000_001, 5.0),
        ('Ü, "x"', "c", 7, 2.0),
    ]
    assert [row["rating"] for row in rows] == [None, 4.5, None]
    assert [row["quantity"] for row in rows] == [None, 2.0, None]
    assert rows[1]["price"] == pytest.approx(9.99)
    assert [row["seq"] for row in rows] == sorted({row["seq"] for row in rows})
    assert (report.lines, report.kept) == (3, 3)


def test_columns_in_any_order_and_others_ignored(tmp_path: Path) -> None:
    path = write(tmp_path, "x,9,view,a,u", header="session,timestamp,event_type,item_id,user_id")
    (row,), _ = read(path)
    assert (row["user_id"], row["item_id"], row["timestamp"], row["rating"]) == ("u", "a", 9, None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_everything_in_quotes(tmp_path: Path, delimiter: str, line_end: str, encoding: str) -> None:
    rows = [HEADER.split(","), ["u", "a", "view", "9", "", "", ""]]
    lines = [delimiter.join(f'"{value}"' for value in row) for row in rows]
    path = tmp_path / "events.csv"
    path.write_bytes(line_end.join([*lines, ""]).encode(encoding))
    check(open_file(path, "interactions"))
    (row,), _ = read(path)
    assert (row["user_id"], row["item_id"]) == ("u", "a")


def test_gzip_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + HEADER.encode() + b"\r\nu,a,view,9,,,\r\n"))
    check(open_file(path, "interactions"))
    (row,), report = read(path)
    assert (row["user_id"], row["timestamp"]) == ("u", 9)
    assert len(report.sha256) == 64


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1400000000", 1_400_000_000),
        ("1400000000.9", 1_400_000_000),
        ("2014-05-13", 1_399_939_200),
        ("2014-05-13 16:53:20", 1_400_000_000),
        ("2014-05-13T16:53:20Z", 1_400_000_000),
        ("2014-05-13T18:53:20+02:00", 1_400_000_000),
        ("2014-05-13T16:53:20.75", 1_400_000_000),
    ],
)
def test_timestamps(tmp_path: Path, text: str, seconds: int) -> None:
    (row,), _ = read(write(tmp_path, f"u,a,view,{text},,,"))
    assert row["timestamp"] == seconds


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("u,a,view", "malformed"),
        ("u,a,view,9,,,,,extra", "malformed"),
        (",a,view,9,,,", "missing_field"),
        ("u,,view,9,,,", "missing_field"),
        ("u,a,,9,,,", "missing_field"),
        ("u,a,view,,,,", "missing_field"),
        ("u,a,view,soon,,,", "mistyped_field"),
        ("u,a,view,inf,,,", "mistyped_field"),
        ("u,a,view,infinity,,,", "mistyped_field"),
        ("u,a,view,1e400,,,", "mistyped_field"),
        ("u,a,view,9,good,,", "mistyped_field"),
        ("u,a,view,9,,cheap,", "mistyped_field"),
        ("u,a,view,9,,,many", "mistyped_field"),
        ("u,a,view,9,,-1,", "amount_out_of_range"),
        ("u,a,view,9,,1e10,", "amount_out_of_range"),
        ("u,a,view,9,,,-2e9", "amount_out_of_range"),
        ("u\x07,a,view,9,,,", "invalid_id"),
        (f"u,{'a' * 513},view,9,,,", "invalid_id"),
        ("u,a,view,0,,,", "missing_time"),
        ("u,a,view,2199-01-01,,,", "time_in_future"),
        ("u,a,view,-9,,,", "timestamp_out_of_range"),
        ("u,a,view,1400000000000,,,", "timestamp_out_of_range"),
        ("u,a,view,9,7,,", "rating_out_of_range"),
        ("u,a,view,9,0,,", "rating_out_of_range"),
        ("u,a,teleport,9,,,", "unknown_event_type"),
    ],
)
def test_a_bad_row_is_counted_and_its_neighbours_are_read(tmp_path: Path, line: str, cause: str) -> None:
    rows, report = read(write(tmp_path, f"u,a,view,{T},,,", f"u,b,view,{T},,,", line, f"u,c,view,{T},,,"))
    assert [row["item_id"] for row in rows] == ["a", "b", "c"]
    assert report.dropped == {cause: 1}
    assert report.lines == 4
    assert [example[:2] for example in report.examples] == ([(4, cause)] if cause not in HARMLESS else [])


def test_line_numbers_account_for_rows_skipped_before(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    lines = [HEADER, "u,a,view,1,,,", "short", "u,b,view,2,,,", "u\xff,b,view,2,,,", "u,c,view,soon,,,"]
    path.write_bytes("\n".join(lines).encode("latin-1"))
    rows, report = read(path)
    assert [row["item_id"] for row in rows] == ["a", "b"]
    assert {cause: number for number, cause, _ in report.examples} == {
        "malformed": 3,
        "not_utf8": 5,
        "mistyped_field": 6,
    }
    assert (report.lines, report.kept) == (5, 2)


def test_weights_come_from_the_config(tmp_path: Path) -> None:
    path = write(tmp_path, "u,a,wish,1,,,", "u,b,view,1,,,")
    rows, report = read(path, event_weights={"wish": 0.5})
    assert [row["weight"] for row in rows] == [0.5]
    assert report.dropped == {"unknown_event_type": 1}


def test_what_is_told_of_lists_is_counted_and_is_no_bad_row(tmp_path: Path) -> None:
    told = ["u,a,Impression,2,,,", "u,a,explanation_open,3,,,", "u,,explanation_feedback,x,,,", "u,b,shown,5,,,"]
    path = write(tmp_path, "u,a,view,1,,,", *told * 50, "u,b,view,6,,,")
    rows, report = read(path, event_types={"shown": "impression"}, max_bad_line_share=0.0)
    assert [row["item_id"] for row in rows] == ["a", "b"]
    assert (report.dropped, report.bad) == ({"list_event": 200}, 0)


def test_what_is_told_of_lists_has_no_weight(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="event_weights has impression, which is told of lists"):
        read(write(tmp_path, "u,a,view,1,,,"), event_weights={"view": 1.0, "Impression": 0.1})


def test_too_many_bad_rows_stop(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 4 \(1 unknown_event_type\)"):
        read(write(tmp_path, *["u,a,view,1,,,"] * 3, "u,a,fly,1,,,"), max_bad_line_share=0.2)


def test_parquet_of_typed_columns(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    times = [dt.datetime(2014, 5, 13, 16, 53, 20, 900_000), None, dt.datetime(2014, 5, 14)]
    pq.write_table(
        pa.table(
            {
                "user_id": pa.array([1, 2, 3], pa.int64()),
                "item_id": pa.array(["a", "b", "c"]).dictionary_encode(),
                "event_type": ["view", "click", "purchase"],
                "timestamp": pa.array(times, pa.timestamp("ns")),
                "rating": pa.array([float("nan"), 3.0, 4.0], pa.float64()),
                "other": [1, 2, 3],
            }
        ),
        path,
    )
    check(open_file(path, "interactions"))
    rows, report = read(path)
    assert [(row["user_id"], row["item_id"], row["timestamp"], row["rating"]) for row in rows] == [
        ("1", "a", 1_400_000_000, None),
        ("3", "c", 1_400_025_600, 4.0),
    ]
    assert report.dropped == {"missing_field": 1}
    assert len(report.sha256) == 64


def test_damaged_parquet(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(DataError, match="sound Parquet"):
        check(open_file(tmp_path / "events.parquet", "interactions"))


@pytest.mark.parametrize("content", ["user_id,item_id,event_type\nu,a,view\n", '{"user_id": "u"}\n'])
def test_missing_columns(tmp_path: Path, content: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(content)
    with pytest.raises(DataError, match="timestamp"):
        check(open_file(path, "interactions"))


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="header alone"):
        read(write(tmp_path))


def test_truncated_gzip_of_events(tmp_path: Path) -> None:
    lines = "\n".join([HEADER, *(f"u{n},a{n * 7919 % 10007},view,{n + 1},,," for n in range(5000))])
    stored = gzip.compress(lines.encode())
    path = tmp_path / "events.csv.gz"
    path.write_bytes(stored[: len(stored) * 3 // 4])
    with pytest.raises(DataError, match="--allow-truncated"):
        read(path)
    rows, report = read(path, allow_truncated=True)
    assert 0 < len(rows) < 5000
    assert [row["timestamp"] for row in rows] == list(range(1, len(rows) + 1))
    assert report.truncated


def test_what_else_is_packed_with_a_log_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.csv", HEADER + "\nu,a,view,9,,,\n")
        archive.writestr("README.txt", "Events of the shop.\n")
    with pytest.raises(DataError, match=r"README\.txt") as error:
        check(open_file(path, "interactions"))
    assert "unpack the archive" in error.value.remedy


def test_numbers_that_order_events_are_taken_as_they_are(tmp_path: Path) -> None:
    times = ["3", "0", "20140513", "7.0", " 8 ", "5000000000", "", "-1", "2020-09-13", "1.5", "9" * 12]
    path = write(tmp_path, *(f"u,a{n},view,{time},,," for n, time in enumerate(times)))
    rows, report = read(path, time_unit="order", earliest_year=1990)
    assert [row["timestamp"] for row in rows] == [3, 0, 20_140_513, 7, 8, 5_000_000_000]
    assert report.dropped == {"missing_field": 1, "mistyped_field": 3, "timestamp_out_of_range": 1}
