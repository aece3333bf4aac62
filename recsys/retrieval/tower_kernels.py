"""Compiled loops around the query tower and the index, see `recsys.compiled`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from recsys.compiled import compiled
from recsys.dataset.histories import SECONDS_PER_DAY
from recsys.retrieval.base import NO_ITEM
from recsys.retrieval.kernels import HASH, UNHASH

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Matrix = NDArray[np.float32]

_SIGN = np.int64(1 << 31)


@compiled
def plan_blocks(indptr: Longs, max_history: int, short: int, size: int) -> tuple[Longs, Longs]:
    """Histories to encode together, so that little is padded.

    A block holds up to `size` histories, each of up to `short` items or twice as many as its shortest.

    Returns:
        Rows int64 [S] of the histories that are not empty, and where each block of them ends. A single block of all
        histories is in their order.
    """
    lengths = np.minimum(np.diff(indptr), max_history)
    if 0 < len(lengths) <= size and lengths.min() > 0 and lengths.max() <= max(short, 2 * lengths.min()):
        return np.arange(len(lengths)), np.array([len(lengths)])
    rows = np.argsort(lengths, kind="mergesort")
    start = 0
    while start < len(rows) and lengths[rows[start]] == 0:
        start += 1
    rows = rows[start:].copy()
    ends = np.empty(len(rows), np.int64)
    count = start = end = 0
    while start < len(rows):
        longest = max(short, 2 * lengths[rows[start]])
        while end < len(rows) and end < start + size and lengths[rows[end]] <= longest:
            end += 1
        ends[count] = end
        count += 1
        start = end
    return rows, ends[:count].copy()


@compiled
def tower_inputs(
    indptr: Longs, items: Ints, timestamps: Longs, users: Ints, rows: Longs, max_history: int, embeddings: Matrix
) -> tuple[Matrix, Ints, Matrix, Ints]:
    """What the query tower reads of the given rows of histories, padded with zeros on the right.

    Returns:
        Embeddings [R, L, D] of the latest items, lengths [R], gaps [R, L] in log(1 + days) since the event before, 0
        for the first, and 1 + user row [R].
    """
    longest = 0
    lengths, ids = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32)
    for place in range(len(rows)):
        row = rows[place]
        lengths[place] = min(indptr[row + 1] - indptr[row], max_history)
        longest = max(longest, lengths[place])
        ids[place] = users[row] + 1
    history = np.zeros((len(rows), longest, embeddings.shape[1]), np.float32)
    gaps = np.zeros((len(rows), longest), np.float32)
    for place in range(len(rows)):
        start = indptr[rows[place] + 1] - lengths[place]
        for position in range(lengths[place]):
            history[place, position] = embeddings[items[start + position]]
            if position > 0:
                seconds = timestamps[start + position] - timestamps[start + position - 1]
                gaps[place, position] = math.log1p(max(seconds, 0) / SECONDS_PER_DAY)
    return history, lengths, gaps, ids


@compiled
def plan_searches(indptr: Longs, exclude_seen: bool) -> tuple[Longs, Longs, Longs]:
    """Queries to search for together, by how many more items than wanted are to be found.

    That is the history's length rounded up to a power of two, or 0: it depends on the query alone.

    Returns:
        Rows int64 [S] of the histories that are not empty, where each group of them ends, and each group's number.
    """
    extra = np.zeros(len(indptr) - 1, np.int64)
    rows = np.empty(len(extra), np.int64)
    count = 0
    for row in range(len(extra)):
        length = indptr[row + 1] - indptr[row]
        if length > 0:
            rows[count] = row
            count += 1
            if exclude_seen:
                extra[row] = 1
                while extra[row] < length:
                    extra[row] *= 2
    rows = rows[:count][np.argsort(extra[rows[:count]], kind="mergesort")]
    ends, groups = np.empty(count, np.int64), 0
    for place in range(count):
        if place + 1 == count or extra[rows[place + 1]] != extra[rows[place]]:
            ends[groups] = place + 1
            groups += 1
    ends = ends[:groups].copy()
    return rows, ends, extra[rows[ends - 1]]


@compiled
def _dot(left: Matrix, right: Matrix) -> np.float32:
    total = np.float32(0)
    for place in range(len(left)):
        total += left[place] * right[place]
    return total


@compiled
def write_best_unseen(
    vectors: Matrix,
    matrix: Matrix,
    rows: Longs,
    items: NDArray[np.uint32],
    scores: Matrix,
    indptr: Longs,
    history: Ints,
    best_items: Ints,
    best_scores: Matrix,
) -> None:
    """Of the items found for some queries, write those of the highest inner products that a history does not hold.

    Equal products are in the order of their tie keys, see `exact.tie_keys`.

    Args:
        vectors: [B, D], one for each query.
        matrix: [N, D].
        rows: [R], the queries.
        items, scores: [R, C], each item once; NaN beside padding. The scores are overwritten.
        indptr, history: of B histories.
        best_items, best_scores: [B, k], written in the given rows, padded.
    """
    keys = np.empty(items.shape[1], np.uint64)
    bits, best_bits = scores.view(np.int32), best_scores.view(np.int32)
    for place in range(len(rows)):
        row, count, end = rows[place], 0, 0
        for column in range(items.shape[1]):
            if math.isnan(scores[place, column]):
                continue
            item = items[place, column]
            scores[place, column] = _dot(vectors[row], matrix[item])
            # Bits of a float sort as a signed integer once those of negative numbers are inverted; -0 counts as 0.
            ascending = np.int64(bits[place, column]) if scores[place, column] != 0 else np.int64(0)
            ascending = ascending if ascending >= 0 else ascending ^ np.int64(0x7FFFFFFF)
            tie_key = np.uint32(np.uint32(item) * HASH)  # Numba multiplies in 64 bits
            keys[count] = np.uint64(_SIGN - 1 - ascending) << np.uint64(32) | np.uint64(tie_key)
            count += 1
        keys[:count].sort()
        seen = set(history[indptr[row] : indptr[row + 1]])
        for key in keys[:count]:
            if end == best_items.shape[1]:
                break
            item = np.int32(np.uint32(key & np.uint64(0xFFFFFFFF)) * UNHASH)
            if item not in seen:
                best_items[row, end] = item
                ascending = _SIGN - 1 - np.int64(key >> np.uint64(32))
                best_bits[row, end] = ascending if ascending >= 0 else ascending ^ np.int64(0x7FFFFFFF)
                end += 1
        best_items[row, end:] = NO_ITEM
        best_scores[row, end:] = -np.inf
