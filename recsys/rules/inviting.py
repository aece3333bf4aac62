"""Inviting: of the items of a rule those that a user would like best, ranked though no source proposes them.

A promotion chosen among what sources propose anyway would place what happens to be there; pins would find nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.half import halves, widen
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.rules.base import RuleBase
from recsys.rules.invite_kernels import write_best
from recsys.rules.rule import Action, Pin, Promote

MOST_OF_RULE = 20  # items that a rule invites for a query
MOST_OF_QUERY = 40  # items that all rules invite: they take the places of finalists, of which a ranker sees about 100
MOST_COMPARED = 1000  # items of a rule that are looked at, the most popular ones
_OF_PIN, _LEAST_OF_PROMOTION = 3, 5


def wanted(action: Action, k: int) -> int:
    """How many items a rule invites for a list of k, more than it places: others may be forbidden or capped."""
    if isinstance(action, Pin):
        return _OF_PIN if action.slot <= k else 0
    if isinstance(action, Promote):
        placed = action.of(k)
        return min(MOST_OF_RULE, max(_LEAST_OF_PROMOTION, 2 * placed)) if placed else 0
    return 0


@dataclass(frozen=True, eq=False)
class Guests:
    """The items that a rule can invite.

    Attributes:
        items: int32 [C], the most popular first.
        vectors: float32 [C, D], by the primary source.
    """

    items: Int32Array
    vectors: Float32Array

    @classmethod
    def of(cls, items: Int32Array, base: RuleBase) -> Self:
        """Of some items, see `chosen_guests`."""
        chosen = halves(base.vectors[items])
        vectors = np.empty(chosen.shape, np.float32)
        widen(chosen, vectors)
        return cls(items, vectors)

    def within(self, mask: BoolArray) -> Guests:
        """Those of a mask, bool [N]."""
        kept = mask[self.items]
        return self if kept.all() else Guests(self.items[kept], self.vectors[kept])

    def best(self, histories: Histories, rows: Int64Array, user_vectors: Float32Array, most: int) -> Int32Array:
        """The best for some queries of a batch, unseen ones first: int32 [R, W], at most as many as are wanted.

        The most popular ones are the best for a query without a history.

        Args:
            histories: of the B queries.
            rows: int64 [R], the queries.
            user_vectors: float32 [B, D].
            most: how many.
        """
        best = np.full((len(rows), min(most, len(self.items))), NO_ITEM, np.int32)
        scores, chosen = user_vectors[rows] @ self.vectors.T, np.empty(best.shape[1], np.float32)
        write_best(scores, self.items, rows, histories.indptr, histories.items, chosen, best)
        return best


def chosen_guests(mask: BoolArray, base: RuleBase) -> Int32Array:
    """The most popular items of a mask, bool [N]; what is sold out would take the places of others: int32 [C]."""
    for stock in base.bundle.in_stock:
        mask = mask & stock.mask
    items = np.flatnonzero(mask).astype(np.int32)
    return items[np.argsort(base.popularity_ranks[items], kind="stable")][:MOST_COMPARED]


def placed(parts: list[tuple[Int64Array, Int32Array]], size: int) -> Int32Array:
    """What rules invite for some of B queries each, beside each other: int32 [B, W], `NO_ITEM` as padding.

    Args:
        parts: of each rule, in the order of their priorities, the rows of its queries and their items.
        size: B.
    """
    if not parts:
        return np.empty((size, 0), np.int32)
    invited = np.full((size, sum(items.shape[1] for _, items in parts)), NO_ITEM, np.int32)
    end = 0
    for rows, items in parts:
        invited[rows, end : end + items.shape[1]] = items
        end += items.shape[1]
    if end <= MOST_OF_QUERY:
        return invited
    order = np.argsort(invited == NO_ITEM, axis=1, kind="stable")[:, :MOST_OF_QUERY]
    return np.take_along_axis(invited, order, axis=1)
