"""Lines of orders of which the first alone says who bought, and when: found, and completed as a preparation does it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.types import Int64Array
from recsys.inspect.samples import Sample
from recsys.inspect.words import EVENT_COLUMNS, likeness
from recsys.prepare.formats.column_texts import as_mask
from recsys.prepare.formats.grouped_rows import filled, group_starts

# Of an order's number, whose name is often `Name`, `Order` or `Id`.
_NUMBERS: Final = re.compile(
    r"order|invoice|transact|receipt|basket|bestell|auftrag|commande|pedido|заказ|^(?:name|id)$"
)
_OF_ORDER: Final = ("user_id", "timestamp")


def completed(sample: Sample) -> tuple[Sample, str]:
    """A sample whose lines of orders all say what their order's first line says, and the column of the order.

    Only where a user or a time is missing in later lines; otherwise the sample as it is, and "".
    """
    head = sample.of_head
    for name in head.column_names:
        if head[name].null_count or not _NUMBERS.search(name.casefold()):
            continue
        starts = group_starts(head[name])
        shared = [other for other in head.column_names if other != name and _is_shared(head[other], starts)]
        if any(likeness(other, role, EVENT_COLUMNS) for other in shared for role in _OF_ORDER):
            return replace(sample, rows=_with_shared(sample.rows, name, shared)), name
    return sample, ""


def _is_shared(values: pa.ChunkedArray, starts: Int64Array) -> bool:
    """Whether a column says something in the first line of a group, and nothing or the same in the others."""
    given = as_mask(pc.is_valid(values))
    at_start = values.take(pa.array(starts))
    same = as_mask(pc.equal(values, at_start))
    return bool((same | ~given).all() and (given[starts] & ~given).any())


def _with_shared(rows: pa.Table, name: str, shared: list[str]) -> pa.Table:
    starts = group_starts(rows[name]) if not rows[name].null_count else np.arange(len(rows))
    for column in shared:
        rows = rows.set_column(rows.column_names.index(column), column, filled(rows[column], starts))
    return rows
