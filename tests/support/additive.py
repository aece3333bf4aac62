"""A source whose scores are sums over the history, so that what each of its items gives is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.sources.base import Source, scores_of
from recsys.sources.dense import propose_by_scores


@dataclass(eq=False)
class Additive(Source):
    """score(j) = sum of `gives[h, j]` over the items h of the history, float32 [N, N]; none where the sum is 0."""

    gives: Float32Array
    name: str = "additive"

    @property
    def n_items(self) -> int:
        return self.gives.shape[1]

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        scores = np.zeros((len(queries), self.n_items), np.float32)
        np.add.at(scores, queries.histories.rows, self.gives[queries.histories.items])
        scores[scores == 0] = -np.inf
        return scores if items is None else scores_of(items, scores)

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return propose_by_scores(self.score, self.n_items, queries, k, exclude_seen=exclude_seen)

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError
