"""The ranker: from candidates that sources have scored to scores that decide."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.candidates import ScoredCandidates
from recsys.pipeline.features import CandidateFeatures
from recsys.pipeline.ranker_model import RankerModel
from recsys.sources.exact import is_seen
from recsys.sources.readings import Readings


@dataclass(frozen=True)
class CandidateRanker:
    """Puts the candidates of a query in order.

    Attributes:
        scorer: says what the sources think of the candidates.
        features: computes what the model reads.
        model: scores it.
        repeat_log_odds: added to the score of an item that the history holds; how much likelier training users chose
            such an item than another one. Far below zero where a pair of user and item is kept once.
        finalists: candidates of a query that reach the model, those of the highest sums; all of them where no source
            has a weight in the sum.
    """

    scorer: CandidateScorer
    features: CandidateFeatures
    model: RankerModel
    repeat_log_odds: float = 0.0
    finalists: int = field(kw_only=True)

    def finals(
        self, queries: Queries, candidates: ScoredCandidates, k: int, *, repeats: bool = True
    ) -> ScoredCandidates:
        """The candidates that the model is to put in order, at least k of each query where there are so many.

        Items of the history come after all others where repeats are the exception; without `repeats` no candidate is
        one, which spares looking.
        """
        most = max(self.finalists, k)
        if not self.scorer.weights or candidates.items.shape[1] <= most:
            return candidates
        behind = repeats and self.repeat_log_odds < 0
        return candidates.best(most, _in_history(candidates.items, queries.histories) if behind else None)

    def describe(self, readings: Readings, candidates: ScoredCandidates) -> Float32Array:
        """Features float32 [B, C, F] of the candidates."""
        return self.features.compute(self.scorer.feature_input(readings, candidates))

    def score(
        self, queries: Queries, features: Float32Array, items: Int32Array, *, repeats: bool = True
    ) -> Float32Array:
        """Scores float32 [B, C] of the candidates; -inf beside `NO_ITEM`.

        Args:
            queries: B queries.
            features: float32 [B, C, F], see `CandidateFeatures.compute`.
            items: int32 [B, C], the candidates.
            repeats: see `finals`.
        """
        if not items.size:
            return np.full(items.shape, -np.inf, np.float32)
        scores = self.model.score(features)
        if repeats:
            scores += np.float32(self.repeat_log_odds) * _in_history(items, queries.histories)
        scores[items == NO_ITEM] = -np.inf
        return scores


def _in_history(items: Int32Array, histories: Histories) -> BoolArray:
    """Whether each item [B, C] is in the history of its query."""
    return is_seen(items, np.arange(len(items))[:, None], histories)
