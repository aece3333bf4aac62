"""On which line of a file each row stands, in little memory: most rows stand on the line after the one before."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from recsys.core.types import Int64Array


class LineNumbers:
    """The lines of the rows of a file, both counted from 0.

    Attributes:
        count: number of rows.
    """

    def __init__(self) -> None:
        self.count = 0
        # Where a row does not stand on the line after the one before: the row, and its line less its number.
        self._jumps: list[int] = []
        self._shifts: list[int] = []

    def append(self, lines: Int64Array) -> None:
        """Add rows, by the lines on which they stand, in ascending order."""
        shifts = lines - np.arange(self.count, self.count + len(lines))
        last = self._shifts[-1] if self._shifts else -1
        jumps = np.flatnonzero(np.diff(shifts, prepend=last))
        self._jumps += (jumps + self.count).tolist()
        self._shifts += shifts[jumps].tolist()
        self.count += len(lines)

    def line_of(self, row: int) -> int:
        """The line of a row; rows that were never added are taken to stand on lines of their number."""
        jump = bisect_right(self._jumps, row) - 1
        return row + self._shifts[jump] if jump >= 0 else row
