"""What the ranker sees of a candidate. Training, evaluation and serving call the same functions.

Everything is computed from the query's history and from what was fitted before: nothing knows an item
chosen later, and nothing depends on an item's row number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.pipeline.attributes import OF_ATTRIBUTES, ItemAttributes
from recsys.pipeline.head import RatingPredictor
from recsys.pipeline.kernels import write_deviations, write_finalists, write_scores, write_sum, write_two_tower
from recsys.sources.base import Source
from recsys.sources.readings import Readings, read

OF_THE_PRIMARY = ("score", "gap", "rank")
PRIMARY_COLUMN = 0  # of its score among the features
OF_A_SCORER = ("score", "share", "rank", "last_item")
PREDICTED_RATING = "predicted_rating"  # less the mean rating
HYBRID_SCORE = "hybrid_score"  # the last feature


@dataclass(frozen=True)
class Scored:
    """What the sources say of the candidates of B queries.

    Attributes:
        items: int32 [B, C], candidates, padded with `NO_ITEM`.
        scores: float32 [S, B, C], of `CandidateFeatures.sources` in their order.
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
        primary: the first source, whose user vectors the predictor reads.
        scorers: sources by name that score the candidates beside it.
        attributes: of the items.
        predictor: of ratings; None: no rating feature.
        hybrid: weights of a hybrid, by name of its members, see `Hybrid`; its score is a feature too.
        members: those of them that are neither the primary source nor among `scorers`.
    """

    primary: Source
    scorers: Mapping[str, Source]
    attributes: ItemAttributes
    predictor: RatingPredictor | None = None
    hybrid: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, Source] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the features, by what they come from, in the order in which `compute` gives them."""
        groups: dict[str, tuple[str, ...]] = {
            self.primary.name: tuple(f"{self.primary.name}_{part}" for part in OF_THE_PRIMARY)
        }
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

    def read(self, queries: Queries) -> Readings:
        """Get ready to ask the sources about the queries."""
        return read(self.sources, queries)

    def compute(self, readings: Readings, items: Int32Array) -> Float32Array:
        """`describe` the items int32 [B, C], padded with `NO_ITEM`."""
        return self.describe(readings, self.score(readings, items))

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """All S whose scores are computed: the primary one, the scorers, the other members of the hybrid."""
        return (self.primary, *self.scorers.values(), *self.members.values())

    @cached_property
    def _source_names(self) -> list[str]:
        return [self.primary.name, *self.scorers, *self.members]

    @cached_property
    def _hybrid_weights(self) -> Float32Array:
        """float32 [S], of the sources."""
        return np.array([self.hybrid.get(name, 0) for name in self._source_names], np.float32)

    def score(self, readings: Readings, items: Int32Array) -> Scored:
        """What the sources say of candidates.

        Args:
            readings: of B queries by the `sources`, perhaps among others.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
        """
        scores = readings.scores(self._source_names, items, self.attributes.loans)
        hybrid = np.empty(items.shape, np.float32)
        write_sum(scores, self._hybrid_weights, hybrid)
        return Scored(items, scores, hybrid)

    def describe(self, readings: Readings, scored: Scored) -> Float32Array:
        """Features float32 [B, C, F], finite; 0 beside `NO_ITEM`. Some compare a candidate with its query's others.

        Args:
            readings: of B queries.
            scored: what `score` gave for them.
        """
        items, histories = scored.items, readings.queries.histories
        features = np.zeros((*items.shape, len(self.names)), np.float32)
        write_two_tower(items, scored.scores[0], scored.hybrid, features)
        of_last = readings.scores(list(self.scorers), items, self.attributes.loans, last=True)
        write_scores(items, scored.scores[1 : 1 + len(of_last)], of_last, features, len(OF_THE_PRIMARY))
        self.attributes.write(histories, items, features, len(OF_THE_PRIMARY) + len(OF_A_SCORER) * len(of_last))
        if self.predictor is not None:
            ratings = self.predictor.predict(readings.user_vectors, histories, items)
            write_deviations(ratings, self.predictor.statistics.global_mean, features, self.rating_column)
        return features
