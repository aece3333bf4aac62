"""The one protocol that every retriever follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories

NO_ITEM = -1


@dataclass(frozen=True)
class Queries:
    """A batch of B users to recommend for.

    Attributes:
        histories: what is known of each user at this moment; row b belongs to query b.
        users: int32 [B], user rows; -1 for a user the model was not trained on.
        now: int64 [B], seconds since 1970, the moment the recommendations are asked for.
    """

    histories: Histories
    users: NDArray[np.int32]
    now: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.histories)

    def select(self, rows: NDArray[np.integer] | Sequence[int]) -> Queries:
        """The queries of the given rows (0..B-1), in their order."""
        rows = np.asarray(rows, np.int64)
        return Queries(self.histories.select(rows), self.users[rows], self.now[rows])

    def blocks(self, size: int) -> Iterator[tuple[slice, Queries]]:
        """Consecutive blocks of at most `size` queries, each with its place in the batch."""
        if 0 < len(self) <= size:
            yield slice(0, len(self)), self
            return
        for start in range(0, len(self), size):
            place = slice(start, min(start + size, len(self)))
            yield place, self.select(np.arange(place.start, place.stop))


@dataclass(frozen=True)
class Candidates:
    """The best items of B queries, best first.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], never increasing along a row; -inf beside `NO_ITEM`.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]

    @staticmethod
    def none(queries: int, k: int) -> Candidates:
        """No candidates at all: `NO_ITEM` everywhere."""
        return Candidates(np.full((queries, k), NO_ITEM, np.int32), np.full((queries, k), -np.inf, np.float32))


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

    def scores(self, queries: Queries) -> NDArray[np.float32]:
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


ItemScores = Callable[[NDArray[np.int32]], NDArray[np.float32]]
"""Scores float32 [B, C] of items int32 [B, C] for B users; 0 for an item without a score and beside `NO_ITEM`."""


@runtime_checkable
class PairScorer(Protocol):
    """A retriever that scores a few given items fast, for the ranker."""

    def pair_scorer(self, histories: Histories) -> ItemScores:
        """Get ready to score items for users with the given histories; what is known of them is computed once."""
        ...
