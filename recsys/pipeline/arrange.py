"""Arrange: a hook that sees more ranked items than a list holds, and says which of them make the list.

The items it sees are those that were ranked, then popular ones that would fill the list up; nothing is added after it,
so that what it leaves out stays out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Int64Array
from recsys.pipeline.recommendations import Moves, Recommendations


@dataclass(frozen=True)
class Arranged:
    """The choice of an arrangement for B lists.

    Attributes:
        columns: int64 [B, k], the columns of the ranked lists that make each list, first place first; -1 behind them
            where a list is shorter.
        moved_by: bool [B, k, R], which of the policy's rules put each item where it is.
        kept_out: bool [B, R], which rules left out items that a list which is shorter than k had room for.
        ranks_before: int64 [B, k], ranks from 1 that the items had before rules moved anything, 0 behind them; None:
            those of the ranker.
    """

    columns: Int64Array
    moved_by: BoolArray
    kept_out: BoolArray
    ranks_before: Int64Array | None = None

    @property
    def ranks(self) -> Int64Array:
        """int64 [B, k], see `ranks_before`."""
        return self.columns + 1 if self.ranks_before is None else self.ranks_before


class Arrangement(Protocol):
    """Chooses the items of a list from the ranked ones and puts them in order, for example so that brands vary."""

    @property
    def depth(self) -> int:
        """Ranked items it wants to see of each query; never fewer than the list holds."""

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        """The items that make each list.

        Args:
            queries: B queries.
            ranked: [B, D], their best items in the ranker's order, popular ones behind them (`ranked.popular`), then
                `NO_ITEM`.
            k: length of the lists, at most D.
        """

    def select(self, rows: Int64Array) -> Arrangement:  # noqa: ARG002
        """The arrangement for some of the queries, of one that was made for a batch."""
        return self

    def after(self, columns: Int64Array) -> Arrangement:  # noqa: ARG002
        """The arrangement of lists that begin with some columns int64 [B, G] of the ranked ones; -1 is padding.

        They stay where they are whatever it gives; one that goes by what stands before counts them in.
        """
        return self


def arrange(
    arrangement: Arrangement, queries: Queries, ranked: Recommendations, k: int, rules: tuple[str, ...]
) -> Recommendations:
    """The lists that the arrangement makes, with what moved their items.

    Args:
        arrangement, queries, ranked, k: see `Arrangement.choose`.
        rules: names of the policy's rules.

    Raises:
        ValueError: it gives other than k columns, one of them twice, padding before an item, or other rules.
    """
    arranged = arrangement.choose(queries, ranked, k)
    columns = arranged.columns
    if columns.shape != (len(queries), k) or arranged.moved_by.shape != (*columns.shape, len(rules)):
        raise ValueError(f"an arrangement must give {k} columns of each list, and {len(rules)} rules of each column")
    listed = columns >= 0
    if (listed[:, 1:] & ~listed[:, :-1]).any():
        raise ValueError("an arrangement must put padding behind all items")
    ordered = np.sort(columns, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("an arrangement must give an item of each list once")
    lists = ranked.columns(columns)
    if (lists.items[listed] == NO_ITEM).any():
        raise ValueError("an arrangement must choose items, not padding")
    cut = np.asarray(arranged.kept_out.any(axis=1))
    return replace(lists, moves=Moves(rules, arranged.ranks, arranged.moved_by, arranged.kept_out, cut))
