"""Rank: scores of the sources, finalists, features, and the scores that decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures
from recsys.pipeline.features.rating import PREDICTED_RATING
from recsys.pipeline.finalists import ScoredCandidates
from recsys.pipeline.kernels import write_lists
from recsys.pipeline.ranker_tables import RankerTables
from recsys.sources.exact import is_among, is_seen
from recsys.sources.readings import Readings
from recsys.sources.registry import RANKER


@dataclass(frozen=True)
class RankedCandidates:
    """The finalists of B queries, with the scores that decide.

    Attributes:
        candidates: all that the finalists were chosen of.
        finalists: int32 [B, C] items, with what the sources say of them.
        features: float32 [B, C, F], what the model reads of them.
        scores: float32 [B, C], -inf beside `NO_ITEM`.
    """

    candidates: ScoredCandidates
    finalists: ScoredCandidates
    features: Float32Array
    scores: Float32Array

    @cached_property
    def in_order(self) -> Candidates:
        """All finalists with their scores, best first: [B, C]."""
        items, scores = np.empty(self.scores.shape, np.int32), np.empty(self.scores.shape, np.float32)
        no_columns, none = np.zeros(0, np.int64), np.zeros((*self.scores.shape, 0), np.float32)
        write_lists(self.finalists.items, self.scores, self.features, no_columns, items, scores, none)
        return Candidates(items, scores)


@dataclass(frozen=True)
class Ranker:
    """Puts the candidates of a query in order.

    Attributes:
        scorer: says what the sources think of the candidates.
        features: computes what the model reads.
        model: scores it.
        repeat_log_odds: added to the score of an item that the history holds; how much likelier training users chose
            such an item than another one. Far below zero where a pair of user and item is kept once; where repeats are
            kept, the model has learned from lists with such items, and this is what they lack on validation.
        knows_repeats: whether the model has learned from lists that hold items of the history.
        finalists: candidates of a query that reach the model, those of the highest sums; all of them where no source
            has a weight in the sum.
        order: what the order is: the ranker's own, or that of a source or hybrid whose sum is all that the model reads.
    """

    scorer: CandidateScorer
    features: CandidateFeatures
    model: RankerTables
    repeat_log_odds: float = 0.0
    knows_repeats: bool = False
    finalists: int = field(kw_only=True)
    order: str = RANKER

    def rank(
        self, readings: Readings, items: Int32Array, k: int, *, repeats: bool, invited: Int32Array | None = None
    ) -> RankedCandidates:
        """Score the candidates that are to be put in order.

        Args:
            readings: of B queries.
            items: int32 [B, C], all candidates, padded with `NO_ITEM`.
            k: how many of them are wanted.
            repeats: whether items of the histories are among them.
            invited: int32 [B, W], candidates that are finalists whatever the sources say of them, and that repeat no
                choice though they be in the history; None: there are none.
        """
        scored = self.scorer.score(readings, items)
        finalists = self.choose_finalists(readings.queries, scored, k, repeats=repeats, invited=invited)
        features = self.describe(readings, finalists)
        scores = self.score(readings.queries, features, finalists.items, repeats=repeats, invited=invited)
        return RankedCandidates(scored, finalists, features, scores)

    def choose_finalists(
        self,
        queries: Queries,
        candidates: ScoredCandidates,
        k: int,
        *,
        repeats: bool = True,
        invited: Int32Array | None = None,
    ) -> ScoredCandidates:
        """The candidates that the model is to put in order, at least k of each query where there are so many.

        Items of the history come after all others where repeats are the exception, of which the model knows nothing;
        without `repeats` no candidate is one, which spares looking. Those that are `invited` come before all others:
        nobody proposed them, and sources that look for what goes with an item say nothing of the item itself.
        """
        most = max(self.finalists, k)
        if not self.scorer.weights or candidates.items.shape[1] <= most:
            return candidates
        return candidates.best(most, self.gate_order(queries, candidates, repeats=repeats, invited=invited))

    def gate_order(
        self, queries: Queries, candidates: ScoredCandidates, *, repeats: bool, invited: Int32Array | None
    ) -> Float32Array:
        """By what candidates become finalists, float32 [B, C]: sums, or -inf or inf as `choose_finalists` says."""
        order = candidates.sums
        if repeats and self.repeat_log_odds < 0 and not self.knows_repeats:
            order = np.where(_in_history(candidates.items, queries.histories), np.float32(-np.inf), order)
        if invited is not None:
            order = np.where(is_among(candidates.items, invited), np.float32(np.inf), order)
        return order

    def describe(self, readings: Readings, candidates: ScoredCandidates) -> Float32Array:
        """Features float32 [B, C, F] of the candidates."""
        return self.features.compute(self.scorer.feature_input(readings, candidates))

    def score(
        self,
        queries: Queries,
        features: Float32Array,
        items: Int32Array,
        *,
        repeats: bool = True,
        invited: Int32Array | None = None,
    ) -> Float32Array:
        """Scores float32 [B, C] of the candidates; -inf beside `NO_ITEM`.

        Args:
            queries: B queries.
            features: float32 [B, C, F], see `CandidateFeatures.compute`.
            items: int32 [B, C], the candidates.
            repeats: whether items of the histories are among them.
            invited: int32 [B, W], those that repeat no choice all the same; None: there are none.
        """
        if not items.size:
            return np.full(items.shape, -np.inf, np.float32)
        scores = self.model.score(features)
        if repeats:
            scores += np.float32(self.repeat_log_odds) * self.repeated(queries, items, invited)
        scores[items == NO_ITEM] = -np.inf
        return scores

    def repeated(self, queries: Queries, items: Int32Array, invited: Int32Array | None) -> BoolArray:
        """Bool [B, C], which of the items the odds of repeats are added to; the arguments as of `score`."""
        repeated = _in_history(items, queries.histories)
        if invited is not None and self.repeat_log_odds < 0:
            repeated &= ~is_among(items, invited)
        return repeated

    @cached_property
    def _kept_columns(self) -> Int64Array:
        """Features that leave the ranker with every item: the primary source's score, and the rating if it is one."""
        names = [f"{self.scorer.primary.name}_score"]
        names += [PREDICTED_RATING] if PREDICTED_RATING in self.features.names else []
        return np.array([self.features.column(name) for name in names])

    def best(
        self, ranked: RankedCandidates, k: int
    ) -> tuple[Int32Array, Float32Array, Float32Array, Float32Array | None]:
        """The k best items of each query, with scores, the primary source's scores, and ratings less the mean rating.

        Returns:
            int32 and float32 [B, k]; `NO_ITEM`, -inf, -inf and NaN where there are fewer candidates. None instead of
            ratings where they are no feature.
        """
        shape = len(ranked.scores), k
        items, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
        kept = np.empty((*shape, len(self._kept_columns)), np.float32)
        candidates = ranked.finalists.items
        write_lists(candidates, ranked.scores, ranked.features, self._kept_columns, items, scores, kept)
        primary_scores = np.where(items == NO_ITEM, np.float32(-np.inf), kept[..., 0])
        return items, scores, primary_scores, kept[..., 1] if kept.shape[2] > 1 else None


def _in_history(items: Int32Array, histories: Histories) -> BoolArray:
    """Whether each item [B, C] is in the history of its query."""
    return is_seen(items, np.arange(len(items))[:, None], histories)
