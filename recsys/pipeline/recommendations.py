"""What leaves the pipeline: the lists of a batch of queries, with what answers say of their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array

RANKER = "ranker"


@dataclass(frozen=True)
class Recommendations:
    """The lists of B queries: first what sources proposed, best first, then popular items that fill up, then padding.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], final scores of proposed items, popularity of the others; -inf beside `NO_ITEM`.
        retrieval_scores: float32 [B, k], the primary source's score of each item, NaN where it was not asked and for
            items that fill up; -inf beside `NO_ITEM`.
        ratings: float32 [B, k], predicted ratings, NaN for items that fill up and beside `NO_ITEM`; None where none are
            predicted.
        proposed: bool [B, k, R], which of the sources proposed each item; none for items that fill up.
        sources: names of the R sources that propose.
        ranked_by: what gave the final scores: `RANKER`, or the name of a source.
        personal: int64 [B], how many items of each list were proposed by sources.
        seconds: time that stages took, in all: those that sources report, and `RANKING` for the rest.
        candidates: by source, how many items it proposed for a query, on average.
    """

    items: Int32Array
    scores: Float32Array
    retrieval_scores: Float32Array
    ratings: Float32Array | None
    proposed: BoolArray
    sources: tuple[str, ...]
    ranked_by: str
    personal: Int64Array
    seconds: dict[str, float]
    candidates: Mapping[str, float]

    @property
    def fallback(self) -> BoolArray:
        """Bool [B], whether no source had an item, and the list is of popular items alone."""
        fallback: BoolArray = self.personal == 0
        return fallback

    @property
    def personal_items(self) -> Int32Array:
        """int32 [B, k], the proposed items alone; `NO_ITEM` in place of those that fill up."""
        return np.where(np.arange(self.items.shape[1]) < self.personal[:, None], self.items, np.int32(NO_ITEM))

    def columns(self, columns: Int64Array) -> Recommendations:
        """The lists made of those columns [B, K] of lists that are not filled up yet."""
        items = np.take_along_axis(self.items, columns, axis=1)
        return replace(
            self,
            items=items,
            scores=_gathered(self.scores, columns),
            retrieval_scores=_gathered(self.retrieval_scores, columns),
            ratings=None if self.ratings is None else _gathered(self.ratings, columns),
            proposed=np.take_along_axis(self.proposed, columns[..., None], axis=1),
            personal=(items != NO_ITEM).sum(axis=1),
        )


def joined(blocks: Sequence[Recommendations]) -> Recommendations:
    """The lists of several batches of queries, one below the other."""
    if len(blocks) == 1:
        return blocks[0]
    ratings = [block.ratings for block in blocks if block.ratings is not None]
    queries = sum(len(block.items) for block in blocks)
    return replace(
        blocks[0],
        items=np.concatenate([block.items for block in blocks]),
        scores=np.concatenate([block.scores for block in blocks]),
        retrieval_scores=np.concatenate([block.retrieval_scores for block in blocks]),
        ratings=np.concatenate(ratings) if ratings else None,
        proposed=np.concatenate([block.proposed for block in blocks]),
        personal=np.concatenate([block.personal for block in blocks]),
        seconds={stage: sum(block.seconds[stage] for block in blocks) for stage in blocks[0].seconds},
        candidates={
            name: sum(len(block.items) * block.candidates[name] for block in blocks) / queries
            for name in blocks[0].candidates
        },
    )


def _gathered(values: NDArray[np.float32], columns: Int64Array) -> Float32Array:
    """Columns [B, K] of the values [B, D]."""
    gathered: Float32Array = values[np.arange(len(values))[:, None], columns]
    return gathered
