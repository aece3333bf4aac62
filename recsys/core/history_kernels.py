"""Compiled loops of histories, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.types import Float32Array, Int32Array, Int64Array


@compiled
def gathered(
    rows: Int64Array,
    most: int,
    indptr: Int64Array,
    items: Int32Array,
    timestamps: Int64Array,
    ratings: Float32Array,
    weights: Float32Array,
) -> tuple[Int64Array, Int32Array, Int64Array, Float32Array, Float32Array]:
    """The parts of `Histories` of some rows of others, each cut to its latest.

    Args:
        rows: [R], rows of the histories; one outside of them gives an empty one.
        most: interactions of a row.
        indptr, items, timestamps, ratings, weights: of the histories.
    """
    bounds = np.zeros(len(rows) + 1, np.int64)
    for place in range(len(rows)):
        row = rows[place]
        length = min(indptr[row + 1] - indptr[row], most) if 0 <= row < len(indptr) - 1 else 0
        bounds[place + 1] = bounds[place] + length
    total = bounds[-1]
    some_items, some_timestamps = np.empty(total, np.int32), np.empty(total, np.int64)
    some_ratings, some_weights = np.empty(total, np.float32), np.empty(total, np.float32)
    for place in range(len(rows)):
        start, end = bounds[place], bounds[place + 1]
        if start < end:
            shift = indptr[rows[place] + 1] - end
            for position in range(start, end):
                some_items[position] = items[shift + position]
                some_timestamps[position] = timestamps[shift + position]
                some_ratings[position] = ratings[shift + position]
                some_weights[position] = weights[shift + position]
    return bounds, some_items, some_timestamps, some_ratings, some_weights
