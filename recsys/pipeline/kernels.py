"""Compiled loops of the ranker, see `recsys.core.compiled`. Items and features as in the functions that call them."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array, UInt64Array
from recsys.sources.kernels import HASH, UNHASH

_SIGN = np.int64(1 << 31)


@compiled
def write_union(items: Int32Array, union: Int32Array) -> int:
    """Write each row's items once into `union` [B, S], in the order of their tie keys; the longest row's length."""
    width = 0
    for query in range(len(items)):
        keys = np.empty(items.shape[1], np.uint32)
        count = 0
        for item in items[query]:
            if item != NO_ITEM:
                keys[count] = np.uint32(item) * HASH
                count += 1
        keys = np.sort(keys[:count])
        end = 0
        for place in range(count):
            if place == 0 or keys[place] != keys[place - 1]:
                union[query, end] = np.int32(keys[place] * UNHASH)
                end += 1
        width = max(width, end)
    return width


@compiled
def _order(scores: Float32Array, listed: BoolArray) -> UInt64Array:
    """Columns of the listed scores, from the highest; of equal ones the first column first."""
    keys = np.empty(len(scores), np.uint64)
    bits = (scores + np.float32(0)).view(np.int32)  # -0 becomes 0
    count = 0
    for column in range(len(scores)):
        if listed[column]:
            ascending = np.int64(bits[column]) if bits[column] >= 0 else np.int64(bits[column] ^ 0x7FFFFFFF)
            keys[count] = np.uint64(_SIGN - 1 - ascending) << np.uint64(32) | np.uint64(column)
            count += 1
    return np.sort(keys[:count]) & np.uint64(0xFFFFFFFF)


@compiled
def _write_ranks(scores: Float32Array, listed: BoolArray, ranks: Float32Array) -> None:
    """Write 1 / log2(1 + rank) of the listed scores, 1 for the highest."""
    order = _order(scores, listed)
    for rank in range(len(order)):
        ranks[order[rank]] = 1 / math.log2(2 + rank)


@compiled
def write_finalists(
    items: Int32Array,
    scores: Float32Array,
    hybrid: Float32Array,
    order: Float32Array,
    best_items: Int32Array,
    best_scores: Float32Array,
    best_hybrid: Float32Array,
) -> None:
    """Write the K candidates of each row that come first by `order`, equal ones in their order; 0 beside padding.

    Args:
        items: [B, C].
        scores: [R, B, C].
        hybrid, order: [B, C].
        best_items: [B, K], padded with `NO_ITEM`.
        best_scores: [R, B, K].
        best_hybrid: [B, K].
    """
    best_items[:], best_scores[:], best_hybrid[:] = NO_ITEM, 0, 0
    for query in range(len(items)):
        columns = _order(order[query], items[query] != NO_ITEM)
        for place in range(min(len(columns), best_items.shape[1])):
            column = columns[place]
            best_items[query, place], best_hybrid[query, place] = items[query, column], hybrid[query, column]
            for retriever in range(len(scores)):
                best_scores[retriever, query, place] = scores[retriever, query, column]


@compiled
def write_lists(
    items: Int32Array,
    scores: Float32Array,
    features: Float32Array,
    kept: Int64Array,
    list_items: Int32Array,
    list_scores: Float32Array,
    list_features: Float32Array,
) -> None:
    """Write the K candidates of the highest scores, equal ones in their order, and some of their features.

    Args:
        items, scores: [B, C].
        features: [B, C, F].
        kept: [P], columns of the features to keep.
        list_items, list_scores, list_features: [B, K], [B, K] and [B, K, P]; `NO_ITEM`, -inf and NaN where there are
            fewer candidates.
    """
    list_items[:], list_scores[:], list_features[:] = NO_ITEM, -np.inf, np.nan
    for query in range(len(items)):
        columns = _order(scores[query], items[query] != NO_ITEM)
        for place in range(min(len(columns), list_items.shape[1])):
            column = columns[place]
            list_items[query, place], list_scores[query, place] = items[query, column], scores[query, column]
            for part in range(len(kept)):
                list_features[query, place, part] = features[query, column, kept[part]]


@compiled
def write_sources(
    items: Int32Array, proposed: Int32Array, ends: Int64Array, found: BoolArray, counts: Int64Array
) -> None:
    """Write which of R sources proposed each of the items [B, K], and how many items each source proposed in all.

    Args:
        items: see above.
        proposed: [B, ...], what the sources proposed, side by side, padded.
        ends: [R], the column behind each source's last one.
        found: [B, K, R].
        counts: [R], 0 before.
    """
    for query in range(len(items)):
        start = 0
        for source in range(len(ends)):
            for column in range(start, ends[source]):
                item = proposed[query, column]
                if item != NO_ITEM:
                    counts[source] += 1
                    for place in range(items.shape[1]):
                        found[query, place, source] |= items[query, place] == item
            start = ends[source]


@compiled
def write_primary(items: Int32Array, scores: Float32Array, features: Float32Array, first: int) -> None:
    """Fill in three features of the scores [B, C]: score, how far it lies below the query's best, and its rank.

    Args:
        items, scores: [B, C].
        features: [B, C, F].
        first: column of the first of them.
    """
    for query in range(len(items)):
        listed = items[query] != NO_ITEM
        best = -np.inf
        for column in range(items.shape[1]):
            if listed[column]:
                best = max(best, scores[query, column])
        for column in range(items.shape[1]):
            if listed[column]:
                features[query, column, first] = scores[query, column]
                features[query, column, first + 1] = scores[query, column] - best
        _write_ranks(scores[query], listed, features[query, :, first + 2])


@compiled
def write_sum(scores: Float32Array, weights: Float32Array, total: Float32Array) -> None:
    """Write the weighted sum of the scores [R, B, C] of R retrievers."""
    total[:] = 0
    for retriever in range(len(scores)):
        if weights[retriever] != 0:
            for query in range(len(total)):
                for column in range(total.shape[1]):
                    total[query, column] += weights[retriever] * scores[retriever, query, column]


@compiled
def write_scores(
    items: Int32Array, scores: Float32Array, last: Float32Array, features: Float32Array, first: int
) -> None:
    """Fill in four features for each retriever's `scores`, and those that the history's `last` item alone gives.

    Log score; share of the query's best score, from -1 to 1, 0 where none is positive; rank among the positive ones;
    share of the last item's best score.

    Args:
        items: [B, C].
        scores, last: [R, B, C].
        features: [B, C, F].
        first: place of the first of them.
    """
    for query in range(len(items)):
        listed = items[query] != NO_ITEM
        for retriever in range(len(scores)):
            given, of_last, at = scores[retriever, query], last[retriever, query], first + 4 * retriever
            best, best_of_last = 0.0, 0.0
            for column in range(items.shape[1]):
                best = max(best, given[column])
                best_of_last = max(best_of_last, of_last[column])
            for column in range(items.shape[1]):
                if not listed[column]:
                    continue
                features[query, column, at] = math.log1p(max(given[column], 0.0))
                if best > 0:
                    features[query, column, at + 1] = min(max(given[column] / best, -1.0), 1.0)
                if best_of_last > 0:
                    features[query, column, at + 3] = min(max(of_last[column] / best_of_last, -1.0), 1.0)
            _write_ranks(given, listed & (given > 0), features[query, :, at + 2])


@compiled
def write_deviations(ratings: Float32Array, mean: float, features: Float32Array, at: int) -> None:
    """Fill in the feature at place `at`: the rating [B, C] less the mean, 0 where there is none (NaN)."""
    for query in range(len(ratings)):
        for column in range(ratings.shape[1]):
            if not math.isnan(ratings[query, column]):
                features[query, column, at] = ratings[query, column] - np.float32(mean)


@compiled
def encode(
    features: Float32Array,
    edges: Float32Array,
    steepness: Float32Array,
    products: Float32Array,
    bias: Float32Array,
    sums: Float32Array,
) -> None:
    """Write the products of the features' piecewise linear encodings and a matrix: one table lookup a feature.

    Args:
        features: float32 [T, F].
        edges: float32 [F, B + 1], of B bins, increasing along a row.
        steepness: float32 [F, B], 1 / width of each bin; 0 where that is 0.
        products: float32 [F, B + 1, H], the product at each edge.
        bias: float32 [H].
        sums: float32 [T, H].
    """
    bins, width = steepness.shape[1], products.shape[2]
    total = np.empty(width, np.float32)
    for row in range(len(features)):
        total[:] = bias
        for feature in range(features.shape[1]):
            value, bin_ = features[row, feature], 0
            for edge in range(1, bins):  # counting all is faster than branches of a search
                bin_ += edges[feature, edge] <= value
            progress = (value - edges[feature, bin_]) * steepness[feature, bin_]
            share = min(max(progress, np.float32(0)), np.float32(1))
            left = np.float32(1) - share
            below, above = products[feature, bin_], products[feature, bin_ + 1]
            for output in range(width):
                total[output] += left * below[output] + share * above[output]
        sums[row] = total
