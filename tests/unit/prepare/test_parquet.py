"""Parquet files of events: what their columns may be, and that a type leaves nothing to guess."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.errors import DataError
from recsys.prepare.formats.events import check, event_tables
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

SEND = 1_400_000_000
COLUMNS: dict[str, Any] = {"user_id": ["u"], "item_id": ["i"], "event_type": ["view"], "timestamp": [SEND]}


def write(tmp_path: Path, **columns: Any) -> Path:
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({**COLUMNS, **columns}), path)
    return path


def read(path: Path, **settings: Any) -> tuple[list[dict[str, Any]], InputReport]:
    config = DataConfig.model_validate(
        {"format": "events", "interactions": [path], "max_bad_line_share": 1.0, **settings}
    )
    check(open_file(path, "interactions"))
    report = open_file(path, "interactions")
    tables = list(event_tables(report, config, 0, lambda _: None))
    return [row for table in tables for row in table.to_pylist()], report


@pytest.mark.parametrize(
    "times",
    [
        pa.array([SEND], pa.int64()),
        pa.array([SEND], pa.uint32()),
        pa.array([SEND * 1000 + 999], pa.int64()),
        pa.array([SEND * 10**6], pa.int64()),
        pa.array([SEND * 10**9 + 1], pa.int64()),
        pa.array([SEND + 0.75], pa.float64()),
        pa.array([SEND * 1000.0], pa.float64()),
        pa.array([Decimal(SEND)], pa.decimal128(20, 2)),
        pa.array([dt.datetime(2014, 5, 13, 16, 53, 20, 900_000)], pa.timestamp("ms")),
        pa.array([SEND * 10**9 + 7], pa.timestamp("ns", "Europe/Paris")),
        pa.array(["2014-05-13T18:53:20+02:00"]),
        pa.array(["2014-05-13T16:53:20Z"]).dictionary_encode(),
        pa.array([b"1400000000"], pa.binary()),
    ],
)
def test_times(tmp_path: Path, times: pa.Array) -> None:
    (row,), _ = read(write(tmp_path, timestamp=times))
    assert row["timestamp"] == SEND


def test_times_without_a_zone_are_in_that_of_the_settings(tmp_path: Path) -> None:
    naive = pa.array([dt.datetime(2014, 5, 13, 18, 53, 20)], pa.timestamp("us"))
    (row,), _ = read(write(tmp_path, timestamp=naive), time_zone="Europe/Paris")
    assert row["timestamp"] == SEND
    (row,), _ = read(write(tmp_path, timestamp=pa.array([dt.date(2014, 5, 13)])), time_zone="Europe/Paris")
    assert row["timestamp"] == 1_399_932_000
    aware = pa.array([dt.datetime(2014, 5, 13, 16, 53, 20)], pa.timestamp("us", "UTC"))
    (row,), _ = read(write(tmp_path, timestamp=aware), time_zone="Europe/Paris")
    assert row["timestamp"] == SEND


def test_a_typed_time_is_in_no_other_unit_and_no_days_of_a_spreadsheet(tmp_path: Path) -> None:
    times = pa.array([dt.datetime(1970, 1, 1, 11, 36, 12)], pa.timestamp("us"))
    (row,), _ = read(write(tmp_path, timestamp=times), earliest_year=1970, time_unit="ms")
    assert row["timestamp"] == 41_772


def test_typed_times_of_long_ago_and_far_ahead(tmp_path: Path) -> None:
    times = [dt.datetime(1, 1, 1), dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(9999, 12, 31)]
    for moment, cause in zip(times, ["time_too_early", "time_too_early", "time_in_future"], strict=True):
        with pytest.raises(DataError, match=f"1 {cause} of 1"):
            read(write(tmp_path, timestamp=pa.array([moment], pa.timestamp("us"))))


def test_numbers_of_a_type_have_a_point_whatever_the_setting(tmp_path: Path) -> None:
    path = write(tmp_path, price=pa.array([1.299]), quantity=pa.array([2], pa.int8()), rating=[Decimal("4.5")])
    for decimal in ("auto", ",", "."):
        (row,), report = read(path, decimal=decimal)
        assert (row["price"], row["quantity"], row["rating"]) == (pytest.approx(1.299), 2.0, 4.5)
        assert not report.remarks


@pytest.mark.parametrize(
    ("ids", "read_as"),
    [
        (pa.array([13085], pa.int64()), "13085"),
        (pa.array([2**63 + 11], pa.uint64()), "9223372036854775819"),
        (pa.array([13085.0]), "13085"),
        (pa.array([Decimal(13085)], pa.decimal128(38, 10)), "13085"),
        (pa.array(["007"]).dictionary_encode(), "007"),
        (pa.array([" 7 "], pa.large_string()), "7"),
        (pa.array([b"7"], pa.binary()), "7"),
    ],
)
def test_ids(tmp_path: Path, ids: pa.Array, read_as: str) -> None:
    (row,), _ = read(write(tmp_path, item_id=ids, user_id=ids))
    assert (row["user_id"], row["item_id"]) == (read_as, read_as)


def test_event_types_of_other_types(tmp_path: Path) -> None:
    (row,), _ = read(write(tmp_path, event_type=pa.array([4])), event_weights={1: 1.0, 4: 5.0})
    assert (row["event_type"], row["weight"]) == ("4", 5.0)
    (row,), _ = read(write(tmp_path, event_type=pa.array([4.0])), event_weights={1: 1.0, 4: 5.0})
    assert row["weight"] == 5.0
    rows, report = read(write(tmp_path, event_type=pa.array([True])))
    assert (rows, report.dropped) == ([], {"unknown_event_type": 1})
    assert "got 'true'" in report.explanations["event_type"]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("item_id", pa.array([["i"]]), "list<"),
        ("user_id", pa.array([{"id": "u"}]), "struct<"),
        ("user_id", pa.array([True]), "bool"),
        ("timestamp", pa.array([dt.time(12, 0)]), "time64"),
        ("timestamp", pa.array([1.5e9], pa.float32()), "float"),
        ("price", pa.array([dt.date(2014, 5, 13)]), "date32"),
        ("rating", pa.array([True]), "bool"),
        ("event_type", pa.array([dt.date(2014, 5, 13)]), "date32"),
        ("quantity", pa.array([[1]]), "list<"),
    ],
)
def test_columns_that_hold_no_values_are_named(tmp_path: Path, name: str, values: pa.Array, kind: str) -> None:
    with pytest.raises(DataError) as refused:
        check(open_file(write(tmp_path, **{name: values}), "interactions"))
    assert name in refused.value.expected
    assert kind in refused.value.got


def test_a_column_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    table = pa.table(COLUMNS).append_column("item_id", pa.array(["j"]))
    pq.write_table(table, path)
    with pytest.raises(DataError, match="item_id 2 times"):
        check(open_file(path, "interactions"))


def test_what_holds_several_values_names_the_path_of_one(tmp_path: Path) -> None:
    path = write(tmp_path, item_id=[[{"of": {"sku": "a"}}]])
    with pytest.raises(DataError, match=r'{item_id: "item_id\[\].of.sku"}'):
        check(open_file(path, "interactions"))


def test_rows_of_an_empty_list_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    items = pa.array([["a", "b"], [], None, ["c"]], pa.list_(pa.string()))
    others = {"user_id": list("uvwx"), "event_type": ["view"] * 4, "timestamp": [1_600_000_000] * 4}
    pq.write_table(pa.table({**others, "items": items}), path)
    config = DataConfig.model_validate({"format": "events", "interactions": [path], "columns": {"item_id": "items[]"}})
    report = open_file(path, "interactions")
    rows = [row for table in event_tables(report, config, 0, lambda _: None) for row in table.to_pylist()]
    assert [(row["user_id"], row["item_id"]) for row in rows] == [("u", "a"), ("u", "b"), ("x", "c")]
    assert (report.lines, dict(report.dropped)) == (5, {"no_entries": 2})
