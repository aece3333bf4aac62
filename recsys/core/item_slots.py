"""A table over a catalogue, in which compiled loops note where they put an item."""

from __future__ import annotations

import threading

import numpy as np

from recsys.core.types import Int32Array


class _ItemSlots(threading.local):
    """All 0 between calls. One for each thread, of the largest size asked for."""

    def __init__(self) -> None:
        self._table = np.zeros(0, np.int32)

    def of(self, n_items: int) -> Int32Array:
        """int32, at least [n_items]."""
        if len(self._table) < n_items:
            self._table = np.zeros(n_items, np.int32)
        return self._table


item_slots = _ItemSlots()
