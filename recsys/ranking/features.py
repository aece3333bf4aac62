"""What the ranker sees of a candidate. Training, evaluation and serving call this one function.

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
from recsys.ranking.kernels import write_scores, write_two_tower
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
        """Features float32 [B, C, F], finite; 0 beside `NO_ITEM`.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
        """
        histories, last = queries.histories, queries.histories.last(1)
        features = np.zeros((*items.shape, len(self.names)), np.float32)
        two_tower = np.empty(items.shape, np.float32)
        dots(vectors, self.item_embeddings, items, two_tower)
        write_two_tower(items, two_tower, features)
        hybrid = self.hybrid.get(TwoTowerRetriever.name, 0.0) * two_tower
        column = len(TWO_TOWER)
        for name, scorer in self.scorers.items():
            scores = self._pair_scores(scorer, histories, items)
            write_scores(items, scores, self._pair_scores(scorer, last, items), features, column)
            column += len(OF_A_SCORER)
            if name in self.hybrid:
                hybrid += np.float32(self.hybrid[name]) * scores
        self.attributes.write(histories, items, features, column)
        column += sum(map(len, OF_ATTRIBUTES.values()))
        if self.predictor is not None:
            ratings = self.predictor.predict(vectors, histories, items)
            features[..., column] = np.nan_to_num(ratings - np.float32(self.predictor.statistics.global_mean))
        for name, member in self.members.items():
            hybrid += np.float32(self.hybrid[name]) * self._pair_scores(member, histories, items)
        features[..., -1] = np.where(items == NO_ITEM, np.float32(0), hybrid)
        return features

    def _pair_scores(self, scorer: PairScorer, histories: Histories, items: NDArray[np.int32]) -> Matrix:
        """Scores of the items; those nobody has chosen yet borrow them where they have none of their own."""
        return self.attributes.loans.fill(scorer.pair_scorer(histories), items)
