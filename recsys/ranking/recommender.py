"""From a query to the final list: candidates of several retrievers, put in order by the ranker, popularity if none.

Evaluation and the server call the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.ranking.candidates import union
from recsys.ranking.head import RatingPredictor
from recsys.ranking.ranker import CandidateRanker
from recsys.retrieval.base import NO_ITEM, Candidates, Queries
from recsys.retrieval.item_to_item import ItemToItem
from recsys.retrieval.popularity import Popularity
from recsys.retrieval.two_tower import TwoTowerRetriever

_BLOCK_QUERIES = 256  # bounds the memory of the candidates' embeddings and features


@dataclass(frozen=True)
class Recommendations:
    """The final lists of B queries, best first.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], final scores, never increasing along a row; -inf beside `NO_ITEM`.
        retrieval_scores: float32 [B, k], the two-tower's score of each item (popularity in fallback rows);
            -inf beside `NO_ITEM`.
        ratings: float32 [B, k], predicted ratings (NaN beside `NO_ITEM` and in fallback rows), or
            None when the bundle predicts no ratings.
        sources: bool [B, k, R], which of the recommender's `sources` proposed each item; none in fallback rows.
        fallback: bool [B], true where no retriever had a candidate and popular items are given.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    retrieval_scores: NDArray[np.float32]
    ratings: NDArray[np.float32] | None
    sources: NDArray[np.bool_]
    fallback: NDArray[np.bool_]


@dataclass(frozen=True)
class Recommender:
    """Retrieval by the two-tower and item-to-item retrievers, then ranking of all they propose.

    Attributes:
        retriever: the two-tower.
        popularity: answers queries for which nobody has a candidate.
        predictor: predicts ratings; None: no ratings.
        ranker: puts the candidates in order; None: only the two-tower proposes, in its order.
        proposers: item-to-item retrievers by name; those whose scores the ranker reads.
        candidates: items the two-tower proposes for a query, at least k.
        proposer_candidates: items that each proposer does.
    """

    retriever: TwoTowerRetriever
    popularity: Popularity
    predictor: RatingPredictor | None = None
    ranker: CandidateRanker | None = None
    proposers: Mapping[str, ItemToItem] = field(default_factory=dict)
    candidates: int = 200
    proposer_candidates: int = 100

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of all that propose candidates."""
        return (self.retriever.name, *self.proposers)

    def propose(
        self, queries: Queries, vectors: NDArray[np.float32], k: int, *, exclude_seen: bool = True
    ) -> list[NDArray[np.int32]]:
        """Candidates int32 [B, ...] of each of `sources`, best first.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            k: fewest items the two-tower is asked for.
            exclude_seen: leave out the items of the history.
        """
        found = [self.retriever.search(vectors, queries, max(k, self.candidates), exclude_seen=exclude_seen)]
        found += [
            proposer.retrieve(queries, self.proposer_candidates, exclude_seen=exclude_seen)
            for proposer in self.proposers.values()
        ]
        return [candidates.items for candidates in found]

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
            np.concatenate([block.sources for block in blocks]),
            np.concatenate([block.fallback for block in blocks]),
        )

    def _recommend(self, queries: Queries, k: int, exclude_seen: bool) -> Recommendations:
        vectors = self.retriever.encode(queries)
        if self.ranker is None:
            found = self.retriever.search(vectors, queries, k, exclude_seen=exclude_seen)
            sources = np.zeros((*found.items.shape, len(self.sources)), bool)
            sources[..., 0] = found.items != NO_ITEM
        else:
            proposed = self.propose(queries, vectors, k, exclude_seen=exclude_seen)
            found = self._ranked(queries, vectors, union(proposed), k, self.ranker)
            sources = _membership(found.items, proposed)
        retrieval_scores = self._two_tower_scores(vectors, found.items)
        ratings = None
        if self.predictor is not None:
            ratings = self.predictor.predict(vectors, queries.histories, found.items)
        fallback = (found.items == NO_ITEM).all(axis=1)
        rows = np.flatnonzero(fallback)
        if len(rows):
            popular = self.popularity.retrieve(queries.select(rows), k, exclude_seen=exclude_seen)
            found.items[rows] = popular.items
            found.scores[rows] = retrieval_scores[rows] = popular.scores
        return Recommendations(found.items, found.scores, retrieval_scores, ratings, sources, fallback)

    def _ranked(
        self, queries: Queries, vectors: NDArray[np.float32], items: NDArray[np.int32], k: int, ranker: CandidateRanker
    ) -> Candidates:
        """The k best of the candidates `items` [B, C]; equal scores keep their order, which is scrambled."""
        found = Candidates.none(len(queries), k)
        scores = ranker.score(queries, ranker.features.compute(queries, vectors, items), items)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        width = order.shape[1]
        found.items[:, :width] = np.take_along_axis(items, order, axis=1)
        found.scores[:, :width] = np.take_along_axis(scores, order, axis=1)
        return found

    def _two_tower_scores(self, vectors: NDArray[np.float32], items: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 [B, k], inner products; -inf beside `NO_ITEM`."""
        real = items != NO_ITEM
        scores = np.einsum("bd,bkd->bk", vectors, self.retriever.item_embeddings[np.where(real, items, 0)])
        return np.where(real, scores, np.float32(-np.inf)).astype(np.float32)


def _membership(items: NDArray[np.int32], proposed: list[NDArray[np.int32]]) -> NDArray[np.bool_]:
    """Whether each item [B, k] is among those of each of R proposers, bool [B, k, R]."""
    member = [(items[:, :, None] == part[:, None, :]).any(axis=2) for part in proposed]
    found: NDArray[np.bool_] = np.stack(member, axis=-1) & (items != NO_ITEM)[..., None]
    return found
