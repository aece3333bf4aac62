"""What is known of many users at one moment: their interactions in order, row by row (CSR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Histories:
    """Histories of B users, concatenated; user b owns the slice `indptr[b]:indptr[b + 1]`.

    Attributes:
        indptr: int64 [B + 1].
        items: int32 [T], item rows, oldest first within a user.
        timestamps: int64 [T], seconds since 1970.
        ratings: float32 [T], NaN where there is none.
        weights: float32 [T], weight of the event type.
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    ratings: NDArray[np.float32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """int64 [B], number of interactions of each user."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> NDArray[np.int64]:
        """int64 [T], the user (0..B-1) of each interaction."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def steps_back(self) -> NDArray[np.int64]:
        """int64 [T], how many interactions of the same user came after each; 0 for the latest."""
        return self.indptr[1:][self.rows] - 1 - np.arange(len(self.items))

    def select(self, rows: NDArray[np.integer] | Sequence[int]) -> Histories:
        """Histories of the given rows, in their order; a row outside 0..B-1 gives an empty one."""
        rows = np.asarray(rows, np.int64)
        known = (rows >= 0) & (rows < len(self))
        safe = np.where(known, rows, 0)
        if not len(self):
            return self._gather(np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64))
        starts = self.indptr[safe]
        return self._gather(starts, np.where(known, self.indptr[safe + 1] - starts, 0))

    def last(self, count: int) -> Histories:
        """The `count` most recent interactions of each user."""
        lengths = np.minimum(self.lengths, count)
        return self._gather(self.indptr[1:] - lengths, lengths)

    def gaps(self) -> NDArray[np.float32]:
        """float32 [T], log(1 + days since the user's previous interaction); 0 for the first."""
        days = np.diff(self.timestamps, prepend=self.timestamps[:1]) / SECONDS_PER_DAY
        days[self.indptr[:-1][self.lengths > 0]] = 0
        return np.log1p(np.maximum(days, 0)).astype(np.float32)

    def padded(self, values: NDArray[np.generic], fill: float) -> NDArray[np.generic]:
        """`values` [T] as a matrix [B, longest], left-aligned and filled on the right with `fill`."""
        width = int(self.lengths.max(initial=0))
        matrix = np.full((len(self), width), fill, values.dtype)
        matrix[np.arange(width) < self.lengths[:, None]] = values
        return matrix

    def _gather(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Histories:
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        index = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
        return Histories(indptr, self.items[index], self.timestamps[index], self.ratings[index], self.weights[index])

    @staticmethod
    def from_rows(
        row_count: int,
        rows: NDArray[np.integer],
        items: NDArray[np.integer],
        timestamps: NDArray[np.integer],
        ratings: NDArray[np.floating] | None = None,
        weights: NDArray[np.floating] | None = None,
    ) -> Histories:
        """Group flat arrays by `rows` (stable: their order within a row is kept).

        Args:
            row_count: B; every entry of `rows` lies in 0..B-1.
            rows: int [T], the history each entry belongs to.
            items, timestamps, ratings, weights: [T]; ratings default to NaN, weights to 1.
        """
        order = np.argsort(rows, kind="stable")
        indptr = np.zeros(row_count + 1, np.int64)
        np.cumsum(np.bincount(np.asarray(rows, np.int64), minlength=row_count), out=indptr[1:])
        ratings = np.full(len(rows), np.nan) if ratings is None else ratings
        weights = np.ones(len(rows)) if weights is None else weights
        return Histories(
            indptr,
            np.asarray(items, np.int32)[order],
            np.asarray(timestamps, np.int64)[order],
            np.asarray(ratings, np.float32)[order],
            np.asarray(weights, np.float32)[order],
        )
