"""Compiled loops of the retrievers, see `recsys.compiled`. Rows and scores as in the functions that call them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.compiled import compiled
from recsys.retrieval.base import NO_ITEM

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]

# Knuth's multiplicative hash of item rows, a bijection on 32 bits, and its inverse.
HASH, UNHASH = np.uint32(2654435761), np.uint32(pow(2654435761, -1, 1 << 32))

_SEEN = -1  # in a table of places: leave this item out
_SIGN = np.int64(1 << 31)


@compiled
def _spread(
    items: Ints, weights: Matrix, decay: float, neighbours: Ints, similarities: Matrix, places: Ints
) -> tuple[Ints, Floats]:
    """Items that some history item has as a neighbour, each once, and their scores.

    Args:
        items, weights: [L], one history, oldest first.
        places: int32 [N], 0 but for items to leave out, which are `_SEEN`; holds 1 + the place of each item found.
    """
    width = neighbours.shape[1]
    found = np.empty(len(items) * width, np.int32)
    sums = np.empty(len(items) * width, np.float64)
    count = 0
    for position in range(len(items)):
        item = items[position]
        strength = weights[position] * decay ** (len(items) - 1 - position)
        for column in range(width):
            neighbour = neighbours[item, column]
            if neighbour == NO_ITEM:
                break
            place = places[neighbour]
            if place == _SEEN:
                continue
            if place == 0:
                count += 1
                place = count
                places[neighbour] = place
                found[place - 1] = neighbour
                sums[place - 1] = 0.0
            sums[place - 1] += strength * similarities[item, column]
    return found[:count], sums[:count]


@compiled
def _forget(items: Ints, places: Ints) -> None:
    """Clear the table for the next query."""
    for item in items:
        places[item] = 0


@compiled
def spread_dense(
    indptr: Longs,
    items: Ints,
    weights: Matrix,
    decay: float,
    neighbours: Ints,
    similarities: Matrix,
    places: Ints,
    scores: Matrix,
) -> None:
    """Write the scores of B histories into `scores` float32 [B, N]; what has none is left as it is."""
    for query in range(len(scores)):
        part = slice(indptr[query], indptr[query + 1])
        found, sums = _spread(items[part], weights[part], decay, neighbours, similarities, places)
        for place in range(len(found)):
            scores[query, found[place]] = sums[place]
        _forget(found, places)


@compiled
def spread_score(
    indptr: Longs,
    items: Ints,
    weights: Matrix,
    decay: float,
    neighbours: Ints,
    similarities: Matrix,
    places: Ints,
    wanted: Ints,
    scores: Matrix,
) -> None:
    """Write the scores of the items `wanted` int32 [B, C] into `scores` float32 [B, C], 0 where there is none."""
    for query in range(len(wanted)):
        part = slice(indptr[query], indptr[query + 1])
        found, sums = _spread(items[part], weights[part], decay, neighbours, similarities, places)
        for column in range(wanted.shape[1]):
            item = wanted[query, column]
            place = places[item] if item != NO_ITEM else 0
            scores[query, column] = sums[place - 1] if place > 0 else 0.0
        _forget(found, places)


@compiled
def spread_best(
    indptr: Longs,
    items: Ints,
    weights: Matrix,
    decay: float,
    neighbours: Ints,
    similarities: Matrix,
    places: Ints,
    exclude_seen: bool,
    best_items: Ints,
    best_scores: Matrix,
) -> None:
    """Write the items of the highest scores into `best_items` int32 [B, k], and the scores beside them."""
    for query in range(len(best_items)):
        part = slice(indptr[query], indptr[query + 1])
        if exclude_seen:
            for item in items[part]:
                places[item] = _SEEN
        found, sums = _spread(items[part], weights[part], decay, neighbours, similarities, places)
        _write_best(found, sums.astype(np.float32), best_items[query], best_scores[query])
        _forget(found, places)
        if exclude_seen:
            _forget(items[part], places)


@compiled
def _lowest(keys: NDArray[np.uint64], k: int) -> NDArray[np.uint64]:
    """The k lowest keys, in no particular order; `keys` are moved about."""
    if len(keys) <= k or k == 0:
        return keys[:k]
    heap = keys[:k]  # a node is no lower than its children
    for node in range(k // 2 - 1, -1, -1):
        _sink(heap, node)
    for key in keys[k:]:
        if key < heap[0]:
            heap[0] = key
            _sink(heap, 0)
    return heap


@compiled
def _sink(heap: NDArray[np.uint64], node: int) -> None:
    """Move a key down to where no child is higher."""
    key = heap[node]
    while 2 * node + 1 < len(heap):
        child = 2 * node + 1
        if child + 1 < len(heap) and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= key:
            break
        heap[node] = heap[child]
        node = child
    heap[node] = key


@compiled
def _write_best(items: Ints, scores: Matrix, best_items: Ints, best_scores: Matrix) -> None:
    """The k best of the `items` [S], equal scores in the order of their tie keys, as `exact.top_k_sparse` has them."""
    keys = np.empty(len(items), np.uint64)
    bits = (scores + np.float32(0)).view(np.int32)  # -0 becomes 0
    for place in range(len(items)):
        ascending = np.int64(bits[place]) if bits[place] >= 0 else np.int64(bits[place] ^ 0x7FFFFFFF)
        tie_key = np.uint32(np.uint32(items[place]) * HASH)  # Numba multiplies in 64 bits
        keys[place] = np.uint64(_SIGN - 1 - ascending) << np.uint64(32) | np.uint64(tie_key)
    keys = _lowest(keys, len(best_items))
    keys.sort()
    for place in range(len(keys)):
        best_items[place] = np.int32(np.uint32(keys[place] & np.uint64(0xFFFFFFFF)) * UNHASH)
        ascending = _SIGN - 1 - np.int64(keys[place] >> np.uint64(32))
        bits[place] = ascending if ascending >= 0 else ascending ^ np.int64(0x7FFFFFFF)
        best_scores[place] = bits.view(np.float32)[place]


@compiled
def _dot(left: Matrix | Floats, right: Matrix | Floats) -> np.float32 | np.float64:
    """Inner product of two vectors, in the precision of the left one."""
    total = left.dtype.type(0)
    for place in range(len(left)):
        total += left[place] * right[place]
    return total


@compiled
def dots(vectors: Matrix | Floats, matrix: Matrix, rows: Ints, products: Matrix | Floats) -> None:
    """Write the inner products of vectors [B, D] and rows [B, C] of the matrix [N, D]; 0 beside padding."""
    for query in range(len(rows)):
        for column in range(rows.shape[1]):
            row = rows[query, column]
            products[query, column] = _dot(vectors[query], matrix[row]) if row != NO_ITEM else 0


@compiled
def distinct(indptr: Longs, items: Ints, weights: Matrix) -> tuple[Longs, Ints, Floats]:
    """Each item of a history once, with the sum of its weights: indptr [B + 1], items [S], weights [S]."""
    starts = np.zeros_like(indptr)
    once = np.empty_like(items)
    sums = np.zeros(len(items), np.float64)
    end = 0
    for query in range(len(indptr) - 1):
        places = {}
        for position in range(indptr[query], indptr[query + 1]):
            item = items[position]
            if item not in places:
                places[item] = end
                once[end] = item
                end += 1
            sums[places[item]] += weights[position]
        starts[query + 1] = end
    return starts, once[:end].copy(), sums[:end].copy()


@compiled
def write_means(indptr: Longs, items: Ints, weights: Matrix, factors: Matrix, means: Floats) -> None:
    """Write the mean factors of each history, by weight; an empty one is left as it is."""
    for query in range(len(means)):
        mass = 0.0
        for position in range(indptr[query], indptr[query + 1]):
            mass += weights[position]
        for position in range(indptr[query], indptr[query + 1]):
            for place in range(means.shape[1]):
                means[query, place] += weights[position] / mass * factors[items[position], place]


@compiled
def write_fold_in(indptr: Longs, factors: Floats, projected: Floats, confidences: Floats, vectors: Floats) -> None:
    """Solve `FoldIn` for histories of fewer items than factors, in as many unknowns, by elimination.

    No pivoting is needed: all leading minors of I + S V M^-1 V' are positive.

    Args:
        indptr: [B + 1].
        factors: [T, D], V of each history.
        projected: [T, D], V M^-1.
        confidences: [T].
        vectors: [B, D], zero before; longer histories are left so.
    """
    dim = factors.shape[1]
    for query in range(len(vectors)):
        start, size = indptr[query], indptr[query + 1] - indptr[query]
        if size >= dim:
            continue
        system = np.empty((size, size))
        shares = confidences[start : start + size].copy()
        for row in range(size):
            for column in range(size):
                product = _dot(projected[start + row], factors[start + column])
                system[row, column] = (confidences[start + row] - 1) * product
            system[row, row] += 1
        for pivot in range(size):
            for row in range(pivot + 1, size):
                ratio = system[row, pivot] / system[pivot, pivot]
                for column in range(pivot, size):
                    system[row, column] -= ratio * system[pivot, column]
                shares[row] -= ratio * shares[pivot]
        for row in range(size - 1, -1, -1):
            for column in range(row + 1, size):
                shares[row] -= system[row, column] * shares[column]
            shares[row] /= system[row, row]
            for place in range(dim):
                vectors[query, place] += shares[row] * projected[start + row, place]


@compiled
def rescore(vectors: Matrix, matrix: Matrix, items: Ints, best_items: Ints, best_scores: Matrix) -> None:
    """Of `items` [B, C], each once and padded, write those of the highest inner products with vectors [B, D]."""
    found, scores = np.empty(items.shape[1], np.int32), np.empty(items.shape[1], np.float32)
    for query in range(len(items)):
        count = 0
        for item in items[query]:
            if item != NO_ITEM:
                found[count], scores[count] = item, _dot(vectors[query], matrix[item])
                count += 1
        _write_best(found[:count], scores[:count], best_items[query], best_scores[query])


@compiled
def lenders_wanted(scores: Matrix, items: Ints, places: Ints, lenders: Ints) -> Ints:
    """Lenders int32 [B, W * L] of the candidates that are borrowers without a score, in their order, padded."""
    most = 0
    for query in range(len(items)):
        count = 0
        for column in range(items.shape[1]):
            count += places[items[query, column]] != NO_ITEM and scores[query, column] == 0
        most = max(most, count)
    wanted = np.empty((len(items), most * lenders.shape[1]), np.int32)
    wanted[:] = NO_ITEM
    for query in range(len(items)):
        end = 0
        for column in range(items.shape[1]):
            place = places[items[query, column]]
            if place != NO_ITEM and scores[query, column] == 0:
                wanted[query, end : end + lenders.shape[1]] = lenders[place]
                end += lenders.shape[1]
    return wanted


@compiled
def fill_lent(scores: Matrix, items: Ints, places: Ints, weights: Matrix, lent: Matrix) -> None:
    """Give those candidates the weighted means of the scores `lent` [B, W * L] of their lenders."""
    for query in range(len(items)):
        end = 0
        for column in range(items.shape[1]):
            place = places[items[query, column]]
            if place != NO_ITEM and scores[query, column] == 0:
                for lender in range(weights.shape[1]):
                    scores[query, column] += weights[place, lender] * lent[query, end + lender]
                end += weights.shape[1]


@compiled
def write_unseen(
    items: Ints, scores: Matrix, indptr: Longs, history: Ints, kept_items: Ints, kept_scores: Matrix
) -> None:
    """Write the first candidates of each query that its history does not hold, in their order."""
    for query in range(len(items)):
        seen = set(history[indptr[query] : indptr[query + 1]])
        end = 0
        for column in range(items.shape[1]):
            item = items[query, column]
            if end < kept_items.shape[1] and item != NO_ITEM and item not in seen:
                kept_items[query, end], kept_scores[query, end] = item, scores[query, column]
                end += 1


@compiled
def write_seen(items: Ints, rows: Longs, indptr: Longs, history: Ints, seen: NDArray[np.bool_]) -> None:
    """Write whether each of the items [T] is in the history of its query, whose row [T] stands beside it."""
    current = np.int64(-1)
    known = set(history[:0])
    for place in range(len(items)):
        row = rows[place]
        if row != current:
            current, known = row, set(history[indptr[row] : indptr[row + 1]])
        seen[place] = items[place] in known
