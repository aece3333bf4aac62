"""A matrix that grows at its end without being copied each time."""

from __future__ import annotations

import numpy as np

from recsys.core.types import Float16Array

_ROOM = 1024  # rows that a new buffer has to spare, or
_SHARE = 16  # a sixteenth of its rows, where that is more


class GrowingRows:
    """The rows of a matrix, and others behind them.

    What it gave is never written to again: rows are added behind those in use, and where one in use would change, all
    move into a new buffer. One thread at a time asks for rows; any number read what they got.

    Attributes:
        first: float16 [N, D], the rows that never change.
    """

    def __init__(self, first: Float16Array) -> None:
        self.first = first
        self._buffer, self._used = first, len(first)

    def followed_by(self, rows: Float16Array) -> Float16Array:
        """float16 [N + M, D], contiguous: the first rows and M others [M, D]."""
        end = len(self.first) + len(rows)
        in_use = self._buffer[len(self.first) : self._used]
        fits = len(rows) >= len(in_use) and end <= len(self._buffer)
        if not fits or not np.array_equal(in_use, rows[: len(in_use)]):
            self._buffer = np.empty((end + max(_ROOM, end // _SHARE), self.first.shape[1]), np.float16)
            self._buffer[: len(self.first)] = self.first
            self._used = len(self.first)
        self._buffer[self._used : end] = rows[self._used - len(self.first) :]
        self._used = end
        return self._buffer[:end]
