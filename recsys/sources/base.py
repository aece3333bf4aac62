"""The one protocol that every retriever follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from recsys.core.histories import Histories
from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Int32Array


@runtime_checkable
class Retriever(Protocol):
    """Anything that proposes items. One contract suite in tests/contracts holds for all.

    A query with an empty history gets no candidates (all `NO_ITEM`) from a retriever that knows
    users by their history alone; what to answer then is the caller's named policy, not a guess.
    The answer to a query does not depend on the others in its batch.
    """

    name: str

    @property
    def n_items(self) -> int:
        """Size of the catalogue: item rows are 0..n_items-1."""
        ...

    def scores(self, queries: Queries) -> Float32Array:
        """float32 [B, n_items], exact scores; -inf for an item (or a whole row) it has no opinion on."""
        ...

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        """The k best items of each query, without those in its history if `exclude_seen`."""
        ...

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists and is empty."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        ...


ItemScores = Callable[[Int32Array], Float32Array]
"""Scores float32 [B, C] of items int32 [B, C] for B users; 0 for an item without a score and beside `NO_ITEM`."""


@runtime_checkable
class PairScorer(Protocol):
    """A retriever that scores a few given items fast, for the ranker."""

    def pair_scorer(self, histories: Histories) -> ItemScores:
        """Get ready to score items for users with the given histories; what is known of them is computed once."""
        ...
