"""Finalists: the candidates of the highest sums of scores, which alone reach the ranker's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.kernels import write_finalists


@dataclass(frozen=True)
class ScoredCandidates:
    """What S sources say of the candidates of B queries.

    Attributes:
        sources: names of the sources, the primary one first.
        items: int32 [B, C], candidates, padded with `NO_ITEM`.
        scores: float32 [S, B, C], 0 where a source has none.
        sums: float32 [B, C], the own scores' weighted sum, see `CandidateScorer`; 0 where no source has a weight.
        unlent: float32 [S, B, C], the scores without what is borrowed; None: nothing is.
    """

    sources: tuple[str, ...]
    items: Int32Array
    scores: Float32Array
    sums: Float32Array
    unlent: Float32Array | None = None

    @property
    def own(self) -> Float32Array:
        """The scores float32 [S, B, C] without what items borrow."""
        return self.scores if self.unlent is None else self.unlent

    def column(self, query: int, item: int) -> int | None:
        """Where an item stands among the candidates of a query; None where it does not, and for `NO_ITEM`."""
        columns = np.flatnonzero(self.items[query] == item)
        return int(columns[0]) if len(columns) and item != NO_ITEM else None

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

    def best(self, most: int, order: Float32Array | None = None) -> ScoredCandidates:
        """The candidates that come first, at most so many of a query; equal ones in their order.

        Args:
            most: see above.
            order: float32 [B, C], the highest come first; None: the sums.
        """
        order = self.sums if order is None else order
        shape = len(self.items), most
        items, sums = np.empty(shape, np.int32), np.empty(shape, np.float32)
        kept = []
        for given in (self.scores,) if self.unlent is None else (self.scores, self.unlent):
            kept.append(np.empty((len(given), *shape), np.float32))
            write_finalists(self.items, given, self.sums, order, items, kept[-1], sums)
        return ScoredCandidates(self.sources, items, kept[0], sums, *kept[1:])
