"""Fill: popular items where sources propose fewer than a list holds. No other place fills lists up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Int32Array, Int64Array
from recsys.pipeline.allow import Allowed
from recsys.pipeline.recommendations import Recommendations
from recsys.sources.base import Source
from recsys.sources.exact import is_among

_DEEPER = 8  # times as many popular items are looked at where restrictions leave too few


@dataclass(frozen=True)
class PopularItems:
    """The items that are proposed to a query without a history, in their order.

    Attributes:
        source: proposes them: popularity.
    """

    source: Source

    @cached_property
    def _ranking(self) -> Candidates:
        """The whole catalogue, [1, N]."""
        return self.source.propose(Queries.nobody(), self.source.n_items, exclude_seen=False)

    def fill(self, lists: Recommendations, queries: Queries, allowed: Allowed, until: Int64Array | None = None) -> None:
        """Put the most popular items that are allowed behind those of the lists, as many as fit.

        Args:
            lists: of B queries, padded on the right; is written to.
            queries: the B queries.
            allowed: the items that lists may hold.
            until: int64 [B], how long each list becomes at most; None: as long as there is room.
        """
        lengths = (lists.items != NO_ITEM).sum(axis=1)
        wanted = np.full(len(lengths), lists.items.shape[1]) if until is None else until
        everyone = _AllowedToAll(self._ranking.items[0], allowed)
        for row in np.flatnonzero(lengths < wanted).tolist():
            length = int(lengths[row])
            of_row = queries.select([row]), allowed.select([row])
            columns = self._best(*of_row, lists.items[row, :length], int(wanted[row]) - length, everyone)
            end = length + len(columns)
            lists.items[row, length:end] = self._ranking.items[0, columns]
            lists.scores[row, length:end] = self._ranking.scores[0, columns]
            lists.retrieval_scores[row, length:end] = np.nan
            lists.popular[row, length:end] = True

    def joined_by(self, lists: Recommendations, others: Int32Array) -> Recommendations:
        """The lists with further items behind all of theirs, as far as they do not hold them yet.

        Args:
            lists: of B queries, padded on the right.
            others: int32 [B, V], allowed items, padded with `NO_ITEM`.
        """
        new = (others != NO_ITEM) & ~is_among(others, lists.items)
        lengths = (lists.items != NO_ITEM).sum(axis=1)
        lists = lists.widened(int((lengths + new.sum(axis=1)).max(initial=0)))
        for row in np.flatnonzero(new.any(axis=1)).tolist():
            items = np.array(list(dict.fromkeys(others[row, new[row]].tolist())), np.int32)
            columns = slice(int(lengths[row]), int(lengths[row]) + len(items))
            lists.items[row, columns] = items
            lists.scores[row, columns] = self.source.score(Queries.nobody(), items[None])[0]
            lists.retrieval_scores[row, columns] = np.nan
            lists.popular[row, columns] = True
        return lists

    def _best(
        self, query: Queries, allowed: Allowed, listed: Int32Array, missing: int, everyone: _AllowedToAll
    ) -> Int64Array:
        """Columns of the ranking: its first items that are allowed and not listed yet, at most as many as missing."""
        ranking = self._ranking.items[0]

        def fitting(columns: Int64Array) -> Int64Array:
            first = ranking[columns]
            fits = allowed.allows(query, first[None])[0] & ~np.isin(first, [NO_ITEM, *listed])
            return np.asarray(columns[fits], np.int64)

        depth = missing + len(listed) + len(query.histories.items)
        fits = fitting(np.arange(min(depth, len(ranking))))
        while len(fits) < missing and depth < len(ranking):
            depth *= _DEEPER
            fits = fitting(everyone.columns[:depth])
            if depth >= len(everyone.columns):
                break
        return fits[:missing]


@dataclass(frozen=True)
class _AllowedToAll:
    """The popular items that no restriction forbids which is the same for all queries: found once for a batch.

    Attributes:
        ranking: int32 [N], the catalogue from the most popular item.
        allowed: what lists may hold.
    """

    ranking: Int32Array
    allowed: Allowed

    @cached_property
    def columns(self) -> Int64Array:
        """int64, their places in the ranking, rising."""
        mask = self.allowed.mask
        return np.arange(len(self.ranking)) if mask is None else np.flatnonzero(mask[self.ranking])
