"""Compiled loops over neighbour lists, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.half import number
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.sort_keys import item_of, lowest, score_of, sort_key, tie_key
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array

_AHEAD = 2  # interactions whose lists are asked for before they are read


@compiled
def spread(
    indptr: Int64Array,
    items: Int32Array,
    weights: Float32Array,
    neighbours: Int32Array,
    shares: UInt16Array,
    scale: float,
    decay: float,
    slots: Int32Array,
    starts: Int64Array,
    first: int,
    spread_items: Int32Array,
    sums: Float64Array,
) -> None:
    """Write the items that some item of a history has as a neighbour, once for each query, and their scores.

    Args:
        indptr, items, weights: B histories, oldest first.
        neighbours, shares: [N, K], the lists of every item; one beyond them has none.
        scale: by which the shares are multiplied.
        decay: weight of a step back.
        slots: int32, for all items, 0 before and after.
        starts: written from `first + 1`, where the items of each query end.
        first: `starts[first]` says where the items of the first query begin.
        spread_items, sums: what is written: the items and their scores.
    """
    end = starts[first]
    for query in range(len(indptr) - 1):
        start, strength = end, scale
        for position in range(indptr[query + 1] - 1, indptr[query] - 1, -1):
            if position - _AHEAD >= indptr[query]:
                prefetch(neighbours, items[position - _AHEAD])
                prefetch(shares, items[position - _AHEAD])
            weight, item = strength * weights[position], items[position]
            listed = neighbours.shape[1] if item < neighbours.shape[0] else 0
            for column in range(listed):
                neighbour = neighbours[item, column]
                if neighbour == NO_ITEM:
                    break
                # No branch for an item met before: whether it was is as good as random.
                slot = slots[neighbour]
                new = slot == 0
                index = end if new else start + slot - 1
                sums[index] = (0.0 if new else sums[index]) + weight * number(shares[item, column])
                spread_items[index] = neighbour
                slots[neighbour] = index - start + 1
                end += new
            strength *= decay
        for index in range(start, end):
            slots[spread_items[index]] = 0
        starts[first + query + 1] = end


@compiled
def write_spread(starts: Int64Array, items: Int32Array, sums: Float64Array, scores: Float32Array) -> None:
    """Write what `spread` gave for one source into `scores` float32 [B, N]; what has none is left as it is."""
    for query in range(scores.shape[0]):
        for index in range(starts[query], starts[query + 1]):
            scores[query, items[index]] = sums[index]


@compiled
def look_up(
    starts: Int64Array,
    items: Int32Array,
    sums: Float64Array,
    members: Int64Array,
    rows: Int64Array,
    slots: Int32Array,
    wanted: Int32Array,
    scores: Float32Array,
) -> None:
    """Write the scores of the items `wanted` int32 [B, C] into some rows of `scores`, 0 where there is none.

    Args:
        starts, items, sums: what `spread` gave for R sources, B queries of the first one first.
        members: those whose scores are wanted.
        rows: of `scores`, one for each of them.
        slots: int32 [N], 0 before and after.
        wanted: see above, padded with `NO_ITEM`.
        scores: float32 [..., B, C].
    """
    queries, width = wanted.shape
    for query in range(queries):
        for column in range(width):
            item = wanted[query, column]
            if item != NO_ITEM and slots[item] == 0:
                slots[item] = column + 1
        for member in range(len(members)):
            row, part = rows[member], members[member] * queries + query
            for column in range(width):
                scores[row, query, column] = 0
            for index in range(starts[part], starts[part + 1]):
                slot = slots[items[index]]
                if slot > 0:
                    scores[row, query, slot - 1] = sums[index]
            for column in range(width):  # an item that is wanted more than once
                item = wanted[query, column]
                if item != NO_ITEM and slots[item] != column + 1:
                    scores[row, query, column] = scores[row, query, slots[item] - 1]
        for column in range(width):
            item = wanted[query, column]
            if item != NO_ITEM:
                slots[item] = 0


@compiled
def spread_best(
    starts: Int64Array,
    items: Int32Array,
    sums: Float64Array,
    indptr: Int64Array,
    seen: Int32Array,
    slots: Int32Array,
    best_items: Int32Array,
    best_scores: Float32Array,
) -> None:
    """Write the items of the highest scores into `best_items` int32 [F, B, k], and the scores beside them.

    Args:
        starts, items, sums: what `spread` gave for F sources or more.
        indptr, seen: items to leave out of each query.
        slots: int32 [N], 0 before and after.
        best_items, best_scores: of the first F sources, padded.
    """
    members, queries, most = best_items.shape
    keys = np.empty(len(items), np.uint64)
    for query in range(queries):
        for position in range(indptr[query], indptr[query + 1]):
            slots[seen[position]] = 1
        for member in range(members):
            part, count = member * queries + query, 0
            for index in range(starts[part], starts[part + 1]):
                keys[count] = sort_key(np.float32(sums[index]), tie_key(items[index]))
                count += slots[items[index]] == 0
            best = lowest(keys[:count], most)
            for column in range(most):
                if column < len(best):
                    best_items[member, query, column] = item_of(best[column])
                    best_scores[member, query, column] = score_of(best[column])
                else:
                    best_items[member, query, column], best_scores[member, query, column] = NO_ITEM, -np.inf
        for position in range(indptr[query], indptr[query + 1]):
            slots[seen[position]] = 0
