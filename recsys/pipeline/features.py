"""What the ranker sees of a candidate. Training, evaluation and serving call the same functions.

Everything is computed from the query's history and from what was fitted before: nothing knows an item
chosen later, and nothing depends on an item's row number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recsys.core.compiled import halves
from recsys.core.queries import Candidates, Queries
from recsys.core.types import BoolArray, Float16Array, Float32Array, Int32Array
from recsys.pipeline.attributes import OF_ATTRIBUTES, ItemAttributes
from recsys.pipeline.head import RatingPredictor
from recsys.pipeline.kernels import write_deviations, write_finalists, write_scores, write_sum, write_two_tower
from recsys.pipeline.pair_scores import PairScores
from recsys.sources.base import PairScorer
from recsys.sources.item_to_item import Spreads
from recsys.sources.kernels import other_dots
from recsys.sources.places import places
from recsys.sources.two_tower import TwoTowerRetriever

TWO_TOWER = ("two_tower_score", "two_tower_gap", "two_tower_rank")
TWO_TOWER_COLUMN = 0  # of its score among the features
OF_A_SCORER = ("score", "share", "rank", "last_item")
PREDICTED_RATING = "predicted_rating"  # less the mean rating
HYBRID_SCORE = "hybrid_score"  # the last feature


@dataclass(frozen=True)
class Scored:
    """What the retrievers say of the candidates of B queries.

    Attributes:
        items: int32 [B, C], candidates, padded with `NO_ITEM`.
        scores: float32 [R, B, C], of the two-tower, then of `CandidateFeatures.retrievers` in their order.
        hybrid: float32 [B, C], the hybrid's scores; 0 without a hybrid.
    """

    items: Int32Array
    scores: Float32Array
    hybrid: Float32Array

    def best(self, most: int, behind: BoolArray | None = None) -> Scored:
        """The candidates of the highest hybrid scores, at most so many of a query; equal ones in their order.

        Args:
            most: see above.
            behind: bool [B, C], candidates that come after all others.
        """
        order = self.hybrid if behind is None else np.where(behind, np.float32(-np.inf), self.hybrid)
        shape = len(self.items), most
        items, hybrid = np.empty(shape, np.int32), np.empty(shape, np.float32)
        scores = np.empty((len(self.scores), *shape), np.float32)
        write_finalists(self.items, self.scores, self.hybrid, order, items, scores, hybrid)
        return Scored(items, scores, hybrid)


@dataclass(frozen=True)
class CandidateFeatures:
    """Computes the features of candidates.

    Attributes:
        item_embeddings: float16 [N, D], of the two-tower.
        scorers: retrievers by name that score the candidates beside the two-tower.
        attributes: of the items.
        predictor: of ratings; None: no rating feature.
        hybrid: weights of a hybrid, by name of its members, see `Hybrid`; its score is a feature too.
        members: those of them that are neither the two-tower nor among `scorers`.
    """

    item_embeddings: Float16Array
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

    def compute(self, queries: Queries, vectors: Float32Array, items: Int32Array) -> Float32Array:
        """`describe` the items int32 [B, C], padded with `NO_ITEM`."""
        return self.describe(queries, vectors, self.score(queries, vectors, items))

    @cached_property
    def retrievers(self) -> dict[str, PairScorer]:
        """All whose scores are computed beside the two-tower's."""
        return {**self.scorers, **self.members}

    @cached_property
    def scores_of_retrievers(self) -> PairScores:
        """Of the `retrievers`."""
        return PairScores(list(self.retrievers.values()), self.attributes.loans)

    @cached_property
    def _scores_of_scorers(self) -> PairScores:
        return PairScores(list(self.scorers.values()), self.attributes.loans)

    @cached_property
    def _hybrid_weights(self) -> Float32Array:
        """float32 [R], of the two-tower and the `retrievers`."""
        names = (TwoTowerRetriever.name, *self.retrievers)
        return np.array([self.hybrid.get(name, 0) for name in names], np.float32)

    def score(
        self,
        queries: Queries,
        vectors: Float32Array,
        items: Int32Array,
        spreads: Spreads | None = None,
        found: Candidates | None = None,
    ) -> Scored:
        """What the retrievers say of candidates.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
            spreads: of the queries' histories, where they are known already.
            found: items whose scores by the two-tower are known already.
        """
        scores = np.empty((1 + len(self.retrievers), *items.shape), np.float32)
        found = found or Candidates.none(len(queries), 0)
        known = found.items, found.scores, places.of(len(self.item_embeddings))
        other_dots(vectors, halves(self.item_embeddings), items, *known, scores[0])
        self.scores_of_retrievers.write(queries.histories, items, scores[1:], spreads)
        hybrid = np.empty(items.shape, np.float32)
        write_sum(scores, self._hybrid_weights, hybrid)
        return Scored(items, scores, hybrid)

    def describe(self, queries: Queries, vectors: Float32Array, scored: Scored) -> Float32Array:
        """Features float32 [B, C, F], finite; 0 beside `NO_ITEM`. Some compare a candidate with its query's others.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            scored: what `score` gave for them.
        """
        items, histories = scored.items, queries.histories
        features = np.zeros((*items.shape, len(self.names)), np.float32)
        write_two_tower(items, scored.scores[0], scored.hybrid, features)
        of_last = np.empty((len(self.scorers), *items.shape), np.float32)
        self._scores_of_scorers.write_last(histories, items, of_last)
        write_scores(items, scored.scores[1 : 1 + len(of_last)], of_last, features, len(TWO_TOWER))
        self.attributes.write(histories, items, features, len(TWO_TOWER) + len(OF_A_SCORER) * len(of_last))
        if self.predictor is not None:
            ratings = self.predictor.predict(vectors, histories, items)
            write_deviations(ratings, self.predictor.statistics.global_mean, features, self.rating_column)
        return features
