"""A pipeline of two sources with given scores and a ranker of one line, so that every number follows on paper.

A candidate's source sum is `two_tower + transitions`. The ranker's score is how far its two-tower score lies below the
best finalist's, plus three times its share of the best transitions score, see `RANKER_WEIGHTS`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, FeatureParts
from recsys.pipeline.features.history import HistoryFeatures
from recsys.pipeline.features.primary import PrimaryFeatures
from recsys.pipeline.features.source_scores import SourceScoreFeatures
from recsys.pipeline.features.source_sum import SourceSumFeatures
from recsys.pipeline.propose import Proposer
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.recommender import Recommender
from recsys.sources.lending import Loans
from recsys.sources.popularity.source import Popularity
from tests.support.bundles import make_ranker
from tests.support.fixed_scores import FixedScores


def hand_made_pipeline(
    two_tower: Sequence[float],
    transitions: Sequence[float],
    popularity: Sequence[float],
    *,
    depths: tuple[int, int],
    finalists: int,
    repeat_log_odds: float = 0.0,
) -> Recommender:
    """Of a catalogue of N items and a single user, row 0.

    Args:
        two_tower, transitions, popularity: N scores each, -inf where there is none.
        depths: how many items the first two propose.
        finalists: see `Ranker`.
        repeat_log_odds: likewise.
    """
    primary = FixedScores(np.array([two_tower], np.float32), "two_tower")
    other = FixedScores(np.array([transitions], np.float32), "transitions")
    parts = FeatureParts(primary.name, (other.name,), None)
    features = CandidateFeatures(
        {
            "primary": PrimaryFeatures.of(parts),
            "source_scores": SourceScoreFeatures.of(parts),
            "history": HistoryFeatures.of(parts),
            "source_sum": SourceSumFeatures.of(parts),
        }
    )
    weights = {primary.name: 1.0, other.name: 1.0}
    scorer = CandidateScorer(primary, {other.name: other}, Loans.none(len(two_tower)), weights)
    ranker = Ranker(scorer, features, make_ranker(features.names), repeat_log_odds, finalists=finalists)
    return Recommender(
        [Proposer(primary, depths[0]), Proposer(other, depths[1])],
        Popularity(np.array(popularity, np.float32)),
        ranker=ranker,
    )


def query_of(items: Sequence[int], bought: Sequence[int] | None = None, user: int = 0) -> Queries:
    """One query, with its history a day apart."""
    kept = None if bought is None else _history(bought)
    return Queries(_history(items), np.array([user], np.int32), np.array([10**6]), kept)


def _history(items: Sequence[int]) -> Histories:
    times = 86_400 * np.arange(len(items))
    return Histories.from_rows(1, np.zeros(len(items), np.int64), np.array(items, np.int64), times)
