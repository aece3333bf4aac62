"""Compiled loops around the query tower, its vectors and the index, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.half import number
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.sort_keys import item_of, lowest, score_of, sort_key, tie_key
from recsys.core.tower_io import FIRST_ID_ROW
from recsys.core.types import Float32Array, Int32Array, Int64Array, UInt16Array, UInt32Array

_AHEAD = 4  # rows that are asked for before they are read


@compiled
def tower_inputs(
    indptr: Int64Array,
    items: Int32Array,
    timestamps: Int64Array,
    users: Int32Array,
    rows: Int64Array,
    max_history: int,
    embeddings: UInt16Array,
) -> tuple[Float32Array, Int32Array, Float32Array, Int32Array]:
    """What the query tower reads of the given rows of histories, padded with zeros on the right.

    Returns:
        Embeddings [R, L, D] of the latest items, lengths [R], gaps [R, L] in log(1 + days) since the event before, 0
        for the first, and id rows of the users [R].
    """
    longest, dim = 0, embeddings.shape[1]
    lengths, ids = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32)
    for index in range(len(rows)):
        row = rows[index]
        length = min(indptr[row + 1] - indptr[row], max_history)
        longest = max(longest, length)
        lengths[index], ids[index] = length, users[row] + FIRST_ID_ROW
    history, gaps = np.empty((len(rows), longest, dim), np.float32), np.empty((len(rows), longest), np.float32)
    for index in range(len(rows)):
        start = indptr[rows[index] + 1] - lengths[index]
        for step in range(longest):
            gaps[index, step] = 0
            if step >= lengths[index]:
                for column in range(dim):
                    history[index, step, column] = 0
                continue
            item = items[start + step]
            for column in range(dim):
                history[index, step, column] = number(embeddings[item, column])
            if step > 0:
                seconds = timestamps[start + step] - timestamps[start + step - 1]
                gaps[index, step] = math.log1p((seconds if seconds > 0 else 0) / SECONDS_PER_DAY)
    return history, lengths, gaps, ids


@compiled
def dot(vectors: Float32Array, query: int | np.int64, matrix: UInt16Array, row: np.int32) -> np.float32:
    """Inner product of a vector and a row of the matrix."""
    product = np.float32(0)
    for column in range(matrix.shape[1]):
        product += vectors[query, column] * number(matrix[row, column])
    return product


@compiled
def write_dots(
    vectors: Float32Array,
    matrix: UInt16Array,
    rows: Int32Array,
    computed: Int32Array,
    computed_products: Float32Array,
    slots: Int32Array,
    products: Float32Array,
) -> None:
    """Write the inner products of vectors [B, D] and rows [B, C] of the matrix; 0 beside padding.

    Args:
        vectors, rows: see above.
        matrix: [N, D], of half precision.
        computed: [B, K], rows whose products are computed already, padded.
        computed_products: [B, K], those products.
        slots: int32 [N], 0 before and after.
        products: [B, C].
    """
    for query in range(rows.shape[0]):
        for column in range(computed.shape[1]):
            if computed[query, column] != NO_ITEM:
                slots[computed[query, column]] = column + 1
        for column in range(rows.shape[1]):
            row = rows[query, column]
            if row == NO_ITEM:
                products[query, column] = 0
            elif slots[row] > 0:
                products[query, column] = computed_products[query, slots[row] - 1]
            else:
                ahead = rows[query, column + _AHEAD] if column + _AHEAD < rows.shape[1] else NO_ITEM
                if ahead != NO_ITEM and slots[ahead] == 0:
                    prefetch(matrix, ahead)
                products[query, column] = dot(vectors, query, matrix, row)
        for column in range(computed.shape[1]):
            if computed[query, column] != NO_ITEM:
                slots[computed[query, column]] = 0


@compiled
def write_best_unseen(
    vectors: Float32Array,
    matrix: UInt16Array,
    rows: Int64Array,
    items: UInt32Array,
    scores: Float32Array,
    indptr: Int64Array,
    history: Int32Array,
    slots: Int32Array,
    best_items: Int32Array,
    best_scores: Float32Array,
) -> None:
    """Of the items that a search gave, write those of the highest inner products that a history does not hold.

    Args:
        vectors: [B, D], one for each query.
        matrix: [N, D], of half precision.
        rows: [R], the queries.
        items, scores: [R, C], each item once; NaN beside padding.
        indptr, history: of B histories.
        slots: int32 [N], 0 before and after.
        best_items, best_scores: [B, k], written in the given rows, padded.
    """
    keys, most = np.empty(items.shape[1], np.uint64), best_items.shape[1]
    for index in range(len(rows)):
        row, count = rows[index], 0
        for position in range(indptr[row], indptr[row + 1]):
            slots[history[position]] = 1
        for column in range(items.shape[1]):
            if column + _AHEAD < items.shape[1]:
                prefetch(matrix, items[index, column + _AHEAD])
            item = np.int32(items[index, column])
            if not math.isnan(scores[index, column]) and slots[item] == 0:
                keys[count] = sort_key(dot(vectors, row, matrix, item), tie_key(item))
                count += 1
        for position in range(indptr[row], indptr[row + 1]):
            slots[history[position]] = 0
        best = lowest(keys[:count], most)
        for column in range(most):
            if column < len(best):
                best_items[row, column], best_scores[row, column] = item_of(best[column]), score_of(best[column])
            else:
                best_items[row, column], best_scores[row, column] = NO_ITEM, -np.inf
