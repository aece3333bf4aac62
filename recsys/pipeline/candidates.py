"""Candidates of several sources as one set a query, with what the sources say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.pipeline.kernels import write_finalists, write_sources, write_union


@dataclass(frozen=True)
class ScoredCandidates:
    """What S sources say of the candidates of B queries.

    Attributes:
        sources: names of the sources, the primary one first.
        items: int32 [B, C], candidates, padded with `NO_ITEM`.
        scores: float32 [S, B, C], 0 where a source has none.
        sums: float32 [B, C], the scores' weighted sum, see `CandidateScorer`; 0 where no source has a weight.
    """

    sources: tuple[str, ...]
    items: Int32Array
    scores: Float32Array
    sums: Float32Array

    def of(self, source: str) -> Float32Array:
        """Scores float32 [B, C] of one source."""
        scores: Float32Array = self.scores[self.sources.index(source)]
        return scores

    def of_several(self, sources: Sequence[str]) -> Float32Array:
        """Scores float32 [R, B, C] of R of the sources, which stand side by side in `scores`."""
        first = self.sources.index(sources[0])
        if self.sources[first : first + len(sources)] != tuple(sources):
            raise ValueError(f"{', '.join(sources)} do not stand side by side in {', '.join(self.sources)}")
        return self.scores[first : first + len(sources)]

    def best(self, most: int, behind: BoolArray | None = None) -> ScoredCandidates:
        """The candidates of the highest sums, at most so many of a query; equal ones in their order.

        Args:
            most: see above.
            behind: bool [B, C], candidates that come after all others.
        """
        order = self.sums if behind is None else np.where(behind, np.float32(-np.inf), self.sums)
        shape = len(self.items), most
        items, sums = np.empty(shape, np.int32), np.empty(shape, np.float32)
        scores = np.empty((len(self.scores), *shape), np.float32)
        write_finalists(self.items, self.scores, self.sums, order, items, scores, sums)
        return ScoredCandidates(self.sources, items, scores, sums)


def union(parts: Sequence[Int32Array]) -> Int32Array:
    """Every item that some part proposes, once a query.

    The order is scrambled: equal scores keep it later, and neither who proposed an item nor its row may decide.

    Args:
        parts: int32 [B, k] each, padded with `NO_ITEM`.

    Returns:
        int32 [B, C], `NO_ITEM` on the right; C is the longest union in the batch.
    """
    items = np.concatenate(parts, axis=1)
    distinct = np.full_like(items, NO_ITEM)
    return np.ascontiguousarray(distinct[:, : write_union(items, distinct)])


def sources(items: Int32Array, parts: Sequence[Int32Array], n_sources: int) -> tuple[BoolArray, Int64Array]:
    """Which of R sources proposed each of the items, bool [B, K, R]; how many items each proposed in all, int64 [R].

    Args:
        items: int32 [B, K].
        parts: int32 [B, k] of each source that was asked, padded with `NO_ITEM`.
        n_sources: R; those behind the ones asked proposed nothing.
    """
    proposed, counts = np.zeros((*items.shape, n_sources), np.bool_), np.zeros(n_sources, np.int64)
    ends = np.cumsum([part.shape[1] for part in parts])
    write_sources(items, np.concatenate(parts, axis=1), ends, proposed, counts)
    return proposed, counts
