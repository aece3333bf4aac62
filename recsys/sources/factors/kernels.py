"""Compiled loops of matrix factorisation, see `recsys.core.compiled`."""

from __future__ import annotations

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array

_AHEAD = 4  # rows that are asked for before they are read


@compiled
def dots(vectors: Float64Array, matrix: Float32Array, rows: Int32Array, products: Float32Array) -> None:
    """Write the inner products of vectors [B, D] and rows [B, C] of the matrix [N, D]; 0 beside padding and beyond."""
    for query in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            if column + _AHEAD < rows.shape[1] and rows[query, column + _AHEAD] != NO_ITEM:
                prefetch(matrix, rows[query, column + _AHEAD])
            row, product = rows[query, column], 0.0
            if row != NO_ITEM and row < matrix.shape[0]:
                for factor in range(vectors.shape[1]):
                    product += vectors[query, factor] * matrix[row, factor]
            products[query, column] = product


@compiled
def write_means(
    indptr: Int64Array, items: Int32Array, weights: Float32Array, factors: Float32Array, means: Float64Array
) -> None:
    """Write the mean factors [N, D] of each history, by weight; an empty one is left as it is. An item beyond has 0."""
    for query in range(len(means)):
        mass = 0.0
        for position in range(indptr[query], indptr[query + 1]):
            mass += weights[position]
        for position in range(indptr[query], indptr[query + 1]):
            for factor in range(means.shape[1] if items[position] < factors.shape[0] else 0):
                means[query, factor] += weights[position] / mass * factors[items[position], factor]


@compiled
def _distinct(
    items: Int32Array,
    weights: Float32Array,
    start: int,
    end: int,
    slots: Int32Array,
    firsts: Int64Array,
    masses: Float64Array,
) -> int:
    """Write the first position and the total weight of each distinct item of a history; how many, -1 if too many."""
    count = 0
    for position in range(start, end):
        item = items[position]
        if slots[item] == 0:
            if count == len(masses):
                count = -1
                break
            firsts[count], masses[count] = position, 0.0
            count += 1
            slots[item] = count
        masses[slots[item] - 1] += weights[position]
    for position in range(start, end):
        slots[items[position]] = 0
    return count


@compiled
def _eliminate(system: Float64Array, values: Float64Array, size: int) -> None:
    """Solve the square system in place by Gaussian elimination without pivoting: `values` become the unknowns."""
    for pivot in range(size):
        for row in range(pivot + 1, size):
            ratio = system[row, pivot] / system[pivot, pivot]
            for column in range(pivot, size):
                system[row, column] -= ratio * system[pivot, column]
            values[row] -= ratio * values[pivot]
    for row in range(size - 1, -1, -1):
        for column in range(row + 1, size):
            values[row] -= system[row, column] * values[column]
        values[row] /= system[row, row]


@compiled
def write_fold_in(
    indptr: Int64Array,
    items: Int32Array,
    weights: Float32Array,
    factors: Float64Array,
    projected: Float64Array,
    alpha: float,
    slots: Int32Array,
    vectors: Float64Array,
) -> None:
    """Solve `FoldIn` for histories of fewer distinct items than factors, in as many unknowns.

    No pivoting is needed: all leading minors of I + S V M^-1 V' are positive.

    Args:
        indptr, items, weights: B histories of T interactions.
        factors: [T, D], of their items.
        projected: [T, D], factors M^-1.
        alpha: confidence of a weight of 1.
        slots: int32, for all items, 0 before and after.
        vectors: [B, D], zero before; the first number is NaN afterwards where a history is longer.
    """
    dim = factors.shape[1]
    firsts, confidences, system = np.empty(dim - 1, np.int64), np.empty(dim - 1), np.empty((dim - 1, dim - 1))
    for query in range(len(vectors)):
        size = _distinct(items, weights, indptr[query], indptr[query + 1], slots, firsts, confidences)
        if size < 0:
            vectors[query, 0] = np.nan
            continue
        for row in range(size):
            confidences[row] *= alpha
        for row in range(size):
            for column in range(size):
                product = 0.0
                for factor in range(dim):
                    product += projected[firsts[row], factor] * factors[firsts[column], factor]
                system[row, column] = (confidences[row] - 1) * product
            system[row, row] += 1
        _eliminate(system, confidences, size)
        for row in range(size):
            for factor in range(dim):
                vectors[query, factor] += confidences[row] * projected[firsts[row], factor]
