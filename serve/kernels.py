"""Compiled loops of the server, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


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
            numbers[0, index], numbers[1, index] = scores[row, column], confidences[row, column]
            numbers[2, index], numbers[3, index] = retrieval_scores[row, column], ratings[row, column]
            for number in range(4):
                numbers[number, index] = np.rint(numbers[number, index] * 1e6) / 1e6
            index += 1
            left -= 1
    return counts, chosen, sources, numbers


@compiled
def write_reason_keys(
    items: Int32Array,
    facts: Int64Array,
    indptr: Int64Array,
    history: Int32Array,
    weights: Float32Array,
    ratings: Float32Array,
    untold: BoolArray,
    types: Float32Array,
    variants: int,
    keys: Int64Array,
    rows: Int64Array,
) -> None:
    """Write what decides how the facts of listed items are told, one list after the other.

    Args:
        items: [B, K], padding is passed over.
        facts: [B, K, F, 4], see `recsys.explain.cheap.CheapFacts.of`.
        indptr, history, weights, ratings: of B histories.
        untold: [B], users of whom nobody knows what they did.
        types: [A], weight of each type of events that its weight tells, NaN for others; the first is no type.
        variants: in how many ways the same is told within a list.
        keys: [n, F, 6], of each fact its kind and value, the item of the history, what was done with it (index of
            a type, of which 1 is a rating; 0: nobody knows), the count, and the variant of a first fact; -1 for what
            there is none of.
        rows: [n], whose list it is.
    """
    index = 0
    for row in range(items.shape[0]):
        for column in range(items.shape[1]):
            if items[row, column] == NO_ITEM:
                continue
            rows[index] = row
            for fact in range(facts.shape[2]):
                keys[index, fact, 0], keys[index, fact, 1] = facts[row, column, fact, 0], facts[row, column, fact, 1]
                keys[index, fact, 2], keys[index, fact, 3] = -1, -1
                keys[index, fact, 4], keys[index, fact, 5] = facts[row, column, fact, 3], -1
                if facts[row, column, fact, 2] >= 0:
                    place = indptr[row] + facts[row, column, fact, 2]
                    keys[index, fact, 2] = history[place]
                    keys[index, fact, 3] = 0 if untold[row] else _action(weights[place], ratings[place], types)
            earlier = 0
            for before in range(column):
                same = facts[row, before, 0, 0] == facts[row, column, 0, 0]
                earlier += same and facts[row, before, 0, 1] == facts[row, column, 0, 1]
            keys[index, 0, 5] = earlier % variants
            index += 1


@compiled
def _action(weight: float, rating: float, types: Float32Array) -> int:
    """What was done in an interaction, see `write_reason_keys`."""
    if not math.isnan(rating):
        return 1
    for index in range(1, len(types)):
        if types[index] == weight:
            return index
    return 0
