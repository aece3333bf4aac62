"""Lookup of pairs query * N + item in constant time: faster than sorting them or counting over the catalogue."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

Pairs = NDArray[np.int64]

MOST_PAIRS = 1 << 21  # entries that callers should keep to, by asking for fewer queries at a time: 8 MB


class PairTable(threading.local):
    """A table over all pairs, one to each thread, that is never cleared.

    What stands in an entry that was not just written is left over from before: every answer is checked against the
    pairs themselves.
    """

    def __init__(self) -> None:
        self._entries = np.zeros(0, np.int32)

    def distinct(self, pairs: Pairs, size: int) -> tuple[Pairs, NDArray[np.int64]]:
        """Each pair once, in their order, and the place of every one of `pairs` among them.

        Args:
            pairs: int64 [S], from 0 to size - 1.
            size: number of possible pairs.
        """
        entries = self._of(size)
        order = np.arange(len(pairs), dtype=np.int32)
        entries[pairs] = order
        chosen = entries[pairs]  # of equal pairs the last
        kept = chosen == order
        return pairs[kept], (np.cumsum(kept) - 1)[chosen]

    def find(self, pairs: Pairs, among: Pairs, size: int) -> NDArray[np.int64]:
        """A place of every one of `pairs` in `among`; -1 where it is not there."""
        if not len(among):
            return np.full(len(pairs), -1, np.int64)
        entries = self._of(size)
        entries[among] = np.arange(len(among), dtype=np.int32)
        found = np.minimum(entries[pairs], len(among) - 1)
        return np.where(among[found] == pairs, found, -1)

    def _of(self, size: int) -> NDArray[np.int32]:
        if len(self._entries) < size:
            self._entries = np.zeros(size, np.int32)
        return self._entries
