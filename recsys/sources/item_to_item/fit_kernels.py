"""The compiled loops that fit neighbour lists a row at a time, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled_as_written
from recsys.core.queries import NO_ITEM
from recsys.core.sort_keys import item_of, lowest, score_of, sort_key, tie_key
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt64Array


@compiled_as_written
def best_products(
    indptr: Int64Array,
    columns: Int32Array,
    values: NDArray[np.floating],
    by_column: Int64Array,
    rows: Int32Array,
    values_by_column: NDArray[np.floating],
    first: int,
    itself: bool,
    sums: NDArray[np.floating],
    neighbours: Int32Array,
    similarities: Float32Array,
) -> None:
    """Write the items whose rows have the highest products with those of some items: only positive ones.

    Products are summed up in the order of the columns, as SciPy does, but for one row at a time: memory is that of two
    rows, whatever the number of products.

    Args:
        indptr, columns, values: the matrix [N, M] by rows.
        by_column, rows, values_by_column: the same by columns.
        first: row of the first item whose list is wanted.
        itself: whether an item may stand in its own list.
        sums: [N], of the type of the values; scratch, 0 before and after.
        neighbours: int32 [B, k], the lists of the B items from `first` on, written; padded with `NO_ITEM`.
        similarities: float32 [B, k], written; 0 beside padding.
    """
    met, found = np.zeros(len(sums), np.bool_), np.empty(len(sums), np.int32)
    keys = np.empty(len(sums), np.uint64)
    for at in range(len(neighbours)):
        item, count = first + at, 0
        for place in range(indptr[item], indptr[item + 1]):
            column, value = columns[place], values[place]
            for other in range(by_column[column], by_column[column + 1]):
                row = rows[other]
                if not met[row]:
                    met[row], found[count] = True, row
                    count += 1
                sums[row] += value * values_by_column[other]
        write_best(item, itself, found[:count], met, sums, keys, neighbours[at], similarities[at])


@compiled_as_written
def best_transitions(
    indptr: Int64Array,
    items: Int32Array,
    weights: NDArray[np.floating],
    timestamps: Int64Array,
    positions: Float64Array,
    tied_gaps: Float64Array,
    users: Int64Array,
    places: Int64Array,
    starts: Int64Array,
    leaving: Float64Array,
    arriving: Float64Array,
    first: int,
    window: int,
    reverse: float,
    fall: float,
    itself: bool,
    neighbours: Int32Array,
    similarities: Float32Array,
) -> None:
    """Write the transitions of highest value from some items: only positive ones.

    An item's interactions are visited one after the other, and of each those around it: memory is that of a row.

    Args:
        indptr, items, weights, timestamps: histories of U users with T interactions, oldest first.
        positions, tied_gaps: float64 [T], the position of each interaction and its distance to those of its moment.
        users: [T], whose each interaction is.
        places: [T], the interactions by item, those of an item by user.
        starts: [N + 1], where those of each item begin in `places`.
        leaving, arriving: float64 [N], by which the transitions from and to an item are multiplied.
        first: row of the first item whose list is wanted.
        window: how many positions apart two interactions may be.
        reverse: weight of a transition taken backwards.
        fall: seconds over which a transition's weight falls to 1/e; infinite: no such fall.
        itself: whether an item may stand in its own list.
        neighbours: int32 [B, k], the lists of the B items from `first` on, written; padded with `NO_ITEM`.
        similarities: float32 [B, k], written; 0 beside padding.
    """
    n_items = len(leaving)
    met, found = np.zeros(n_items, np.bool_), np.empty(n_items, np.int32)
    sums, keys = np.zeros(n_items, np.float64), np.empty(n_items, np.uint64)
    for at in range(len(neighbours)):
        item, count = first + at, 0
        for index in range(starts[item], starts[item + 1]):
            place = places[index]
            begin, end = indptr[users[place]], indptr[users[place] + 1]
            for other in range(max(begin, place - window), min(end, place + window + 1)):
                if other == place:
                    continue
                elapsed = abs(timestamps[other] - timestamps[place])
                if elapsed == 0:
                    share, gap = (1 + reverse) / 2, tied_gaps[place]
                else:
                    share, gap = 1.0 if other > place else reverse, abs(positions[other] - positions[place])
                closeness = 1 / gap
                if fall < np.inf:
                    closeness *= np.exp(-elapsed / fall)
                row = items[other]
                if not met[row]:
                    met[row], found[count] = True, row
                    count += 1
                sums[row] += share * closeness * weights[other]
        for index in range(count):
            row = found[index]
            sums[row] = leaving[item] * sums[row] * arriving[row]
        write_best(item, itself, found[:count], met, sums, keys, neighbours[at], similarities[at])


@compiled_as_written
def write_best(
    item: int,
    itself: bool,
    found: Int32Array,
    met: BoolArray,
    sums: NDArray[np.floating],
    keys: UInt64Array,
    neighbours: Int32Array,
    similarities: Float32Array,
) -> None:
    """Write the list of an item: the items of the highest sums above 0.

    Args:
        item: its row.
        itself: whether it may stand in its own list.
        found: the items that have a sum.
        met, sums: [N], whether each item has a sum, and that; false and 0 afterwards.
        keys: uint64 [N], scratch.
        neighbours, similarities: int32 and float32 [k], written; padded with `NO_ITEM` and 0.
    """
    kept = 0
    for row in found:
        if sums[row] > 0 and (itself or row != item):
            keys[kept] = sort_key(np.float32(sums[row]), tie_key(row))
            kept += 1
        met[row], sums[row] = False, 0
    best = lowest(keys[:kept], len(neighbours))
    for column in range(len(neighbours)):
        if column < len(best):
            neighbours[column], similarities[column] = item_of(best[column]), score_of(best[column])
        else:
            neighbours[column], similarities[column] = NO_ITEM, 0
