"""What the ranker sees of a candidate. Training, evaluation and serving call the same functions.

Everything is computed from the query's history and from what was fitted before: nothing knows an item
chosen later, and nothing depends on an item's row number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories
from recsys.ranking.attributes import OF_ATTRIBUTES, ItemAttributes
from recsys.ranking.head import RatingPredictor
from recsys.ranking.kernels import write_best, write_scores, write_two_tower
from recsys.retrieval.base import NO_ITEM, PairScorer, Queries
from recsys.retrieval.kernels import dots
from recsys.retrieval.two_tower import TwoTowerRetriever

TWO_TOWER = ("two_tower_score", "two_tower_gap", "two_tower_rank")
TWO_TOWER_COLUMN = 0  # of its score among the features
OF_A_SCORER = ("score", "share", "rank", "last_item")
PREDICTED_RATING = "predicted_rating"  # less the mean rating
HYBRID_SCORE = "hybrid_score"  # the last feature

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Scored:
    """What the retrievers say of the candidates of B queries.

    Attributes:
        items: int32 [B, C], candidates, padded with `NO_ITEM`.
        scores: by retriever, float32 [B, C].
        hybrid: float32 [B, C], the hybrid's scores; 0 without a hybrid.
    """

    items: NDArray[np.int32]
    scores: Mapping[str, Matrix]
    hybrid: Matrix

    def best(self, most: int, behind: NDArray[np.bool_] | None = None) -> Scored:
        """The candidates of the highest hybrid scores, at most so many of a query; equal ones in their order.

        Args:
            most: see above.
            behind: bool [B, C], candidates that come after all others.
        """
        order = self.hybrid if behind is None else np.where(behind, np.float32(-np.inf), self.hybrid)
        columns = np.full((len(self.items), most), NO_ITEM, np.int64)
        write_best(self.items, order, columns)
        rows = np.arange(len(self.items))[:, None]
        items = np.where(columns == NO_ITEM, np.int32(NO_ITEM), self.items[rows, columns])
        scores = {name: values[rows, columns] for name, values in self.scores.items()}
        return Scored(items, scores, self.hybrid[rows, columns])


@dataclass(frozen=True)
class CandidateFeatures:
    """Computes the features of candidates.

    Attributes:
        item_embeddings: float32 [N, D], of the two-tower.
        scorers: retrievers by name that score the candidates beside the two-tower.
        attributes: of the items.
        predictor: of ratings; None: no rating feature.
        hybrid: weights of a hybrid, by name of its members, see `Hybrid`; its score is a feature too.
        members: those of them that are neither the two-tower nor among `scorers`.
    """

    item_embeddings: NDArray[np.float32]
    scorers: Mapping[str, PairScorer]
    attributes: ItemAttributes
    predictor: RatingPredictor | None = None
    hybrid: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, PairScorer] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the features, by what they come from, in the order in which `compute` gives them."""
        groups: dict[str, tuple[str, ...]] = {TwoTowerRetriever.name: TWO_TOWER}
        groups |= {name: tuple(f"{name}_{part}" for part in OF_A_SCORER) for name in self.scorers}
        groups |= OF_ATTRIBUTES
        if self.predictor is not None:
            groups["rating"] = (PREDICTED_RATING,)
        groups["hybrid"] = (HYBRID_SCORE,)
        return groups

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the F features."""
        return tuple(name for group in self.groups.values() for name in group)

    @cached_property
    def rating_column(self) -> int:
        """Place of the predicted rating's deviation from the mean; ValueError where none is predicted."""
        return self.names.index(PREDICTED_RATING)

    def compute(self, queries: Queries, vectors: NDArray[np.float32], items: NDArray[np.int32]) -> Matrix:
        """`describe` the items int32 [B, C], padded with `NO_ITEM`."""
        return self.describe(queries, vectors, self.score(queries, vectors, items))

    def score(self, queries: Queries, vectors: NDArray[np.float32], items: NDArray[np.int32]) -> Scored:
        """What the retrievers say of candidates.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
        """
        two_tower = np.empty(items.shape, np.float32)
        dots(vectors, self.item_embeddings, items, two_tower)
        scores = {name: self._pair_scores(scorer, queries.histories, items) for name, scorer in self.scorers.items()}
        scores[TwoTowerRetriever.name] = two_tower
        hybrid = np.zeros(items.shape, np.float32)
        for name, weight in self.hybrid.items():
            member = self.members.get(name)
            given = scores[name] if member is None else self._pair_scores(member, queries.histories, items)
            hybrid += np.float32(weight) * given
        return Scored(items, scores, hybrid)

    def describe(self, queries: Queries, vectors: NDArray[np.float32], scored: Scored) -> Matrix:
        """Features float32 [B, C, F], finite; 0 beside `NO_ITEM`. Some compare a candidate with its query's others.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            scored: what `score` gave for them.
        """
        items, histories, last = scored.items, queries.histories, queries.histories.last(1)
        features = np.zeros((*items.shape, len(self.names)), np.float32)
        write_two_tower(items, scored.scores[TwoTowerRetriever.name], features)
        column = len(TWO_TOWER)
        for name, scorer in self.scorers.items():
            write_scores(items, scored.scores[name], self._pair_scores(scorer, last, items), features, column)
            column += len(OF_A_SCORER)
        self.attributes.write(histories, items, features, column)
        if self.predictor is not None:
            ratings = self.predictor.predict(vectors, histories, items)
            deviations = ratings - np.float32(self.predictor.statistics.global_mean)
            features[..., self.rating_column] = np.nan_to_num(deviations)
        features[..., -1] = np.where(items == NO_ITEM, np.float32(0), scored.hybrid)
        return features

    def _pair_scores(self, scorer: PairScorer, histories: Histories, items: NDArray[np.int32]) -> Matrix:
        """Scores of the items; those nobody has chosen yet borrow them where they have none of their own."""
        return self.attributes.loans.fill(scorer.pair_scorer(histories), items)
