"""Compiled loops that look for items in histories, see `recsys.core.compiled`."""

from __future__ import annotations

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array


@compiled
def _holds(history: Int32Array, start: int, end: int, item: int) -> bool:
    """Whether the item is in a history; all of it is read, which is faster than to ask at every step."""
    count = 0
    for position in range(start, end):
        count += history[position] == item
    return count > 0


@compiled
def write_unseen(
    items: Int32Array,
    scores: Float32Array,
    indptr: Int64Array,
    history: Int32Array,
    kept_items: Int32Array,
    kept_scores: Float32Array,
) -> None:
    """Write the first candidates of each query that its history does not hold, in their order."""
    most = kept_items.shape[1]
    for query in range(items.shape[0]):
        end = 0
        for column in range(items.shape[1]):
            item = items[query, column]
            if end < most and item != NO_ITEM and not _holds(history, indptr[query], indptr[query + 1], item):
                kept_items[query, end], kept_scores[query, end] = item, scores[query, column]
                end += 1


@compiled
def write_among(items: Int32Array, others: Int32Array, among: BoolArray) -> None:
    """Write whether each of the items [B, C] is one of the others [B, P] of its row and no padding."""
    for query in range(items.shape[0]):
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM:
                for other in others[query]:
                    among[query, column] |= other == item


@compiled
def write_seen(items: Int32Array, rows: Int64Array, indptr: Int64Array, history: Int32Array, seen: BoolArray) -> None:
    """Write whether each of the items [T] is in the history of its query, whose row [T] stands beside it."""
    for index in range(len(items)):
        seen[index] = _holds(history, indptr[rows[index]], indptr[rows[index] + 1], items[index])
