"""Compiled loops of histories, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.types import Float32Array, Int32Array, Int64Array


@compiled
def gathered(
    rows: Int64Array,
    max_length: int,
    indptr: Int64Array,
    items: Int32Array,
    timestamps: Int64Array,
    ratings: Float32Array,
    weights: Float32Array,
) -> tuple[Int64Array, Int32Array, Int64Array, Float32Array, Float32Array]:
    """Select histories by row, each cut to its latest interactions.

    Args:
        rows: [R], rows of the histories to select; a row outside of them gives an empty history.
        max_length: the most interactions kept of a history.
        indptr, items, timestamps, ratings, weights: the fields of the `Histories` to select from.

    Returns:
        The fields of the selected `Histories`, in the same order.
    """
    selected_indptr, total = np.empty(len(rows) + 1, np.int64), 0
    selected_indptr[0] = 0
    for index in range(len(rows)):
        row = rows[index]
        length = indptr[row + 1] - indptr[row] if 0 <= row < len(indptr) - 1 else 0
        total += length if length < max_length else max_length
        selected_indptr[index + 1] = total
    selected_items, selected_timestamps = np.empty(total, np.int32), np.empty(total, np.int64)
    selected_ratings, selected_weights = np.empty(total, np.float32), np.empty(total, np.float32)
    for index in range(len(rows)):
        start, end = selected_indptr[index], selected_indptr[index + 1]
        if start < end:
            shift = indptr[rows[index] + 1] - end
            for position in range(start, end):
                selected_items[position] = items[shift + position]
                selected_timestamps[position] = timestamps[shift + position]
                selected_ratings[position] = ratings[shift + position]
                selected_weights[position] = weights[shift + position]
    return selected_indptr, selected_items, selected_timestamps, selected_ratings, selected_weights
