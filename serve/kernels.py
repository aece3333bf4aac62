"""Compiled loops of the server, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


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
