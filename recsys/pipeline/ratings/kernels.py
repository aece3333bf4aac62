"""Compiled loops of the rating features, see `recsys.core.compiled`; tastes as in `recsys.pipeline.ratings.factors`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.prefetch import prefetch
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array

_AHEAD = 8  # items that are asked for before they are read


@compiled
def solve(system: Float64Array, values: Float64Array, size: int) -> None:
    """Put the solution of a positive definite system into `values`, by Cholesky decomposition.

    Only the lower triangle of the first `size` rows is read; the system is overwritten.
    """
    for row in range(size):
        for column in range(row + 1):
            total = system[row, column]
            for inner in range(column):
                total -= system[row, inner] * system[column, inner]
            system[row, column] = total / system[column, column] if column < row else math.sqrt(total)
        for inner in range(row):
            values[row] -= system[row, inner] * values[inner]
        values[row] /= system[row, row]
    for row in range(size - 1, -1, -1):
        values[row] /= system[row, row]
        for inner in range(row):
            values[inner] -= system[row, inner] * values[row]


@compiled
def _fold_in_few(
    vectors: Float64Array,
    residuals: Float64Array,
    noise: float,
    decays: Float64Array,
    tastes: Float64Array,
    first: int,
) -> None:
    """Write the tastes that R residuals of items with vectors [R or more, D] give, oldest first: R unknowns each.

    With the square roots of the weights in S: z = X' S (S X X' S + noise I)^-1 S r.
    """
    count, dim = len(residuals), vectors.shape[1]
    products, system = np.empty((count, count)), np.empty((count, count))
    scales, shares = np.empty(count), np.empty(count)
    for row in range(count):
        for column in range(row + 1):
            total = 0.0
            for factor in range(dim):
                total += vectors[row, factor] * vectors[column, factor]
            products[row, column] = total
    for taste in range(len(decays)):
        for row in range(count):
            scales[row] = decays[taste] ** (0.5 * (count - 1 - row))
            shares[row] = scales[row] * residuals[row]
            for column in range(row + 1):
                system[row, column] = scales[row] * scales[column] * products[row, column]
            system[row, row] += noise
        solve(system, shares, count)
        for factor in range(dim):
            tastes[first + taste, factor] = 0
        for row in range(count):
            share = scales[row] * shares[row]
            for factor in range(dim):
                tastes[first + taste, factor] += share * vectors[row, factor]


@compiled
def _fold_in_many(
    vectors: Float64Array,
    residuals: Float64Array,
    noise: float,
    decays: Float64Array,
    tastes: Float64Array,
    first: int,
) -> None:
    """As `_fold_in_few`, in D unknowns: z = (X' S S X + noise I)^-1 X' S S r."""
    count, dim = len(residuals), vectors.shape[1]
    system, values = np.empty((dim, dim)), np.empty(dim)
    for taste in range(len(decays)):
        for row in range(dim):
            values[row] = 0
            for column in range(row + 1):
                system[row, column] = 0
        weight = 1.0
        for position in range(count - 1, -1, -1):
            for row in range(dim):
                weighted = weight * vectors[position, row]
                values[row] += weighted * residuals[position]
                for column in range(row + 1):
                    system[row, column] += weighted * vectors[position, column]
            weight *= decays[taste]
        for row in range(dim):
            system[row, row] += noise
        solve(system, values, dim)
        for factor in range(dim):
            tastes[first + taste, factor] = values[factor]


@compiled
def write_tastes(
    indptr: Int64Array,
    items: Int32Array,
    residuals: Float64Array,
    vectors: Float32Array,
    noise: float,
    decays: Float64Array,
    tastes: Float64Array,
) -> None:
    """Write the tastes [B * G, D] of B histories, for each of G decays.

    Args:
        indptr, items: B histories.
        residuals: [T], what biases leave of each rating; NaN where unrated.
        vectors, noise, decays: see `RatingFactors`.
        tastes: see above.
    """
    dim, longest = vectors.shape[1], 0
    for query in range(len(indptr) - 1):
        length = indptr[query + 1] - indptr[query]
        longest = max(longest, length)
    rated, rated_residuals = np.empty((longest, dim)), np.empty(longest)
    for query in range(len(indptr) - 1):
        count = 0
        for position in range(indptr[query], indptr[query + 1]):
            if not math.isnan(residuals[position]):
                rated_residuals[count] = residuals[position]
                for factor in range(dim):
                    rated[count, factor] = vectors[items[position], factor]
                count += 1
        first = query * len(decays)
        if count < dim:
            _fold_in_few(rated, rated_residuals[:count], noise, decays, tastes, first)
        else:
            _fold_in_many(rated, rated_residuals[:count], noise, decays, tastes, first)


@compiled
def write_features(
    items: Int32Array,
    biases: Float64Array,
    novelties: Float64Array,
    vectors: Float32Array,
    tastes: Float64Array,
    features: Float32Array,
) -> None:
    """Write bias, novelty and tastes of the items [B, K] into `features` [B, K, 2 + G]; NaN beside padding.

    Args:
        items: see above.
        biases, novelties: of all items [N], see `RatingStatistics`.
        vectors: of all items, see `RatingFactors`.
        tastes: [B * G, D], what `write_tastes` gave.
        features: see above.
    """
    groups = features.shape[2] - 2
    for query in range(items.shape[0]):
        for column in range(items.shape[1]):
            if column + _AHEAD < items.shape[1] and items[query, column + _AHEAD] != NO_ITEM:
                prefetch(biases, items[query, column + _AHEAD])
                prefetch(novelties, items[query, column + _AHEAD])
                prefetch(vectors, items[query, column + _AHEAD])
            item = items[query, column]
            if item == NO_ITEM:
                for feature in range(features.shape[2]):
                    features[query, column, feature] = np.nan
                continue
            features[query, column, 0], features[query, column, 1] = biases[item], novelties[item]
            for taste in range(groups):
                score = 0.0
                for factor in range(vectors.shape[1]):
                    score += tastes[query * groups + taste, factor] * vectors[item, factor]
                features[query, column, 2 + taste] = score
