"""Rows of one order, of which the first alone says who bought, when, and in which state the order is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.types import Int64Array
from recsys.prepare import columns as c
from recsys.prepare.formats.column_texts import as_mask
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.mapping_settings import GROUP

SHARED = (c.USER_ID, c.EVENT_TYPE, c.TIMESTAMP)


def with_shared_values(batches: Iterator[pa.Table], report: InputReport) -> Iterator[pa.Table]:
    """Yield tables of strings whose rows have user, type and time of the rows before that share their `GROUP`.

    Only rows that stand one behind the other are one group; a row that has a value of its own keeps it. The column
    `GROUP` is left out. Tables without one are yielded as they are.

    Args:
        batches: tables in the order of the file; rows may go on in the next one.
        report: of the input, which is told how many rows were completed.
    """
    last: dict[str, Any] = {}
    completed = 0
    for batch in batches:
        if GROUP not in batch.column_names or not len(batch):
            yield batch
            continue
        names = [GROUP, *(name for name in SHARED if name in batch.column_names)]
        before = pa.table({name: pa.array([last.get(name)], pa.string()) for name in names})
        rows = pa.concat_tables([before, batch.select(names)])
        whole = _completed(rows)
        completed += _count_completed(rows, whole)
        last = whole.slice(len(whole) - 1).to_pylist()[0]
        yield _replaced(batch, whole.slice(1)).drop_columns([GROUP])
    if completed:
        report.remark("rows with user, type or time of the row before, of the same group", completed)


def _completed(rows: pa.Table) -> pa.Table:
    starts = group_starts(rows[GROUP])
    return pa.table({name: rows[name] if name == GROUP else filled(rows[name], starts) for name in rows.column_names})


def _count_completed(rows: pa.Table, whole: pa.Table) -> int:
    changed = np.zeros(len(rows), np.bool_)
    for name in rows.column_names:
        changed |= as_mask(pc.is_null(rows[name])) & as_mask(pc.is_valid(whole[name]))
    return int(changed.sum())


def _replaced(batch: pa.Table, columns: pa.Table) -> pa.Table:
    """A table with other values in some of its columns."""
    return pa.table({name: (columns if name in columns.column_names else batch)[name] for name in batch.column_names})


def group_starts(groups: pa.ChunkedArray) -> Int64Array:
    """For each row that at which its group starts; rows without a group are groups of their own."""
    codes = groups.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    is_start = np.r_[True, (codes[1:] != codes[:-1]) | (codes[1:] < 0)]
    return np.maximum.accumulate(np.where(is_start, np.arange(len(codes)), 0))


def filled(values: pa.ChunkedArray, starts: Int64Array) -> pa.ChunkedArray:
    """Values, where there is none the last before it within the group."""
    here = np.arange(len(values))
    latest = np.maximum.accumulate(np.where(as_mask(pc.is_valid(values)), here, -1))
    return values.take(pa.array(np.where(latest >= starts, latest, here)))
