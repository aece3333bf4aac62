"""The compiled loop that merges histories, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array


@compiled
def write_merged(
    starts: Int64Array,
    ends: Int64Array,
    items: Int32Array,
    timestamps: Int64Array,
    ratings: Float32Array,
    weights: Float32Array,
    bounds: Int64Array,
    added: Float64Array,
    until: float,
    slots: Int32Array,
    merged_indptr: Int64Array,
    merged_items: Int32Array,
    merged_timestamps: Int64Array,
    merged_ratings: Float32Array,
    merged_weights: Float32Array,
) -> None:
    """Write histories of B users with more interactions, as `merge` describes them, at the end of the merged arrays.

    Args:
        starts, ends: [B], where each user's interactions in the bundle begin and end.
        items, timestamps, ratings, weights: of the bundle, oldest first.
        bounds: [B + 1], where each user's rows of `added` begin and end.
        added: [E, 4], item row, time, rating and weight of what is added, in the order of arrival.
        until: leave out what is later.
        slots: int32 [N], 0 before and after.
        merged_indptr: [B + 1], where each user's part of the merged arrays begins; the last one is given.
        merged_items, merged_timestamps, merged_ratings, merged_weights: where to write to.
    """
    order = np.empty(len(added), np.int64)
    for query in range(len(starts) - 1, -1, -1):
        first = bounds[query]
        for row in range(first, bounds[query + 1]):  # by time, equal times as they came; most come in that order
            index = row
            while index > first and added[order[index - 1], 1] > added[row, 1]:
                order[index] = order[index - 1]
                index -= 1
            order[index] = row
        old, new, index = ends[query] - 1, bounds[query + 1] - 1, merged_indptr[query + 1]
        end = index
        while old >= starts[query] or new >= first:  # from the latest to the oldest
            if new >= first and (old < starts[query] or added[order[new], 1] >= timestamps[old]):
                row = order[new]
                item, time = np.int32(added[row, 0]), added[row, 1]
                rating, weight = np.float32(added[row, 2]), np.float32(added[row, 3])
                new -= 1
            else:
                item, time, rating, weight = items[old], np.float64(timestamps[old]), ratings[old], weights[old]
                old -= 1
            if time > until:
                continue
            if slots[item] == 0:
                index -= 1
                merged_items[index], merged_timestamps[index] = item, np.int64(time)
                merged_ratings[index], merged_weights[index] = rating, weight
                slots[item] = end - index
            else:
                latest = end - slots[item]
                merged_weights[latest] = max(merged_weights[latest], weight)
                if math.isnan(merged_ratings[latest]):
                    merged_ratings[latest] = rating
        merged_indptr[query] = index
        for position in range(index, end):
            slots[merged_items[position]] = 0
