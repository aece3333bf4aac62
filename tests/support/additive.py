"""A source whose scores are sums over the history, so that what each of its items gives is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.sources.base import scores_of
from tests.support.fixed_scores import FixedScores


@dataclass(eq=False)
class Additive(FixedScores):
    """score(j) = sum of `table[h, j]` over the items h of the history, float32 [N, N]; none where the sum is 0."""

    name: str = "additive"

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        scores = np.zeros((len(queries), self.n_items), np.float32)
        np.add.at(scores, queries.histories.rows, self.table[queries.histories.items])
        scores[scores == 0] = -np.inf
        return scores if items is None else scores_of(items, scores)
