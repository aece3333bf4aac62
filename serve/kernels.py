"""Compiled loops of the server, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


@compiled
def _write_merged(
    start: int,
    length: int,
    items: Int32Array,
    timestamps: Int64Array,
    ratings: Float32Array,
    weights: Float32Array,
    first_added: int,
    count: int,
    added: Float64Array,
    until: float,
    slots: Int32Array,
    first: int,
    merged_items: Int32Array,
    merged_timestamps: Int64Array,
    merged_ratings: Float32Array,
    merged_weights: Float32Array,
) -> int:
    """Write one user's merged history, latest interaction first; returns where it ends.

    Args:
        start, length: of the user's interactions in the bundle.
        items, timestamps, ratings, weights: of the bundle.
        first_added, count: of the user's interactions among those added.
        added, until, slots: as of `merged`.
        first: where to write.
        merged_items, merged_timestamps, merged_ratings, merged_weights: where to write to.
    """
    order, end = np.empty(count, np.int64), first
    for index in range(count):  # by time, equal times in the order of arrival; most are in that order already
        row, position = first_added + index, index
        while position > 0 and added[order[position - 1], 1] > added[row, 1]:
            order[position] = order[position - 1]
            position -= 1
        order[position] = row
    old, new = length - 1, count - 1
    while old >= 0 or new >= 0:
        if new >= 0 and (old < 0 or added[order[new], 1] >= timestamps[start + old]):
            row = order[new]
            item, time = np.int32(added[row, 0]), added[row, 1]
            rating, weight = np.float32(added[row, 2]), np.float32(added[row, 3])
            new -= 1
        else:
            item, time = items[start + old], np.float64(timestamps[start + old])
            rating, weight = ratings[start + old], weights[start + old]
            old -= 1
        if time > until:
            continue
        if slots[item] == 0:
            merged_items[end], merged_timestamps[end] = item, np.int64(time)
            merged_ratings[end], merged_weights[end] = rating, weight
            end += 1
            slots[item] = end - first
        else:
            latest = first + slots[item] - 1
            merged_weights[latest] = max(merged_weights[latest], weight)
            if math.isnan(merged_ratings[latest]):
                merged_ratings[latest] = rating
    for index in range(first, end):
        slots[merged_items[index]] = 0
    return end


@compiled
def merged(
    rows: Int64Array,
    counts: Int64Array,
    added: Float64Array,
    until: float,
    slots: Int32Array,
    indptr: Int64Array,
    items: Int32Array,
    timestamps: Int64Array,
    ratings: Float32Array,
    weights: Float32Array,
) -> tuple[Int64Array, Int32Array, Int64Array, Float32Array, Float32Array]:
    """The parts of `Histories` of B users with more interactions, as `live_histories.merge` describes them.

    Args:
        rows: [B], rows of the bundle's histories; one outside of them has no interactions there.
        counts: [B], how many interactions are added to each.
        added: [E, 4], item row, time, rating and weight of those, one user after the other, in the order of arrival.
        until: leave out what is later.
        slots: int32 [N], 0 before and after.
        indptr, items, timestamps, ratings, weights: of the bundle, oldest first.
    """
    most = len(added)
    starts, lengths = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    for query in range(len(rows)):
        row = rows[query]
        inside = 0 <= row < len(indptr) - 1
        starts[query] = indptr[row] if inside else 0
        lengths[query] = indptr[row + 1] - indptr[row] if inside else 0
        most += lengths[query]
    bounds = np.empty(len(rows) + 1, np.int64)
    all_items, all_timestamps = np.empty(most, np.int32), np.empty(most, np.int64)
    all_ratings, all_weights = np.empty(most, np.float32), np.empty(most, np.float32)
    first_added = end = bounds[0] = 0
    for query in range(len(rows)):
        left = end
        end = _write_merged(
            starts[query],
            lengths[query],
            items,
            timestamps,
            ratings,
            weights,
            first_added,
            counts[query],
            added,
            until,
            slots,
            end,
            all_items,
            all_timestamps,
            all_ratings,
            all_weights,
        )
        right = end - 1
        while left < right:  # oldest first
            all_items[left], all_items[right] = all_items[right], all_items[left]
            all_timestamps[left], all_timestamps[right] = all_timestamps[right], all_timestamps[left]
            all_ratings[left], all_ratings[right] = all_ratings[right], all_ratings[left]
            all_weights[left], all_weights[right] = all_weights[right], all_weights[left]
            left += 1
            right -= 1
        first_added += counts[query]
        bounds[query + 1] = end
    return bounds, all_items[:end], all_timestamps[:end], all_ratings[:end], all_weights[:end]


@compiled
def shown(
    items: Int32Array,
    scores: Float32Array,
    confidences: Float64Array,
    retrieval_scores: Float32Array,
    ratings: Float32Array,
    proposed: BoolArray,
    k: int,
) -> tuple[Int64Array, Int32Array, Int64Array, Float64Array]:
    """The first k items of each list, one list after the other.

    Args:
        items, scores, confidences, retrieval_scores, ratings: [B, D], best first; padding is passed over.
        proposed: [B, D, R], whether each source proposed the item.
        k: most items of a list.

    Returns:
        The number of items of each list [B]; the items [n]; their sources as bits [n]; and, to six digits, their
        scores, confidences, retrieval scores and ratings [4, n].
    """
    queries, depth = items.shape
    total = 0
    counts = np.empty(queries, np.int64)
    for row in range(queries):
        counts[row] = 0
        for column in range(depth):
            if items[row, column] != NO_ITEM and counts[row] < k:
                counts[row] += 1
        total += counts[row]
    chosen, sources, numbers = np.empty(total, np.int32), np.empty(total, np.int64), np.empty((4, total))
    index = 0
    for row in range(queries):
        left = counts[row]
        for column in range(depth):
            if items[row, column] == NO_ITEM or left == 0:
                continue
            bits = 0
            for source in range(proposed.shape[2]):
                bits |= proposed[row, column, source] << source
            chosen[index], sources[index] = items[row, column], bits
            numbers[0, index], numbers[1, index] = _rounded(scores[row, column]), _rounded(confidences[row, column])
            numbers[2, index] = _rounded(retrieval_scores[row, column])
            numbers[3, index] = _rounded(ratings[row, column])
            index += 1
            left -= 1
    return counts, chosen, sources, numbers


@compiled
def _rounded(value: float) -> float:
    """Rounded to six digits after the point."""
    return float(np.rint(value * 1e6) / 1e6)
