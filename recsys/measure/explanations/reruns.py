"""The recommender run again with parts of histories left out, many of them as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.explain.without import without
from recsys.measure.explanations.curves import Part
from recsys.pipeline.recommender import Recommender
from recsys.sources.exact import is_seen

_BLOCK_QUERIES = 256  # bounds the memory of a trace, which holds all candidates


@dataclass(frozen=True)
class Places:
    """Where items stand in the rankings of S reruns.

    Attributes:
        ranks: int64 [S, T], from 1; 0 for an item that is not ranked.
        scores: float32 [S, T], final scores; NaN likewise.
    """

    ranks: Int64Array
    scores: Float32Array


@dataclass(frozen=True)
class Reruns:
    """Asks a recommender about the same users with ever other parts of their histories left out.

    What is left out is unseen then, and may be recommended; an item of the whole history is passed over in all
    rankings, so that it pushes nothing down by its return. Where lists hold items of the histories anyway, all count.

    Attributes:
        recommender: what is served.
        queries: of B users, with whole histories.
        k: length of the lists.
        exclude_seen: whether lists leave out the items of the histories.
    """

    recommender: Recommender
    queries: Queries
    k: int
    exclude_seen: bool

    def places(self, rows: NDArray[np.integer], parts: Sequence[Part], items: Int32Array) -> Places:
        """Run it S times and see where items stand.

        Args:
            rows: int [S], the user of each rerun.
            parts: S sets of items to leave out.
            items: int32 [S, T], those to look for; nothing is found for `NO_ITEM`.
        """
        ranks, scores = np.zeros(items.shape, np.int64), np.full(items.shape, np.nan, np.float32)
        for start in range(0, len(rows), _BLOCK_QUERIES):
            block = slice(start, start + _BLOCK_QUERIES)
            whole = self.queries.select(rows[block])
            trace = self.recommender.trace(without(whole, parts[block]), self.k, exclude_seen=self.exclude_seen)
            found = trace.ranking
            counted = found.items >= 0
            if self.exclude_seen:
                counted &= ~is_seen(found.items, np.arange(len(whole))[:, None], whole.histories)
            counts = np.cumsum(counted, axis=1)
            run, column, target = np.nonzero((found.items[:, :, None] == items[block, None, :]) & counted[:, :, None])
            ranks[start + run, target] = counts[run, column]
            scores[start + run, target] = found.scores[run, column]
        return Places(ranks, scores)
