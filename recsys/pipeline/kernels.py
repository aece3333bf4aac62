"""Compiled loops of the ranker, see `recsys.core.compiled`. Items and features as in the functions that call them."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.sort_keys import item_of, sort, sort_key, tie_key
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array, UInt64Array

_COLUMN = np.uint64(0xFFFFFFFF)  # the part of a key that holds the column


@compiled
def write_union(items: Int32Array, union: Int32Array) -> int:
    """Write each row's items once into `union` [B, S], in the order of their tie keys; the longest row's length."""
    width = 0
    keys = np.empty(items.shape[1], np.uint64)
    for query in range(items.shape[0]):
        count = end = 0
        for column in range(items.shape[1]):
            if items[query, column] != NO_ITEM:
                keys[count] = tie_key(items[query, column])
                count += 1
        in_order = sort(keys[:count])
        for index in range(count):
            if index == 0 or in_order[index] != in_order[index - 1]:
                union[query, end] = item_of(in_order[index])
                end += 1
        width = max(width, end)
    return width


@compiled
def _order(items: Int32Array, scores: Float32Array, query: int) -> UInt64Array:
    """Columns of the items' scores, from the highest; of equal ones the first column first. Only `_COLUMN` of them."""
    keys, count = np.empty(items.shape[1], np.uint64), 0
    for column in range(items.shape[1]):
        if items[query, column] != NO_ITEM:
            keys[count] = sort_key(scores[query, column], np.uint64(column))
            count += 1
    return sort(keys[:count])


@compiled
def write_finalists(
    items: Int32Array,
    scores: Float32Array,
    sums: Float32Array,
    order: Float32Array,
    best_items: Int32Array,
    best_scores: Float32Array,
    best_sums: Float32Array,
) -> None:
    """Write the K candidates of each row that come first by `order`, equal ones in their order; 0 beside padding.

    Args:
        items: [B, C].
        scores: [R, B, C].
        sums, order: [B, C].
        best_items: [B, K], padded with `NO_ITEM`.
        best_scores: [R, B, K].
        best_sums: [B, K].
    """
    for query in range(best_items.shape[0]):
        columns = _order(items, order, query)
        for rank in range(best_items.shape[1]):
            listed = rank < len(columns)
            column = np.int64(columns[rank] & _COLUMN) if listed else 0
            best_items[query, rank] = items[query, column] if listed else NO_ITEM
            best_sums[query, rank] = sums[query, column] if listed else 0
            for source in range(scores.shape[0]):
                best_scores[source, query, rank] = scores[source, query, column] if listed else 0


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
    for query in range(list_items.shape[0]):
        columns = _order(items, scores, query)
        for rank in range(list_items.shape[1]):
            listed = rank < len(columns)
            column = np.int64(columns[rank] & _COLUMN) if listed else 0
            list_items[query, rank] = items[query, column] if listed else NO_ITEM
            list_scores[query, rank] = scores[query, column] if listed else -np.inf
            for part in range(len(kept)):
                list_features[query, rank, part] = features[query, column, kept[part]] if listed else np.nan


@compiled
def write_sources(
    items: Int32Array, proposed: Int32Array, ends: Int64Array, proposers: BoolArray, counts: Int64Array
) -> None:
    """Write which of R sources proposed each of the items [B, K], and how many items each source proposed in all.

    Args:
        items: see above.
        proposed: [B, ...], what the sources proposed, side by side, padded.
        ends: [R], the column behind each source's last one.
        proposers: [B, K, R], false before.
        counts: [R], 0 before.
    """
    for query in range(items.shape[0]):
        start = 0
        for source in range(len(ends)):
            for column in range(start, ends[source]):
                item = proposed[query, column]
                if item != NO_ITEM:
                    counts[source] += 1
                    for rank in range(items.shape[1]):
                        if items[query, rank] == item:
                            proposers[query, rank, source] = True
            start = ends[source]


