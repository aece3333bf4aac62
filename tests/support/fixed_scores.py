"""A source whose scores are given, so that every expected figure can be derived by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.sources.base import Source, scores_of
from recsys.sources.dense import propose_by_scores


@dataclass(eq=False)
class FixedScores(Source):
    """Scores by user row: `table` is float32 [U, N], -inf where there is none."""

    table: Float32Array
    name: str = "fixed"

    @property
    def n_items(self) -> int:
        return self.table.shape[1]

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        scores = self.table[queries.users]
        return scores if items is None else scores_of(items, scores)

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return propose_by_scores(self.score, self.n_items, queries, k, exclude_seen=exclude_seen)

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError
