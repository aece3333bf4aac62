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

_DEEPER = 8  # times as many popular items are looked at where rules leave too few


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
        return self.source.propose(Queries.nobody(), self.source.n_items)

    def fill(self, lists: Recommendations, queries: Queries, allowed: Allowed) -> None:
        """Put the most popular items that are allowed behind those of the lists, as many as fit.

        Args:
            lists: of B queries, without any of them yet; is written to.
            queries: the B queries.
            allowed: the items that lists may hold.
        """
        k = lists.items.shape[1]
        for row in np.flatnonzero(lists.personal < k).tolist():
            personal = int(lists.personal[row])
            columns = self._best(queries.select([row]), lists.items[row, :personal], k - personal, allowed)
            end = personal + len(columns)
            lists.items[row, personal:end] = self._ranking.items[0, columns]
            lists.scores[row, personal:end] = self._ranking.scores[0, columns]
            lists.retrieval_scores[row, personal:end] = np.nan

    def _best(self, query: Queries, listed: Int32Array, missing: int, allowed: Allowed) -> Int64Array:
        """Columns of the ranking: its first items that are allowed and not listed yet, at most as many as missing."""
        ranking = self._ranking.items
        depth = missing + len(listed) + len(query.histories.items)
        while True:
            first = ranking[:, :depth]
            fits = np.flatnonzero(allowed.allows(query, first)[0] & ~np.isin(first[0], [NO_ITEM, *listed]))
            if len(fits) >= missing or depth >= ranking.shape[1]:
                return fits[:missing]
            depth *= _DEEPER
