"""Rows of one order have its user, type and time, where the first alone says them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.prepare.formats.events import check, event_tables
from recsys.prepare.formats.files import open_file
from recsys.prepare.formats.grouped_rows import with_shared_values
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

NAMES = ("group", "user_id", "event_type", "timestamp")
values = st.none() | st.sampled_from("abc")
tables = st.lists(st.tuples(values, values, values, values), max_size=12)


def filled_by_hand(rows: list[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    """Row by row, each looking at the one before it."""
    came: list[tuple[str | None, ...]] = []
    for row in rows:
        before = came[-1] if came and row[0] is not None and came[-1][0] == row[0] else row
        came.append((row[0], *(own or other for own, other in zip(row[1:], before[1:], strict=True))))
    return came


@settings(deadline=None)
@given(rows=tables, cuts=st.lists(st.integers(0, 12), max_size=3))
def test_each_row_has_what_its_group_said_before_it(rows: list[tuple[str | None, ...]], cuts: list[int]) -> None:
    columns = {name: pa.array([row[n] for row in rows], pa.string()) for n, name in enumerate(NAMES)}
    table = pa.table({**columns, "item_id": pa.array([str(n) for n in range(len(rows))], pa.string())})
    ends = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    report = InputReport(Path(), "interactions")
    came = list(with_shared_values((table.slice(a, b - a) for a, b in pairwise(ends)), report))
    got = [row for batch in came for row in batch.to_pylist()]
    wanted = filled_by_hand(rows)
    assert [tuple(row[name] for name in NAMES[1:]) for row in got] == [row[1:] for row in wanted]
    assert [row["item_id"] for row in got] == [str(n) for n in range(len(rows))]
    assert sum(report.remarks.values()) == sum(a != b for a, b in zip(rows, wanted, strict=True))


def read(path: Path, **said: Any) -> tuple[list[dict[str, Any]], InputReport]:
    config = DataConfig.model_validate({"format": "events", "interactions": [path], **said})
    report = open_file(path, "interactions")
    report.text = report.mapping = config
    check(report)
    return [row for table in event_tables(report, config, 0, lambda _: None) for row in table.to_pylist()], report


SHOPIFY = """Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem price,Lineitem sku
#1,ann@x.org,paid,2023-11-14 22:13:20 +0000,1,5.00,A
#1,,,,2,6.00,B
#2,bob@x.org,paid,2023-11-15 22:13:20 +0000,1,5.00,A
#3,,paid,2023-11-16 22:13:20 +0000,1,5.00,A
"""


@pytest.mark.parametrize("named", [{}, {"columns": {"group": "name"}}], ids=["as a known log", "named"])
def test_orders_of_several_lines(tmp_path: Path, named: dict[str, Any]) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(SHOPIFY, "utf8")
    rows, report = read(path, max_bad_line_share=0.5, **named)
    assert [(row["user_id"], row["item_id"], row["timestamp"], row["price"]) for row in rows] == [
        ("ann@x.org", "A", 1_700_000_000, 5.0),
        ("ann@x.org", "B", 1_700_000_000, 6.0),
        ("bob@x.org", "A", 1_700_086_400, 5.0),
    ]
    assert report.dropped == {"missing_field": 1}  # order 3 is of nobody, and of nobody else's


def test_a_column_that_happens_to_be_called_group_completes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user_id,item_id,event_type,timestamp,group\nu,i,view,1700000000,A\n,j,view,1700000001,A\n", "utf8")
    rows, report = read(path, max_bad_line_share=0.5)
    assert [row["item_id"] for row in rows] == ["i"]
    assert report.dropped == {"missing_field": 1}
