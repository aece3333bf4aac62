"""The recommender run again with parts of histories left out, many of them as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.core.progress import Step
from recsys.core.queries import NO_ITEM, Queries
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
        step: of the run that this is part of.
    """

    recommender: Recommender
    queries: Queries
    k: int
    exclude_seen: bool
    step: Step = field(default_factory=Step.silent)

    def places(self, rows: NDArray[np.integer], parts: Sequence[Part], items: Int32Array) -> Places:
        """Run it S times and see where items stand.

        Args:
            rows: int [S], the user of each rerun.
            parts: S sets of items to leave out.
            items: int32 [S, T], those to look for; nothing is found for `NO_ITEM`.
        """
        ranks, scores = np.zeros(items.shape, np.int64), np.full(items.shape, np.nan, np.float32)
        with self.step.bar("Lists without parts of histories", len(rows)) as bar:
            for start in range(0, len(rows), _BLOCK_QUERIES):
                block = slice(start, min(start + _BLOCK_QUERIES, len(rows)))
                run, target, counts, found = self._found(rows[block], parts[block], items[block])
                ranks[start + run, target], scores[start + run, target] = counts, found
                bar.advance(block.stop - block.start)
        return Places(ranks, scores)

    def _found(
        self, rows: NDArray[np.integer], parts: Sequence[Part], items: Int32Array
    ) -> tuple[Int64Array, Int64Array, Int64Array, Float32Array]:
        """Of one batch, the items that are ranked: the reruns, the columns of `items`, ranks and scores."""
        whole = self.queries.select(rows)
        trace = self.recommender.trace(without(whole, parts), self.k, exclude_seen=self.exclude_seen)
        ranking = trace.ranking
        counted = ranking.items != NO_ITEM
        if self.exclude_seen:
            counted &= ~is_seen(ranking.items, np.arange(len(whole))[:, None], whole.histories)
        counts = np.cumsum(counted, axis=1)
        wanted = (ranking.items[:, :, None] == items[:, None, :]) & counted[:, :, None]
        run, column, target = np.nonzero(wanted)
        return run, target, counts[run, column], ranking.scores[run, column]
