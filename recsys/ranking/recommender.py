"""From a query to the final list: retrieve, rescore by the predicted rating, fall back on popularity.

Evaluation and the server call the same code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.ranking.head import RatingPredictor
from recsys.retrieval.base import NO_ITEM, Candidates, Queries
from recsys.retrieval.popularity import Popularity
from recsys.retrieval.two_tower import TwoTowerRetriever

_BLOCK_QUERIES = 256  # bounds the memory of the candidates' embeddings


@dataclass(frozen=True)
class Recommendations:
    """The final lists of B queries, best first.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], final scores, never increasing along a row; -inf beside `NO_ITEM`.
        retrieval_scores: float32 [B, k], the retriever's score of each item; -inf beside `NO_ITEM`.
        ratings: float32 [B, k], predicted ratings (NaN beside `NO_ITEM` and in fallback rows), or
            None when the bundle predicts no ratings.
        fallback: bool [B], true where the retriever had nothing and popular items are given.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    retrieval_scores: NDArray[np.float32]
    ratings: NDArray[np.float32] | None
    fallback: NDArray[np.bool_]


@dataclass(frozen=True)
class Recommender:
    """Two-tower retrieval, rescored.

    final score = retrieval score + rescore_weight * predicted rating.

    Attributes:
        retriever: proposes the candidates.
        popularity: answers queries for which the retriever has no candidate.
        predictor: predicts ratings; None: no rescoring.
        rescore_weight: chosen on validation; 0 keeps the order of retrieval.
        candidates: items retrieved for each query, at least k.
    """

    retriever: TwoTowerRetriever
    popularity: Popularity
    predictor: RatingPredictor | None = None
    rescore_weight: float = 0.0
    candidates: int = 200

    def recommend(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Recommendations:
        """The k best items of each query, without those in its history if `exclude_seen`."""
        blocks = [self._recommend(block, k, exclude_seen) for _, block in queries.blocks(_BLOCK_QUERIES)]
        if not blocks:
            blocks = [self._recommend(queries, k, exclude_seen)]
        if len(blocks) == 1:
            return blocks[0]
        ratings = [block.ratings for block in blocks if block.ratings is not None]
        return Recommendations(
            np.concatenate([block.items for block in blocks]),
            np.concatenate([block.scores for block in blocks]),
            np.concatenate([block.retrieval_scores for block in blocks]),
            np.concatenate(ratings) if ratings else None,
            np.concatenate([block.fallback for block in blocks]),
        )

    def _recommend(self, queries: Queries, k: int, exclude_seen: bool) -> Recommendations:
        vectors = self.retriever.encode(queries)
        rescoring = self.predictor is not None and self.rescore_weight != 0
        wanted = max(k, self.candidates) if rescoring else k
        retrieved = self.retriever.search(vectors, queries, wanted, exclude_seen=exclude_seen)
        ratings = None
        if self.predictor is not None:
            ratings = self.predictor.predict(vectors, queries.histories, retrieved.items)
        ranked = self._rank(retrieved, ratings if rescoring else None, k)
        items = np.take_along_axis(retrieved.items, ranked, axis=1)
        retrieval_scores = np.take_along_axis(retrieved.scores, ranked, axis=1)
        scores = retrieval_scores.copy()
        if ratings is not None:
            ratings = np.take_along_axis(ratings, ranked, axis=1)
            if rescoring:
                scores = np.where(items == NO_ITEM, -np.inf, scores + self.rescore_weight * ratings).astype(np.float32)
        fallback = (items == NO_ITEM).all(axis=1)
        rows = np.flatnonzero(fallback)
        if len(rows):
            popular = self.popularity.retrieve(queries.select(rows), k, exclude_seen=exclude_seen)
            items[rows] = popular.items
            scores[rows] = retrieval_scores[rows] = popular.scores
        return Recommendations(items, scores, retrieval_scores, ratings, fallback)

    def _rank(self, retrieved: Candidates, ratings: NDArray[np.float32] | None, k: int) -> NDArray[np.intp]:
        """Places [B, k] of the k best candidates among the retrieved; equal scores keep the retriever's order."""
        final = retrieved.scores
        if ratings is not None:
            final = np.where(retrieved.items == NO_ITEM, -np.inf, final + self.rescore_weight * ratings)
        return np.argsort(-final, axis=1, kind="stable")[:, :k]
