"""The ranker as the server runs it: exported to ONNX, computed by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories
from recsys.ranking.features import CandidateFeatures
from recsys.retrieval.base import NO_ITEM, Queries
from recsys.retrieval.exact import is_seen
from recsys.retrieval.onnx_session import OnnxModel

_BLOCK_CANDIDATES = 1 << 10  # their encoded features then stay in the processor's cache: a third less time


class RankerModel:
    """Scores candidates by their features."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._model = OnnxModel(path, threads)

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores float32 [B, C] of `features` float32 [B, C, F]."""
        rows = max(1, _BLOCK_CANDIDATES // max(features.shape[1], 1))
        if len(features) <= rows:
            return self._model(features=features)
        return np.concatenate([self._model(features=features[at : at + rows]) for at in range(0, len(features), rows)])


@dataclass(frozen=True)
class CandidateRanker:
    """The ranker with the features it reads.

    Attributes:
        features: computes them.
        model: scores them.
        repeat_log_odds: added to the score of an item that the history holds; how much likelier training users chose
            such an item than another one. Far below zero where a pair of user and item is kept once.
    """

    features: CandidateFeatures
    model: RankerModel
    repeat_log_odds: float = 0.0

    def score(self, queries: Queries, features: NDArray[np.float32], items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores float32 [B, C] of the candidates; -inf beside `NO_ITEM`.

        Args:
            queries: B queries.
            features: float32 [B, C, F], see `CandidateFeatures.compute`.
            items: int32 [B, C], the candidates.
        """
        if not items.size:
            return np.full(items.shape, -np.inf, np.float32)
        scores = self.model.score(features)
        scores += np.float32(self.repeat_log_odds) * _in_history(items, queries.histories)
        return np.where(items == NO_ITEM, np.float32(-np.inf), scores)


def _in_history(items: NDArray[np.int32], histories: Histories) -> NDArray[np.bool_]:
    """Whether each item [B, C] is in the history of its query."""
    return is_seen(items, np.arange(len(items))[:, None], histories)
