"""Compiled loops over items that came after the index was built, see `recsys.core.compiled`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.sort_keys import item_of, lowest, score_of, sort_key, tie_key
from recsys.core.types import Float32Array, Int8Array, Int16Array, Int32Array, Int64Array, UInt16Array
from recsys.sources.two_tower.kernels import dot

_LARGEST = 127  # as in recsys.sources.two_tower.coded_rows


@compiled
def _code(vectors: Float32Array, row: int | np.int64, coded: Int16Array) -> tuple[np.float32, np.float32, np.float32]:
    """Write a vector as whole numbers; its scale, its length, and the length of what they leave of it."""
    largest, size, error = np.float32(0), np.float32(0), np.float32(0)
    for column in range(vectors.shape[1]):
        largest = max(largest, abs(vectors[row, column]))
    scale = largest / np.float32(_LARGEST) if largest > 0 else np.float32(1)
    for column in range(vectors.shape[1]):
        value = vectors[row, column]
        coded[column] = np.int16(np.rint(value / scale))
        left = value - scale * coded[column]
        size += value * value
        error += left * left
    return scale, np.float32(math.sqrt(size)), np.float32(math.sqrt(error))


@compiled
def _write_products(codes: Int8Array, coded: Int16Array, products: Int32Array) -> None:
    """Write the inner products of coded rows and a coded vector: a loop of its own, which uses vector instructions."""
    for row in range(codes.shape[0]):
        product = np.int32(0)
        for column in range(codes.shape[1]):
            product += np.int32(codes[row, column]) * np.int32(coded[column])
        products[row] = product


@compiled
def add_later(
    vectors: Float32Array,
    matrix: UInt16Array,
    rows: Int64Array,
    codes: Int8Array,
    scales: Float32Array,
    sizes: Float32Array,
    errors: Float32Array,
    indptr: Int64Array,
    history: Int32Array,
    slots: Int32Array,
    best_items: Int32Array,
    best_scores: Float32Array,
) -> None:
    """Add to the best items those of the last M rows of the matrix that belong there and that a history does not hold.

    An item is looked at closely only if its coded product, and how far that may be off, let it pass the worst of those
    that are there: |xy - x'y'| is at most |x - x'| |y| + |x'| |y - y'|, and |x'| at most |x| + |x - x'|.

    Args:
        vectors: [B, D], one for each query.
        matrix: [N + M, D], of half precision.
        rows: [R], the queries.
        codes, scales, sizes, errors: of the last M rows, see `recsys.sources.two_tower.coded_rows`.
        indptr, history: of B histories.
        slots: int32 [N + M], 0 before and after.
        best_items, best_scores: [B, k], in order, padded; written in the given rows.
    """
    most, first = best_items.shape[1], matrix.shape[0] - codes.shape[0]
    keys, coded = np.empty(most + codes.shape[0], np.uint64), np.empty(vectors.shape[1], np.int16)
    products = np.empty(codes.shape[0], np.int32)
    for index in range(len(rows)):
        row, count = rows[index], 0
        for position in range(indptr[row], indptr[row + 1]):
            slots[history[position]] = 1
        while count < most and best_items[row, count] != NO_ITEM:
            keys[count] = sort_key(best_scores[row, count], tie_key(best_items[row, count]))
            count += 1
        worst, before = (best_scores[row, most - 1] if most > 0 else np.float32(0)), count
        scale, size, error = _code(vectors, row, coded)
        _write_products(codes, coded, products)
        for later in range(codes.shape[0]):
            near = scale * scales[later] * products[later]
            off = error * sizes[later] + (size + error) * errors[later]
            if near + off >= worst and slots[first + later] == 0:
                item = np.int32(first + later)
                keys[count] = sort_key(dot(vectors, row, matrix, item), tie_key(item))
                count += 1
        for position in range(indptr[row], indptr[row + 1]):
            slots[history[position]] = 0
        if count == before:
            continue
        best = lowest(keys[:count], most)
        for column in range(min(most, len(best))):
            best_items[row, column], best_scores[row, column] = item_of(best[column]), score_of(best[column])
