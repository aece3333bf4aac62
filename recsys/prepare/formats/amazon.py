"""Amazon's review data of 2014, 2018 and 2023: reviews and item metadata in JSON lines, or ratings alone as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from recsys.prepare import columns as c
from recsys.prepare.formats.amazon_ratings import check_ratings, rating_tables
from recsys.prepare.formats.amazon_texts import described_items
from recsys.prepare.formats.base import Format, OnBytes, RawItem
from recsys.prepare.formats.evident import evident_kind
from recsys.prepare.formats.json_lines import raw_items, read_records
from recsys.prepare.formats.layouts import LAYOUTS, check_layout, head_fields, review_type
from recsys.prepare.formats.plausible_times import PlausibleTimes
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

Items = Callable[[InputReport, DataConfig, OnBytes], Iterator[list[RawItem]]]


def review_tables(
    layout_name: str, report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes
) -> Iterator[pa.Table]:
    """Yield a review file of one edition, or one of ratings alone, see `Format.interactions`."""
    if is_ratings_table(report):
        yield from rating_tables(report, config, first_seq, on_bytes)
        return
    layout = LAYOUTS[layout_name]
    seq, plausible = first_seq, PlausibleTimes(report, config)
    for reviews in read_records(report, config, review_type(layout, config.rating_range), on_bytes):
        table = pa.table(
            {
                c.USER_ID: pa.array([review.user_id for review in reviews], pa.string()),
                c.ITEM_ID: pa.array([review.item_id for review in reviews], pa.string()),
                c.TIMESTAMP: pa.array([review.timestamp // layout.ticks for review in reviews], pa.int64()),
                c.RATING: pa.array([review.rating for review in reviews], pa.float32()),
                c.SEQ: pa.array(np.arange(seq, seq + len(reviews))),
            }
        )
        seq += len(reviews)
        yield _of_plausible_times(table, report, plausible)
    report.check_times()


def _of_plausible_times(table: pa.Table, report: InputReport, plausible: PlausibleTimes) -> pa.Table:
    """The rows whose times can be right; the others are counted."""
    dropped = np.zeros(len(table), bool)
    for cause, rows in plausible.faults(table[c.TIMESTAMP].to_numpy()).items():
        if rows.any():
            report.dropped[cause] += int(rows.sum())
            dropped |= rows
    return table.filter(pa.array(~dropped)) if dropped.any() else table


def check(layout_name: str, report: InputReport) -> None:
    """Stop when a file is evidently of another edition or kind; see `Format.check`."""
    if report.kind == "interactions" and is_ratings_table(report):
        check_ratings(report)
    else:
        check_layout(report, layout_name)


def is_ratings_table(report: InputReport) -> bool:
    """Whether a file is delimited text."""
    return evident_kind(report.path, report.text.encoding) == "delimited text"


def _edition(layout_name: str, items: Items | None = None) -> Format:
    return Format(
        check=partial(check, layout_name),
        interactions=partial(review_tables, layout_name),
        items=items or partial(raw_items, layout_name),
        item_fields=head_fields,
    )


AMAZON_2014, AMAZON_2018 = map(_edition, ("amazon_2014", "amazon_2018"))
AMAZON_2023 = _edition("amazon_2023", described_items)