@compiled
def _write_ranks(
    items: Int32Array, scores: Float32Array, least: float, query: int, features: Float32Array, at: int
) -> None:
    """Write 1 / log2(1 + rank) of a query's scores above `least`, 1 for the highest, into the feature `at`."""
    columns = _order(items, scores, query)
    for rank in range(len(columns)):
        column = np.int64(columns[rank] & _COLUMN)
        if scores[query, column] > least:
            features[query, column, at] = 1 / math.log2(2 + rank)


@compiled
def write_primary(items: Int32Array, scores: Float32Array, features: Float32Array, first: int) -> None:
    """Fill in three features of the scores [B, C]: score, how far it lies below the query's best, and its rank.

    Args:
        items, scores: [B, C].
        features: [B, C, F].
        first: column of the first of them.
    """
    for query in range(items.shape[0]):
        best = -np.inf
        for column in range(items.shape[1]):
            if items[query, column] != NO_ITEM and scores[query, column] > best:
                best = scores[query, column]
        for column in range(items.shape[1]):
            if items[query, column] != NO_ITEM:
                features[query, column, first] = scores[query, column]
                features[query, column, first + 1] = scores[query, column] - best
        _write_ranks(items, scores, -np.inf, query, features, first + 2)


@compiled
def write_sum(scores: Float32Array, weights: Float32Array, total: Float32Array) -> None:
    """Write the weighted sum of the scores [R, B, C] of R sources."""
    for query in range(total.shape[0]):
        for column in range(total.shape[1]):
            total[query, column] = 0
        for source in range(scores.shape[0]):
            if weights[source] != 0:
                for column in range(total.shape[1]):
                    total[query, column] += weights[source] * scores[source, query, column]


@compiled
def _share(score: float, best: float) -> float:
    """The score as a share of the best one, from -1 to 1; 0 where the best is not positive."""
    if best <= 0:
        return 0.0
    share = score / best
    return 1.0 if share > 1 else -1.0 if share < -1 else share


@compiled
def write_scores(
    items: Int32Array, scores: Float32Array, last: Float32Array, features: Float32Array, first: int
) -> None:
    """Fill in four features for each source's `scores`, and those that the history's `last` item alone gives.

    Log score; share of the query's best score, from -1 to 1, 0 where none is positive; rank among the positive ones;
    share of the last item's best score.

    Args:
        items: [B, C].
        scores, last: [R, B, C].
        features: [B, C, F], 0 in those columns.
        first: column of the first of them.
    """
    for source in range(scores.shape[0]):
        given, of_last, at = scores[source], last[source], first + 4 * source
        for query in range(items.shape[0]):
            best, best_of_last = 0.0, 0.0
            for column in range(items.shape[1]):
                best = max(best, given[query, column])
                best_of_last = max(best_of_last, of_last[query, column])
            for column in range(items.shape[1]):
                if items[query, column] != NO_ITEM:
                    score = given[query, column]
                    features[query, column, at] = math.log1p(score if score > 0 else 0)
                    features[query, column, at + 1] = _share(score, best)
                    features[query, column, at + 3] = _share(of_last[query, column], best_of_last)
            _write_ranks(items, given, 0.0, query, features, at + 2)


@compiled
def write_deviations(ratings: Float32Array, mean: float, features: Float32Array, at: int) -> None:
    """Fill in the feature in column `at`: the rating [B, C] less the mean, 0 where there is none (NaN)."""
    for query in range(ratings.shape[0]):
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
    for row in range(features.shape[0]):
        for unit in range(width):
            sums[row, unit] = bias[unit]
        for feature in range(features.shape[1]):
            value, edge = features[row, feature], 0
            for candidate in range(1, bins):  # counting all is faster than branches of a search
                edge += edges[feature, candidate] <= value
            share = (value - edges[feature, edge]) * steepness[feature, edge]
            share = np.float32(0) if share < 0 else np.float32(1) if share > 1 else share
            left = np.float32(1) - share
            for unit in range(width):
                sums[row, unit] += left * products[feature, edge, unit] + share * products[feature, edge + 1, unit]
