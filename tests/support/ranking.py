"""What the ranker reads of given items, and queries with what followed them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.measure.metrics import Relevant
from recsys.measure.protocol import HeldOut
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures


def described(
    scorer: CandidateScorer, features: CandidateFeatures, queries: Queries, items: Int32Array
) -> Float32Array:
    """Features [B, C, F] of the items [B, C]."""
    readings = scorer.read(queries)
    return features.compute(scorer.feature_input(readings, scorer.score(readings, items)))


def held_out(histories: Histories, relevant: Sequence[Sequence[int]], *, repeats: bool = False) -> HeldOut:
    """Users with the given histories who went on to choose `relevant`."""
    count = len(histories)
    queries = Queries(histories, np.arange(count, dtype=np.int32), np.zeros(count, np.int64))
    indptr = np.cumsum([0, *map(len, relevant)])
    items = np.array([item for row in relevant for item in row], np.int32)
    return HeldOut("test", queries, Relevant(indptr, items), pd.DataFrame(columns=["query", "item", "rating"]), repeats)
