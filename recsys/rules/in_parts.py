"""Arranging a batch in parts: queries of several days, say, on which the same rules may act on other items."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int64Array
from recsys.pipeline.arrange import Arranged, Arrangement
from recsys.pipeline.recommendations import Recommendations


@dataclass(frozen=True)
class ArrangedInParts(Arrangement):
    """An `Arrangement` of parts of a batch by arrangements of their own; the other queries keep their order.

    Attributes:
        parts: the rows of each part and its arrangement.
        n_rules: R.
    """

    parts: tuple[tuple[Int64Array, Arrangement], ...]
    n_rules: int

    @property
    def depth(self) -> int:
        """As many as any of them wants."""
        return max((part.depth for _, part in self.parts), default=0)

    def select(self, rows: Int64Array) -> ArrangedInParts:
        """See `Arrangement.select`."""
        parts = []
        for own, part in self.parts:
            kept = np.flatnonzero(np.isin(rows, own))
            if len(kept):
                parts.append((kept, part.select(np.searchsorted(own, rows[kept]))))
        return replace(self, parts=tuple(parts))

    def after(self, columns: Int64Array) -> ArrangedInParts:
        """See `Arrangement.after`."""
        return replace(self, parts=tuple([(rows, part.after(columns[rows])) for rows, part in self.parts]))

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        """See `Arrangement.choose`."""
        columns = np.where(ranked.items[:, :k] == NO_ITEM, -1, np.arange(k))
        moved_by = np.zeros((len(queries), k, self.n_rules), np.bool_)
        kept_out = np.zeros((len(queries), self.n_rules), np.bool_)
        ranks = columns + 1
        for rows, part in self.parts:
            made = part.choose(queries.select(rows), ranked.rows(rows), k)
            columns[rows], moved_by[rows], kept_out[rows] = made.columns, made.moved_by, made.kept_out
            ranks[rows] = made.ranks
        return Arranged(columns, moved_by, kept_out, ranks)
