"""Queries (the users to recommend for) and candidates (the items proposed to them)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Int32Array, Int64Array

NO_ITEM = -1


@dataclass(frozen=True)
class Queries:
    """A batch of B users to recommend for.

    Attributes:
        histories: the interactions of each user up to this moment; row b belongs to query b.
        users: int32 [B], user rows; -1 for a user the model was not trained on.
        now: int64 [B], seconds since 1970, the moment the recommendations are asked for.
        bought: of each history what was bought, at the times of purchases; None: nothing is known of that.
        ids: the ids of the users, None for a session; None: nobody has said.
        profiles: int32 [B, A], what counts of the users' attributes in the place of what a bundle knows of them, see
            `recsys.core.profiles`; a row of -1: what the bundle knows; None: that for everyone.
    """

    histories: Histories
    users: Int32Array
    now: Int64Array
    bought: Histories | None = None
    ids: tuple[str | None, ...] | None = None
    profiles: Int32Array | None = None

    def __len__(self) -> int:
        return len(self.histories)

    @staticmethod
    def nobody() -> Queries:
        """One query of which nothing is known: an unknown user without a history, in 1970."""
        none = np.zeros(0, np.int64)
        histories = Histories.from_rows(1, none, none, none)
        return Queries(histories, np.array([NO_ITEM], np.int32), np.zeros(1, np.int64))

    def select(self, rows: NDArray[np.integer] | Sequence[int]) -> Queries:
        """The queries of the given rows (0..B-1), in their order."""
        rows = np.asarray(rows, np.int64)
        bought = None if self.bought is None else self.bought.select(rows)
        ids = None if self.ids is None else tuple(self.ids[row] for row in rows.tolist())
        profiles = None if self.profiles is None else self.profiles[rows]
        return Queries(self.histories.select(rows), self.users[rows], self.now[rows], bought, ids, profiles)

    def blocks(self, size: int) -> Iterator[tuple[slice, Queries]]:
        """Consecutive blocks of at most `size` queries, each with its slice of the batch."""
        if 0 < len(self) <= size:
            yield slice(0, len(self)), self
            return
        for start in range(0, len(self), size):
            block = slice(start, min(start + size, len(self)))
            yield block, self.select(np.arange(block.start, block.stop))


@dataclass(frozen=True)
class Candidates:
    """The best items of B queries, best first.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], never increasing along a row; -inf beside `NO_ITEM`.
    """

    items: Int32Array
    scores: Float32Array

    @staticmethod
    def none(queries: int, k: int) -> Candidates:
        """No candidates at all: `NO_ITEM` everywhere."""
        return Candidates(np.full((queries, k), NO_ITEM, np.int32), np.full((queries, k), -np.inf, np.float32))
