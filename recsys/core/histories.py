"""Histories of many users at one moment: each user's interactions in order of time, concatenated (CSR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.history_kernels import gathered
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array


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

    indptr: Int64Array
    items: Int32Array
    timestamps: Int64Array
    ratings: Float32Array
    weights: Float32Array

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @cached_property
    def lengths(self) -> Int64Array:
        """int64 [B], number of interactions of each user."""
        return np.diff(self.indptr)

    @property
    def rows(self) -> Int64Array:
        """int64 [T], the user (0..B-1) of each interaction."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def select(self, rows: NDArray[np.integer] | Sequence[int]) -> Histories:
        """Histories of the given rows, in their order; a row outside 0..B-1 gives an empty one."""
        return self._gather(np.asarray(rows, np.int64), len(self.items))

    def last(self, count: int) -> Histories:
        """The `count` most recent interactions of each user."""
        return self._gather(np.arange(len(self)), count)

    def where(self, kept: BoolArray) -> Histories:
        """Only the interactions bool [T] that are kept, in their order."""
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[self.indptr]
        return Histories(indptr, self.items[kept], self.timestamps[kept], self.ratings[kept], self.weights[kept])

    def gaps(self) -> Float32Array:
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

    def _gather(self, rows: Int64Array, max_length: int) -> Histories:
        return Histories(
            *gathered(rows, max_length, self.indptr, self.items, self.timestamps, self.ratings, self.weights)
        )

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
