"""The compiled loop that fits neighbour lists from a sparse matrix, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled_as_written
from recsys.core.queries import NO_ITEM
from recsys.core.sort_keys import item_of, lowest, score_of, sort_key, tie_key
from recsys.core.types import Float32Array, Int32Array, Int64Array


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
    most = neighbours.shape[1]
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
        kept = 0
        for index in range(count):
            row = found[index]
            if sums[row] > 0 and (itself or row != item):
                keys[kept] = sort_key(np.float32(sums[row]), tie_key(row))
                kept += 1
            met[row], sums[row] = False, 0
        best = lowest(keys[:kept], most)
        for column in range(most):
            if column < len(best):
                neighbours[at, column], similarities[at, column] = item_of(best[column]), score_of(best[column])
            else:
                neighbours[at, column], similarities[at, column] = NO_ITEM, 0
