"""Compiled loops around the query tower, its vectors and the index, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.half import number
from recsys.core.histories import SECONDS_PER_DAY
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.sort_keys import item_of, lowest, score_of, sort_key, tie_key
from recsys.core.tower_io import FIRST_ID_ROW
from recsys.core.types import Float32Array, Int32Array, Int64Array, UInt16Array, UInt32Array

_NO_GROUP = -1
_AHEAD = 4  # rows that are asked for before they are read


@compiled
def _by_group(groups: Int64Array, most: int) -> Int64Array:
    """The rows that have a group, by its number, which is at most `most`; those of one group in their order."""
    ends = np.empty(most + 2, np.int64)
    for group in range(most + 2):
        ends[group] = 0
    for row in range(len(groups)):
        ends[groups[row] + 1] += 1  # the first number counts the rows without a group
    for group in range(1, most + 2):
        ends[group] += ends[group - 1]
    rows, without = np.empty(len(groups), np.int64), ends[0]
    for row in range(len(groups) - 1, -1, -1):
        group = groups[row]
        ends[group + 1] -= 1
        if group != _NO_GROUP:
            rows[ends[group + 1] - without] = row
    return rows[: len(groups) - without]


@compiled
def plan_blocks(indptr: Int64Array, max_history: int, short: int, size: int) -> tuple[Int64Array, Int64Array]:
    """Histories to encode together, so that little is padded.

    A block holds up to `size` histories, each of up to `short` items or twice as many as its shortest.

    Returns:
        Rows int64 [S] of the histories that are not empty, and where each block of them ends. A single block of all
        histories is in their order.
    """
    queries = len(indptr) - 1
    lengths, ends = np.empty(queries, np.int64), np.empty(queries, np.int64)
    shortest, longest = max_history, 0
    for row in range(queries):
        length = min(indptr[row + 1] - indptr[row], max_history)
        shortest, longest = min(shortest, length), max(longest, length)
        lengths[row] = length if length > 0 else _NO_GROUP
    if 0 < queries <= size and shortest > 0 and longest <= max(short, 2 * shortest):
        for row in range(queries):
            lengths[row] = 0  # one group
    rows = _by_group(lengths, longest)
    count = start = end = 0
    while start < len(rows):
        most = max(short, 2 * lengths[rows[start]])
        while end < len(rows) and end < start + size and lengths[rows[end]] <= most:
            end += 1
        ends[count] = end
        count += 1
        start = end
    return rows, ends[:count]


@compiled
def plan_searches(indptr: Int64Array, exclude_seen: bool, spare: int) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Queries to search for together, by how many more items than wanted are to be found.

    That is the history's length rounded up to `spare`, which costs nothing, or to a power of two; 0 if nothing is left
    out: it depends on the query alone.

    Returns:
        Rows int64 [S] of the histories that are not empty, where each group of them ends, and each group's number of
        additional items.
    """
    queries, most = len(indptr) - 1, 0
    groups = np.empty(queries, np.int64)
    for row in range(queries):
        length, group = indptr[row + 1] - indptr[row], 0
        if exclude_seen and length > spare:
            group = 1
            while 1 << (group - 1) < length:
                group += 1
        most = max(most, group)
        groups[row] = group if length > 0 else _NO_GROUP
    rows = _by_group(groups, most)
    ends, extra, count = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64), 0
    for index in range(len(rows)):
        group = groups[rows[index]]
        if index + 1 == len(rows) or groups[rows[index + 1]] != group:
            ends[count] = index + 1
            extra[count] = 1 << (group - 1) if group > 0 else (spare if exclude_seen else 0)
            count += 1
    return rows, ends[:count], extra[:count]


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
def _dot(vectors: Float32Array, query: int | np.int64, matrix: UInt16Array, row: np.int32) -> np.float32:
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
                products[query, column] = _dot(vectors, query, matrix, row)
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
                keys[count] = sort_key(_dot(vectors, row, matrix, item), tie_key(item))
                count += 1
        for position in range(indptr[row], indptr[row + 1]):
            slots[history[position]] = 0
        best = lowest(keys[:count], most)
        for column in range(most):
            if column < len(best):
                best_items[row, column], best_scores[row, column] = item_of(best[column]), score_of(best[column])
            else:
                best_items[row, column], best_scores[row, column] = NO_ITEM, -np.inf
