"""Compiled loops of the retrievers, see `recsys.core.compiled`. Rows and scores as in the functions that call them."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled, number, prefetch_row
from recsys.core.queries import NO_ITEM
from recsys.core.types import (
    BoolArray,
    Float32Array,
    Float64Array,
    Int32Array,
    Int64Array,
    UInt16Array,
    UInt32Array,
    UInt64Array,
)

# Knuth's multiplicative hash of item rows, a bijection on 32 bits, and its inverse.
HASH, UNHASH = np.uint32(2654435761), np.uint32(pow(2654435761, -1, 1 << 32))

_SIGN = np.int64(1 << 31)
_AHEAD, _HISTORY_AHEAD = 4, 2  # rows asked for before they are read


@compiled
def _mark(items: Int32Array, places: Int32Array) -> None:
    """Note the first place of each of the items, counted from 1."""
    for column in range(len(items)):
        if items[column] != NO_ITEM and places[items[column]] == 0:
            places[items[column]] = column + 1


@compiled
def _clear(items: Int32Array, places: Int32Array) -> None:
    """Forget the places of the items."""
    for item in items:
        if item != NO_ITEM:
            places[item] = 0


@compiled
def spread(
    indptr: Int64Array,
    items: Int32Array,
    weights: Float32Array,
    neighbours: tuple[Int32Array, ...],
    shares: tuple[UInt16Array, ...],
    scales: Float64Array,
    decays: Float64Array,
    places: Int32Array,
) -> tuple[Int64Array, Int32Array, Float64Array]:
    """Items that some item of a history has as a neighbour in lists of R retrievers, once for each, and their scores.

    Args:
        indptr, items, weights: B histories, oldest first.
        neighbours, shares: of each retriever [N, K], lists of every item.
        scales: [R], by which the shares are multiplied.
        decays: [R], weight of a step back.
        places: int32 [N], 0 before and after.

    Returns:
        starts [B * R + 1], where the items of a query and retriever begin, those of the first query first; items [S];
        scores [S].
    """
    members, width = len(neighbours), 0
    for member in range(members):
        width += neighbours[member].shape[1]
    starts = np.zeros((len(indptr) - 1) * members + 1, np.int64)
    found, sums = np.empty(len(items) * width, np.int32), np.empty(len(items) * width, np.float64)
    end = 0
    for query in range(len(indptr) - 1):
        for member in range(members):
            start, strength = end, scales[member]
            lists, likenesses = neighbours[member], shares[member]
            for position in range(indptr[query + 1] - 1, indptr[query] - 1, -1):
                ahead = position - _HISTORY_AHEAD
                if ahead >= indptr[query]:
                    prefetch_row(lists[items[ahead]])
                    prefetch_row(likenesses[items[ahead]])
                weight = strength * weights[position]
                others, alike = lists[items[position]], likenesses[items[position]]
                for column in range(len(others)):
                    neighbour = others[column]
                    if neighbour == NO_ITEM:
                        break
                    # No branch for what was found before: whether it was is as good as random.
                    place = places[neighbour]
                    new = place == 0
                    at = end if new else start + place - 1
                    sums[at] = (0.0 if new else sums[at]) + weight * number(alike[column])
                    found[at] = neighbour
                    places[neighbour] = at - start + 1
                    end += new
                strength *= decays[member]
            _clear(found[start:end], places)
            starts[query * members + member + 1] = end
    return starts, found[:end], sums[:end]


@compiled
def write_spread(starts: Int64Array, found: Int32Array, sums: Float64Array, scores: Float32Array) -> None:
    """Write what `spread` gave for one retriever into `scores` float32 [B, N]; what has none is left as it is."""
    for query in range(len(scores)):
        for place in range(starts[query], starts[query + 1]):
            scores[query, found[place]] = sums[place]


@compiled
def _unmark(wanted: Int32Array, places: Int32Array, scores: Float32Array, query: int, rows: Int64Array) -> None:
    """Give items wanted more than once the scores of their first place, and clear the places."""
    for column in range(len(wanted)):
        if wanted[column] != NO_ITEM:
            first = places[wanted[column]] - 1
            if first != column:
                for row in rows:
                    scores[row, query, column] = scores[row, query, first]
    _clear(wanted, places)


@compiled
def look_up(
    starts: Int64Array,
    found: Int32Array,
    sums: Float64Array,
    chosen: Int64Array,
    rows: Int64Array,
    places: Int32Array,
    wanted: Int32Array,
    scores: Float32Array,
) -> None:
    """Write the scores of the items `wanted` int32 [B, C] into some rows of `scores`, 0 where there is none.

    Args:
        starts, found, sums: what `spread` gave for R retrievers.
        chosen: those whose scores are wanted.
        rows: of `scores`, one for each of them.
        places: int32 [N], 0 before and after.
        wanted: see above.
        scores: float32 [..., B, C].
    """
    members = (len(starts) - 1) // max(len(wanted), 1)
    for query in range(len(wanted)):
        _mark(wanted[query], places)
        for place in range(len(rows)):
            of_row = scores[rows[place], query]
            of_row[:] = 0
            part = query * members + chosen[place]
            for at in range(starts[part], starts[part + 1]):
                column = places[found[at]]
                if column > 0:
                    of_row[column - 1] = sums[at]
        _unmark(wanted[query], places, scores, query, rows)


@compiled
def look_up_last(
    indptr: Int64Array,
    items: Int32Array,
    weights: Float32Array,
    neighbours: tuple[Int32Array, ...],
    shares: tuple[UInt16Array, ...],
    scales: Float64Array,
    rows: Int64Array,
    places: Int32Array,
    wanted: Int32Array,
    scores: Float32Array,
) -> None:
    """As `look_up`, the scores that each history's last item alone gives.

    Args:
        indptr, items, weights: B histories, oldest first.
        neighbours, shares, scales: of each retriever.
        rows, places, wanted, scores: as there.
    """
    for query in range(len(wanted)):
        last = indptr[query + 1] - 1
        _mark(wanted[query], places)
        for member in range(len(rows)):
            of_row = scores[rows[member], query]
            of_row[:] = 0
            if last < indptr[query]:
                continue
            others, alike = neighbours[member][items[last]], shares[member][items[last]]
            weight = weights[last] * scales[member]
            for at in range(len(others)):
                if others[at] == NO_ITEM:
                    break
                column = places[others[at]]
                if column > 0:
                    of_row[column - 1] += weight * number(alike[at])
        _unmark(wanted[query], places, scores, query, rows)


@compiled
def spread_best(
    starts: Int64Array,
    found: Int32Array,
    sums: Float64Array,
    indptr: Int64Array,
    seen: Int32Array,
    places: Int32Array,
    best_items: Int32Array,
    best: Float32Array,
) -> None:
    """Write the items of the highest scores into `best_items` int32 [F, B, k], and the scores beside them.

    Args:
        starts, found, sums: what `spread` gave for F retrievers or more.
        indptr, seen: items to leave out of each query.
        places: int32 [N], 0 before and after.
        best_items, best: of the first F retrievers, padded.
    """
    members = (len(starts) - 1) // max(best_items.shape[1], 1)
    kept, scores = np.empty(len(found), np.int32), np.empty(len(found), np.float32)
    for query in range(best_items.shape[1]):
        history = seen[indptr[query] : indptr[query + 1]]
        _mark(history, places)
        for member in range(len(best_items)):
            part, count = query * members + member, 0
            for place in range(starts[part], starts[part + 1]):
                kept[count], scores[count] = found[place], sums[place]
                count += places[found[place]] == 0
            _write_best(kept[:count], scores[:count], best_items[member, query], best[member, query])
        _clear(history, places)


@compiled
def _lowest(keys: UInt64Array, k: int) -> UInt64Array:
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
def _sink(heap: UInt64Array, node: int) -> None:
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
def _write_best(items: Int32Array, scores: Float32Array, best_items: Int32Array, best_scores: Float32Array) -> None:
    """The k best of the `items` [S], equal scores in the order of their tie keys, as `exact.top_k_sparse` has them.

    Padded where there are fewer.
    """
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
    best_items[len(keys) :], best_scores[len(keys) :] = NO_ITEM, -np.inf


@compiled
def _dot(
    left: Float32Array | Float64Array, right: Float32Array | Float64Array | UInt16Array
) -> np.float32 | np.float64:
    """Inner product of two vectors, in the precision of the left one."""
    total = left.dtype.type(0)
    for place in range(len(left)):
        total += left[place] * number(right[place])
    return total


@compiled
def dots(
    vectors: Float32Array | Float64Array, matrix: Float32Array, rows: Int32Array, products: Float32Array | Float64Array
) -> None:
    """Write the inner products of vectors [B, D] and rows [B, C] of the matrix [N, D]; 0 beside padding."""
    for query in range(len(rows)):
        for column in range(rows.shape[1]):
            row = rows[query, column]
            if column + _AHEAD < rows.shape[1] and rows[query, column + _AHEAD] != NO_ITEM:
                prefetch_row(matrix[rows[query, column + _AHEAD]])
            products[query, column] = _dot(vectors[query], matrix[row]) if row != NO_ITEM else 0


@compiled
def other_dots(
    vectors: Float32Array,
    matrix: UInt16Array,
    rows: Int32Array,
    known: Int32Array,
    of_known: Float32Array,
    places: Int32Array,
    products: Float32Array,
) -> None:
    """As `dots`, where the products `of_known` [B, K] of the rows `known` were computed before.

    Args:
        vectors, rows, products: as there.
        matrix: [N, D], of half precision.
        known, of_known: see above; padded.
        places: int32 [N], 0 before and after.
    """
    for query in range(len(rows)):
        _mark(known[query], places)
        for column in range(rows.shape[1]):
            row = rows[query, column]
            if row == NO_ITEM:
                products[query, column] = 0
            elif places[row] > 0:
                products[query, column] = of_known[query, places[row] - 1]
            else:
                if column + _AHEAD < rows.shape[1]:
                    ahead = rows[query, column + _AHEAD]
                    if ahead != NO_ITEM and places[ahead] == 0:
                        prefetch_row(matrix[ahead])
                products[query, column] = _dot(vectors[query], matrix[row])
        _clear(known[query], places)


@compiled
def widen(matrix: UInt16Array, numbers: Float32Array) -> None:
    """Write the matrix of half precision [N, D] in single precision, several times as fast as NumPy does."""
    for row in range(len(matrix)):
        for column in range(matrix.shape[1]):
            numbers[row, column] = number(matrix[row, column])


@compiled
def write_means(
    indptr: Int64Array, items: Int32Array, weights: Float32Array, factors: Float32Array, means: Float64Array
) -> None:
    """Write the mean factors of each history, by weight; an empty one is left as it is."""
    for query in range(len(means)):
        mass = 0.0
        for position in range(indptr[query], indptr[query + 1]):
            mass += weights[position]
        for position in range(indptr[query], indptr[query + 1]):
            for place in range(means.shape[1]):
                means[query, place] += weights[position] / mass * factors[items[position], place]


@compiled
def _gather(
    items: Int32Array, weights: Float32Array, places: Int32Array, rows: Int64Array, masses: Float64Array
) -> int:
    """Write the first place and the total weight of each distinct item of a history; how many, -1 if too many."""
    size, most = 0, len(masses)
    for position in range(len(items)):
        item = items[position]
        if places[item] == 0:
            if size == most:
                size = -1
                break
            rows[size], masses[size] = position, 0.0
            size += 1
            places[item] = size
        masses[places[item] - 1] += weights[position]
    for item in items:
        places[item] = 0
    return size


@compiled
def _eliminate(system: Float64Array, values: Float64Array) -> None:
    """Solve the square system in place by Gaussian elimination without pivoting: `values` become the unknowns."""
    size = len(values)
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
    places: Int32Array,
    vectors: Float64Array,
) -> None:
    """Solve `FoldIn` for histories of fewer distinct items than factors, in as many unknowns.

    No pivoting is needed: all leading minors of I + S V M^-1 V' are positive.

    Args:
        indptr, items, weights: B histories of T interactions.
        factors: [T, D], of their items.
        projected: [T, D], factors M^-1.
        alpha: confidence of a weight of 1.
        places: int32 [N], 0 before and after.
        vectors: [B, D], zero before; NaN afterwards where a history is longer.
    """
    dim = factors.shape[1]
    rows, masses, system = np.empty(dim - 1, np.int64), np.empty(dim - 1), np.empty((dim - 1) * (dim - 1))
    for query in range(len(vectors)):
        part = slice(indptr[query], indptr[query + 1])
        size = _gather(items[part], weights[part], places, rows, masses)
        if size < 0:
            vectors[query] = np.nan
            continue
        equations = system[: size * size].reshape(size, size)
        shares = masses[:size]
        shares *= alpha
        for row in range(size):
            for column in range(size):
                product = _dot(projected[part][rows[row]], factors[part][rows[column]])
                equations[row, column] = (shares[row] - 1) * product
            equations[row, row] += 1
        _eliminate(equations, shares)
        for row in range(size):
            for place in range(dim):
                vectors[query, place] += shares[row] * projected[part][rows[row], place]


@compiled
def write_best_unseen(
    vectors: Float32Array,
    matrix: UInt16Array,
    rows: Int64Array,
    items: UInt32Array,
    scores: Float32Array,
    indptr: Int64Array,
    history: Int32Array,
    places: Int32Array,
    best_items: Int32Array,
    best_scores: Float32Array,
) -> None:
    """Of the items found for some queries, write those of the highest inner products that a history does not hold.

    Args:
        vectors: [B, D], one for each query.
        matrix: [N, D], of half precision.
        rows: [R], the queries.
        items, scores: [R, C], each item once; NaN beside padding.
        indptr, history: of B histories.
        places: int32 [N], 0 before and after.
        best_items, best_scores: [B, k], written in the given rows, padded.
    """
    kept, products = np.empty(items.shape[1], np.int32), np.empty(items.shape[1], np.float32)
    for place in range(len(rows)):
        row, count = rows[place], 0
        seen = history[indptr[row] : indptr[row + 1]]
        _mark(seen, places)
        for column in range(items.shape[1]):
            item = np.int32(items[place, column])
            if not math.isnan(scores[place, column]) and places[item] == 0:
                kept[count] = item
                count += 1
        _clear(seen, places)
        for column in range(count):
            if column + _AHEAD < count:
                prefetch_row(matrix[kept[column + _AHEAD]])
            products[column] = _dot(vectors[row], matrix[kept[column]])
        _write_best(kept[:count], products[:count], best_items[row], best_scores[row])


@compiled
def with_lenders(items: Int32Array, places: Int32Array, lenders: Int32Array) -> Int32Array:
    """The candidates [B, C] and, padded on their right, the lenders of the borrowers among them, in their order."""
    most = 0
    for query in range(len(items)):
        count = 0
        for item in items[query]:
            count += places[item] != NO_ITEM
        most = max(most, count)
    if most == 0:
        return items
    candidates = items.shape[1]
    wide = np.empty((len(items), candidates + most * lenders.shape[1]), np.int32)
    for query in range(len(items)):
        wide[query, :candidates] = items[query]
        wide[query, candidates:] = NO_ITEM
        end = candidates
        for item in items[query]:
            if places[item] != NO_ITEM:
                wide[query, end : end + lenders.shape[1]] = lenders[places[item]]
                end += lenders.shape[1]
    return wide


@compiled
def write_lent(
    wide: Float32Array,
    items: Int32Array,
    places: Int32Array,
    weights: Float32Array,
    rows: Int64Array,
    scores: Float32Array,
) -> None:
    """Write rows of the candidates' scores [S, B, C]; borrowers of score 0 have the weighted mean of their lenders'.

    Args:
        wide: [R, B, ...], of the items that `with_lenders` gave.
        items: [B, C].
        places: [N + 1], index of an item among the borrowers.
        weights: [U, L], of each borrower's lenders.
        rows: [R], of `scores`.
        scores: see above.
    """
    for source in range(len(rows)):
        scores[rows[source]] = wide[source, :, : items.shape[1]]
    for query in range(len(items)):
        end = items.shape[1]
        for column in range(items.shape[1]):
            place = places[items[query, column]]
            if place != NO_ITEM:
                for source in range(len(rows)):
                    if wide[source, query, column] == 0:
                        for lender in range(weights.shape[1]):
                            lent = weights[place, lender] * wide[source, query, end + lender]
                            scores[rows[source], query, column] += lent
                end += weights.shape[1]


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
    for query in range(len(items)):
        seen = set(history[indptr[query] : indptr[query + 1]])
        end = 0
        for column in range(items.shape[1]):
            item = items[query, column]
            if end < kept_items.shape[1] and item != NO_ITEM and item not in seen:
                kept_items[query, end], kept_scores[query, end] = item, scores[query, column]
                end += 1


@compiled
def write_seen(items: Int32Array, rows: Int64Array, indptr: Int64Array, history: Int32Array, seen: BoolArray) -> None:
    """Write whether each of the items [T] is in the history of its query, whose row [T] stands beside it."""
    current = np.int64(-1)
    known = set(history[:0])
    for place in range(len(items)):
        row = rows[place]
        if row != current:
            current, known = row, set(history[indptr[row] : indptr[row + 1]])
        seen[place] = items[place] in known
