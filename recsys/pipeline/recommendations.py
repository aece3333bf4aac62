"""What leaves the pipeline: the lists of a batch of queries, with what answers and explanations say of their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array

RANKER = "ranker"


@dataclass(frozen=True)
class Detail:
    """Where the scores of listed items come from; NaN beside padding and for items that filled a list up.

    Attributes:
        sources: names of S sources.
        source_scores: float32 [B, k, S], 0 where a source has none.
        source_sums: float32 [B, k], weighted sums of these, see `CandidateScorer`.
        ranker_scores: float32 [B, k], of the ranker's model: the final score before what is added for a repeat.
        feature_names: of F features.
        features: float32 [B, k, F], what the model read.
    """

    sources: tuple[str, ...]
    source_scores: Float32Array
    source_sums: Float32Array
    ranker_scores: Float32Array
    feature_names: tuple[str, ...]
    features: Float32Array

    def columns(self, columns: Int64Array) -> Detail:
        """Those columns [B, K] of each list."""
        return replace(
            self,
            source_scores=_gathered(self.source_scores, columns),
            source_sums=_gathered(self.source_sums, columns),
            ranker_scores=_gathered(self.ranker_scores, columns),
            features=_gathered(self.features, columns),
        )


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
        detail: None where it was not asked for, or no ranker was.
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
    detail: Detail | None = None

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
            detail=None if self.detail is None else self.detail.columns(columns),
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
        detail=_joined_details([block.detail for block in blocks if block.detail is not None]),
    )


def _joined_details(details: Sequence[Detail]) -> Detail | None:
    if not details:
        return None
    return replace(
        details[0],
        source_scores=np.concatenate([detail.source_scores for detail in details]),
        source_sums=np.concatenate([detail.source_sums for detail in details]),
        ranker_scores=np.concatenate([detail.ranker_scores for detail in details]),
        features=np.concatenate([detail.features for detail in details]),
    )


def _gathered(values: NDArray[np.float32], columns: Int64Array) -> Float32Array:
    """Columns [B, K] of the values [B, D] or [B, D, ...]."""
    gathered: Float32Array = values[np.arange(len(values))[:, None], columns]
    return gathered
