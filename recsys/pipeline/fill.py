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
        return self.source.propose(Queries.nobody(), self.source.n_items)

    def fill(self, lists: Recommendations, queries: Queries, allowed: Allowed, least: int | None = None) -> None:
        """Put the most popular items that are allowed behind those of the lists, as many as fit.

        Args:
            lists: of B queries, padded on the right; is written to.
            queries: the B queries.
            allowed: the items that lists may hold.
            least: lists of so many items or more are left as they are; None: all that have room are filled.
        """
        width = lists.items.shape[1]
        lengths = (lists.items != NO_ITEM).sum(axis=1)
        for row in np.flatnonzero(lengths < (width if least is None else least)).tolist():
            length = int(lengths[row])
            of_row = queries.select([row]), allowed.select([row])
            columns = self._best(*of_row, lists.items[row, :length], width - length)
            end = length + len(columns)
            lists.items[row, length:end] = self._ranking.items[0, columns]
            lists.scores[row, length:end] = self._ranking.scores[0, columns]
            lists.retrieval_scores[row, length:end] = np.nan
            lists.popular[row, length:end] = True

    def _best(self, query: Queries, allowed: Allowed, listed: Int32Array, missing: int) -> Int64Array:
        """Columns of the ranking: its first items that are allowed and not listed yet, at most as many as missing."""
        ranking = self._ranking.items
        depth = missing + len(listed) + len(query.histories.items)
        while True:
            first = ranking[:, :depth]
            fits = np.flatnonzero(allowed.allows(query, first)[0] & ~np.isin(first[0], [NO_ITEM, *listed]))
            if len(fits) >= missing or depth >= ranking.shape[1]:
                return fits[:missing]
            depth *= _DEEPER
