"""Repurchase: what a user bought is held back until it is due, and may then be in lists again.

An item is due when, since its last purchase, a share of its cycle has passed, that is of the median time between two
purchases of it (`recsys.prepare.engine.cycles`). Views, ratings and other events do not move that clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from recsys.pipeline.allow import Restriction
from recsys.rules.rule import Repurchase
from recsys.sources.exact import is_among

MOST_DUE = 100  # items of a history that are offered again at once
DEFAULT = Repurchase(type="repurchase")


@dataclass(frozen=True)
class NoneOf(Restriction):
    """Other items than these.

    Attributes:
        items: int32 [B, P], padded with `NO_ITEM`.
    """

    selective: ClassVar[bool] = False

    items: Int32Array

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:  # noqa: ARG002
        """Look the items up."""
        return ~is_among(items, self.items)

    def select(self, rows: Sequence[int]) -> Restriction:
        """Those of some of the queries."""
        return NoneOf(self.items[rows])


@dataclass(frozen=True)
class Repurchases:
    """What a rule means for what B users bought.

    Attributes:
        due: int32 [B, P], items that may be in lists again, those that came due last first, padded with `NO_ITEM`.
        held_back: int32 [B, W], items that are not due yet, padded with `NO_ITEM`.
    """

    due: Int32Array
    held_back: Int32Array

    @property
    def restriction(self) -> Restriction:
        """What is held back is in no list, whoever proposes it."""
        return NoneOf(self.held_back)


@dataclass(frozen=True)
class LastPurchases:
    """What B users bought, each item of a user once.

    Attributes:
        rows: int64 [T], the query of each, rising.
        items: int32 [T], rising within a query.
        elapsed: int64 [T], seconds since its last purchase.
    """

    rows: Int64Array
    items: Int32Array
    elapsed: Int64Array

    @classmethod
    def of(cls, queries: Queries) -> LastPurchases:
        """Of `Queries.bought`; where nothing is known of that, all of the history was bought."""
        bought = queries.histories if queries.bought is None else queries.bought
        rows, items, times = bought.rows, bought.items, bought.timestamps
        # Histories are in order of time, so the last entry of an item is its latest.
        pairs = (rows << 32) + items
        _, places = np.unique(pairs[::-1], return_index=True)
        latest = len(pairs) - 1 - places
        rows, items, times = rows[latest], items[latest], times[latest]
        return cls(rows, items, queries.now[rows] - times)

    def shares(self, cycles: Float32Array, action: Repurchase) -> Float64Array:
        """float64 [T], which part of its cycle has passed since each was bought; the cycles as of `repurchases`."""
        days = cycles[self.items].astype(np.float64)
        seconds = np.where(np.isnan(days), action.default_days, days) * SECONDS_PER_DAY
        return np.asarray(self.elapsed / seconds, np.float64)


def repurchases(
    queries: Queries,
    cycles: Float32Array,
    action: Repurchase = DEFAULT,
    *,
    acting: BoolArray | None = None,
    where: BoolArray | None = None,
) -> Repurchases:
    """What is due and what is held back.

    Args:
        queries: B queries.
        cycles: float32 [N], days between purchases of each item; NaN where the data tell none.
        action: of the rule.
        acting: bool [B], queries that the rule is for; None: all of them.
        where: bool [N], items that the rule acts on; None: all of them.
    """
    last = LastPurchases.of(queries)
    shares = last.shares(cycles, action)
    counted = np.ones(len(last.rows), np.bool_)
    counted &= True if acting is None else acting[last.rows]
    counted &= True if where is None else where[last.items]
    is_due = shares >= action.from_share
    due = _padded(len(queries), last, counted & is_due, shares)
    return Repurchases(due[:, :MOST_DUE], _padded(len(queries), last, counted & ~is_due, shares))


def _padded(size: int, last: LastPurchases, chosen: BoolArray, order: Float64Array) -> Int32Array:
    """The chosen items of each query, the lowest `order` first: int32 [B, W], padded with `NO_ITEM`."""
    places = np.flatnonzero(chosen)
    places = places[np.lexsort((last.items[places], order[places], last.rows[places]))]
    rows = last.rows[places]
    counts = np.bincount(rows, minlength=size)
    items = np.full((size, int(counts.max(initial=0))), NO_ITEM, np.int32)
    items[rows, np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]] = last.items[places]
    return items
