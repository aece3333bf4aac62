"""Compiled loops of inviting."""

from __future__ import annotations

from recsys.core.compiled import compiled_as_written
from recsys.core.types import Float32Array, Int32Array, Int64Array


@compiled_as_written
def _seen(item: int, start: int, end: int, history: Int32Array) -> bool:
    found = False
    for place in range(start, end):
        found |= history[place] == item
    return found


@compiled_as_written
def write_best(
    scores: Float32Array,
    items: Int32Array,
    rows: Int64Array,
    indptr: Int64Array,
    history: Int32Array,
    chosen: Float32Array,
    best: Int32Array,
) -> None:
    """Write for each query the items of the highest scores: unseen ones, then seen ones where there is room.

    Args:
        scores: float32 [R, C], finite.
        items: int32 [C]; the first of equal scores wins.
        rows: int64 [R], the history of each query.
        indptr, history: of the histories.
        chosen: float32 [W], is overwritten.
        best: int32 [R, W] of `NO_ITEM`.
    """
    most = best.shape[1]
    for row in range(scores.shape[0]):
        start, end = indptr[rows[row]], indptr[rows[row] + 1]
        first, count = 0, 0
        for seen in range(2):
            for column in range(scores.shape[1]):
                score = scores[row, column]
                full = count == most
                if full and (first == most or chosen[most - 1] >= score):
                    continue
                if _seen(items[column], start, end, history) != (seen == 1):
                    continue
                place = most - 1 if full else count
                while place > first and chosen[place - 1] < score:
                    chosen[place], best[row, place] = chosen[place - 1], best[row, place - 1]
                    place -= 1
                chosen[place], best[row, place] = score, items[column]
                if not full:
                    count += 1
            if count == most:
                break
            first = count
