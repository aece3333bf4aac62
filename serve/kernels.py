"""Compiled loops of the server, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


@compiled
def _extent(row: np.int64, indptr: Int64Array) -> tuple[np.int64, np.int64]:
    """Where a row's history begins, and its length; nothing of a row outside."""
    if 0 <= row < len(indptr) - 1:
        return indptr[row], indptr[row + 1] - indptr[row]
    return np.int64(0), np.int64(0)


@compiled
def merged(
    rows: Int64Array,
    counts: Int64Array,
    added: Float64Array,
    until: float,
    indptr: Int64Array,
    items: Int32Array,
    timestamps: Int64Array,
    ratings: Float32Array,
    weights: Float32Array,
) -> tuple[Int64Array, Int32Array, Int64Array, Float32Array, Float32Array]:
    """The parts of `Histories` of B users with more interactions, as `live.merge` describes them.

    Args:
        rows: [B], rows of the known histories; one outside of them knows nothing.
        counts: [B], how many interactions are added to each.
        added: [E, 4], item row, time, rating and weight of those, one user after the other.
        until: leave out what is later.
        indptr, items, timestamps, ratings, weights: of the known histories.
    """
    total = np.int64(len(added))
    for row in rows:
        total += _extent(row, indptr)[1]
    bounds = np.zeros(len(rows) + 1, np.int64)
    all_items, all_timestamps = np.empty(total, np.int32), np.empty(total, np.int64)
    all_ratings, all_weights = np.empty(total, np.float32), np.empty(total, np.float32)
    first_added, end = 0, 0
    for query in range(len(rows)):
        start, known = _extent(rows[query], indptr)
        times = np.empty(known + counts[query])
        for place in range(known):
            times[place] = timestamps[start + place]
        for place in range(counts[query]):
            times[known + place] = added[first_added + place, 1]
        order = np.argsort(times, kind="mergesort")  # stable: equal times stay in the order of arrival
        begin, places = end, {}
        for place in order[::-1]:  # an item's latest interaction comes first
            if times[place] > until:
                continue
            if place < known:
                item, rating, weight = items[start + place], ratings[start + place], weights[start + place]
            else:
                entry = added[first_added + place - known]
                item, rating, weight = np.int32(entry[0]), np.float32(entry[2]), np.float32(entry[3])
            if item not in places:
                places[item] = end
                all_items[end], all_timestamps[end] = item, np.int64(times[place])
                all_ratings[end], all_weights[end] = rating, weight
                end += 1
            else:
                kept = places[item]
                all_weights[kept] = max(all_weights[kept], weight)
                if np.isnan(all_ratings[kept]):
                    all_ratings[kept] = rating
        for left in range(begin, (begin + end) // 2):  # oldest first
            right = begin + end - 1 - left
            all_items[left], all_items[right] = all_items[right], all_items[left]
            all_timestamps[left], all_timestamps[right] = all_timestamps[right], all_timestamps[left]
            all_ratings[left], all_ratings[right] = all_ratings[right], all_ratings[left]
            all_weights[left], all_weights[right] = all_weights[right], all_weights[left]
        first_added += counts[query]
        bounds[query + 1] = end
    return bounds, all_items[:end], all_timestamps[:end], all_ratings[:end], all_weights[:end]


@compiled
def logistic(scores: Float32Array, scale: float, offset: float) -> Float64Array:
    """Logistic function of scale * score + offset, of scores [B, D]."""
    values = np.empty(scores.shape, np.float64)
    for row in range(len(scores)):
        for column in range(scores.shape[1]):
            values[row, column] = 0.5 + 0.5 * np.tanh(0.5 * (scale * scores[row, column] + offset))
    return values


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
        The number of items of each list [B]; the items [n]; their sources as bits [n]; and, to six places, their
        scores, confidences, retrieval scores and ratings [4, n].
    """
    counts = np.zeros(len(items), np.int64)
    total = len(items) * min(k, items.shape[1])
    chosen, sources, numbers = np.empty(total, np.int32), np.empty(total, np.int64), np.empty((4, total))
    end = 0
    for row in range(len(items)):
        for column in range(items.shape[1]):
            if items[row, column] == NO_ITEM or counts[row] == k:
                continue
            chosen[end], sources[end] = items[row, column], 0
            for source in range(proposed.shape[2]):
                sources[end] |= np.int64(proposed[row, column, source]) << source
            numbers[0, end], numbers[1, end] = scores[row, column], confidences[row, column]
            numbers[2, end], numbers[3, end] = retrieval_scores[row, column], ratings[row, column]
            counts[row] += 1
            end += 1
    return counts, chosen[:end], sources[:end], np.rint(numbers[:, :end] * 1e6) / 1e6
