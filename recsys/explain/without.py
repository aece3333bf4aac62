"""Queries as if their users had never had to do with some of the items of their histories."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.core.types import Int32Array, Int64Array


def without(queries: Queries, items: Sequence[Collection[int]]) -> Queries:
    """Queries whose histories lack some items, each of them wherever it occurs, also in what was bought.

    The items are then like any others: unseen, and free to be recommended. User and moment stay.

    Args:
        queries: S queries, or one to be repeated S times.
        items: S sets of item rows; those that a history does not hold change nothing.

    Raises:
        ValueError: as many sets as queries are needed, or one query.
    """
    if len(queries) == 1 != len(items):
        queries = queries.select(np.zeros(len(items), np.int64))
    if len(queries) != len(items):
        raise ValueError(f"{len(queries)} queries or a single one for {len(items)} sets of items")
    sets = [np.array(sorted(each), np.int64) for each in items]
    rows = np.repeat(np.arange(len(sets)), [len(each) for each in sets])
    left_out = _pairs(rows, np.concatenate(sets) if sets else rows)
    bought = None if queries.bought is None else _lacking(queries.bought, left_out)
    return replace(queries, histories=_lacking(queries.histories, left_out), bought=bought)


def _lacking(histories: Histories, left_out: Int64Array) -> Histories:
    return histories.where(~np.isin(_pairs(histories.rows, histories.items), left_out))


def _pairs(rows: Int64Array, items: Int32Array | Int64Array) -> Int64Array:
    """One number for each query and item: rows and items have 31 bits at most."""
    pairs: Int64Array = rows << np.int64(32) | items.astype(np.int64)
    return pairs
