"""Amazon's ratings alone: CSV of user, item, rating and time, which each edition offers beside its reviews.

The files of 2014 and 2018 have no first line of names. Those of 2014 hold user, item, rating and time; of 2018 the page
says item, user, rating and time, and files in either order are about. So the ids tell: those of items are ASINs, those
of users are not. Files of 2023 name their columns, and have times in milliseconds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from recsys.core.errors import DataError
from recsys.prepare import columns as c
from recsys.prepare.formats.base import OnBytes
from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.event_checks import checked_tables
from recsys.prepare.formats.files import head_lines
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.settings import DataConfig

# What first lines call the columns, in small letters; of several the first counts.
_NAMES: Final = {
    c.USER_ID: ("user_id", "reviewerid", "userid"),
    c.ITEM_ID: ("parent_asin", "asin", "item_id", "productid"),
    c.RATING: ("rating", "overall"),
    c.TIMESTAMP: ("timestamp", "unixreviewtime"),
}
_WANTED: Final = (c.USER_ID, c.ITEM_ID, c.TIMESTAMP)
_ASIN: Final = re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]")
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")
_MOST, _FEWEST = 0.9, 0.1  # shares of ids that look like ASINs
_HEAD_ROWS: Final = 1000


class _Table(NamedTuple):
    """What the columns of a file are.

    Attributes:
        columns: name in the file -> ours.
        header: the names, where the first line has none.
    """

    columns: Mapping[str, str]
    header: Sequence[str] | None


def rating_tables(report: InputReport, config: DataConfig, first_seq: int, on_bytes: OnBytes) -> Iterator[pa.Table]:
    """Yield a file of ratings, see `Format.interactions`."""
    table = check_ratings(report)
    rows = DelimitedRows(report, header=table.header)
    batches = rows.read(table.columns, config.allow_truncated, on_bytes)
    yield from checked_tables(rows, batches, config, {"review": 1.0}, first_seq)


def check_ratings(report: InputReport) -> _Table:
    """What the columns of a file are, by its first lines.

    Raises:
        DataError: they are not user, item, rating and time, or cannot be told.
    """
    lines = [line.decode("utf-8-sig", "replace") for line in head_lines(report.path, _HEAD_ROWS, report.text.encoding)]
    first, *others = [row for row in csv.reader(lines) if row] or [[]]
    if columns := _named(first):
        return _Table(columns, None)
    rows = [row for row in (first, *others) if len(row) == len(_NAMES)]
    if len(first) != len(_NAMES) or not all(_NUMBER.fullmatch(text) for text in first[2:]):
        raise _refusal(report, f"the first line {','.join(first)[:100]!r}")
    shares = [sum(bool(_ASIN.fullmatch(row[place])) for row in rows) / len(rows) for place in (0, 1)]
    if min(shares) > _FEWEST or max(shares) < _MOST:
        told = " and ".join(f"{share:.0%}" for share in shares)
        raise _refusal(report, f"first and second columns of which {told} look like the ids of Amazon's items")
    ids = (c.ITEM_ID, c.USER_ID) if shares[0] > shares[1] else (c.USER_ID, c.ITEM_ID)
    header = (*ids, c.RATING, c.TIMESTAMP)
    report.assume(f"columns without names: {', '.join(header)}")
    return _Table({name: name for name in header}, header)


def _named(first: Sequence[str]) -> dict[str, str]:
    """The columns by their names; empty if a wanted one is missing."""
    names = {name.strip().casefold(): name.strip() for name in first}
    found = {ours: next((names[name] for name in known if name in names), None) for ours, known in _NAMES.items()}
    if any(found[ours] is None for ours in _WANTED):
        return {}
    return {theirs: ours for ours, theirs in found.items() if theirs is not None}


def _refusal(report: InputReport, got: str) -> DataError:
    return DataError(
        f"reviews in JSON lines, or ratings alone as CSV (user, item, rating, time), in {report.path}",
        got,
        "set data.format: events and data.header: [user_id, item_id, rating, timestamp] in the order of the columns, "
        "or name the reviews in JSON lines",
    )
