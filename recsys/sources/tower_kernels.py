"""Compiled loops around the query tower and the index, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled, number
from recsys.core.histories import SECONDS_PER_DAY
from recsys.core.tower_io import FIRST_ID_ROW
from recsys.core.types import Float32Array, Int32Array, Int64Array, UInt16Array


@compiled
def plan_blocks(indptr: Int64Array, max_history: int, short: int, size: int) -> tuple[Int64Array, Int64Array]:
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
    longest = 0
    lengths, ids = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32)
    for place in range(len(rows)):
        row = rows[place]
        lengths[place] = min(indptr[row + 1] - indptr[row], max_history)
        longest = max(longest, lengths[place])
        ids[place] = users[row] + FIRST_ID_ROW
    history = np.zeros((len(rows), longest, embeddings.shape[1]), np.float32)
    gaps = np.zeros((len(rows), longest), np.float32)
    for place in range(len(rows)):
        start = indptr[rows[place] + 1] - lengths[place]
        for position in range(lengths[place]):
            embedding = embeddings[items[start + position]]
            for column in range(len(embedding)):
                history[place, position, column] = number(embedding[column])
            if position > 0:
                seconds = timestamps[start + position] - timestamps[start + position - 1]
                gaps[place, position] = math.log1p(max(seconds, 0) / SECONDS_PER_DAY)
    return history, lengths, gaps, ids


@compiled
def plan_searches(indptr: Int64Array, exclude_seen: bool, spare: int) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Queries to search for together, by how many more items than wanted are to be found.

    That is the history's length rounded up to `spare`, which costs nothing, or to a power of two; 0 if nothing is left
    out: it depends on the query alone.

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
                extra[row] = spare if length <= spare else 1
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
