"""Compiled loops that keep the best of scores as these are computed, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np

from recsys.core.compiled import compiled, compiled_as_written
from recsys.core.sort_keys import score_of, sink, sort_key, tie_key
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array, UInt64Array

PADDING = np.uint64((1 << 64) - 1)
"""The sort key of no score at all; higher than that of any."""
_LOWEST = np.float32(np.finfo(np.float32).min)


@compiled
def keep_best(scores: Float32Array, first: int, keys: UInt64Array) -> None:
    """Let a part of the catalogue's scores take the place of lower ones among the best of each query.

    Args:
        scores: float32 [B, W], those of W items; -inf: no candidate.
        first: row of the first of these items.
        keys: uint64 [B, k], the sort keys of the best until now as heaps, the worst first; `PADDING` where there are
            none yet.
    """
    most = keys.shape[1]
    for query in range(keys.shape[0]):
        heap = keys[query]
        floor = _LOWEST if heap[0] == PADDING else score_of(heap[0])
        for column in range(scores.shape[1]):
            score = scores[query, column]
            if score >= floor:
                key = sort_key(score, tie_key(np.int32(first + column)))
                if key < heap[0]:
                    heap[0] = key
                    sink(heap, most, np.int64(0))
                    floor = _LOWEST if heap[0] == PADDING else score_of(heap[0])


@compiled_as_written
def add_up(
    starts: Int64Array,
    items: Int32Array,
    values: Float64Array,
    weights: Float32Array,
    slots: Int32Array,
    sum_starts: Int64Array,
    sum_items: Int32Array,
    sums: Float64Array,
) -> None:
    """Write the weighted sums of what M sources say of each of B queries, each item once for a query.

    Sums are formed in single precision and in the order of the sources, as in an array of the whole catalogue.

    Args:
        starts, items, values: what the sources say: source m of query b from `starts[m * B + b]` on.
        weights: float32 [M].
        slots: int32, for all items, 0 before and after.
        sum_starts: int64 [B + 1], written: where the items of each query begin.
        sum_items, sums: as many as `items`, written: the items and their sums.
    """
    queries, end = len(sum_starts) - 1, 0
    sum_starts[0] = 0
    for query in range(queries):
        start = end
        for member in range(len(weights)):
            part = member * queries + query
            for index in range(starts[part], starts[part + 1]):
                item = items[index]
                if slots[item] == 0:
                    sum_items[end], sums[end] = item, 0.0
                    end += 1
                    slots[item] = end - start
                at = start + slots[item] - 1
                sums[at] = np.float32(sums[at]) + weights[member] * np.float32(values[index])
        for index in range(start, end):
            slots[sum_items[index]] = 0
        sum_starts[query + 1] = end
