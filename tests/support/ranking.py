"""What the ranker reads of given items."""

from __future__ import annotations

from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures


def described(
    scorer: CandidateScorer, features: CandidateFeatures, queries: Queries, items: Int32Array
) -> Float32Array:
    """Features [B, C, F] of the items [B, C]."""
    readings = scorer.read(queries)
    return features.compute(scorer.feature_input(readings, scorer.score(readings, items)))
