"""Rows of the arrays of a factorisation, in a catalogue that may have items beyond them."""

from __future__ import annotations

import numpy as np

from recsys.core.types import Float32Array, Int32Array


def rows_of(array: Float32Array, items: Int32Array) -> Float32Array:
    """Of an array [N, ...] the rows of items [...]; 0 for an item beyond it, of which training knew nothing."""
    beyond = items >= len(array)
    if not beyond.any():
        return array[items]
    rows = array[np.where(beyond, 0, items)]
    rows[beyond] = 0
    return rows
