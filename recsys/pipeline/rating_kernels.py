"""Compiled loops of the rating features, see `recsys.core.compiled`; tastes as in `recsys.pipeline.rating_factors`."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled, prefetch, prefetch_row
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array

_AHEAD = 8  # items asked for before they are read


@compiled
def _solve(system: Float64Array, values: Float64Array) -> None:
    """Put the solution of a positive definite system [S, S] into `values` [S], by Cholesky decomposition.

    Only the lower triangle is read; the system is overwritten.
    """
    size = len(values)
    for row in range(size):
        for column in range(row + 1):
            total = system[row, column]
            for place in range(column):
                total -= system[row, place] * system[column, place]
            system[row, column] = total / system[column, column] if column < row else math.sqrt(total)
        for place in range(row):
            values[row] -= system[row, place] * values[place]
        values[row] /= system[row, row]
    for row in range(size - 1, -1, -1):
        values[row] /= system[row, row]
        for place in range(row):
            values[place] -= system[row, place] * values[row]


@compiled
def _fold_in_few(
    vectors: Float64Array, residuals: Float64Array, noise: float, decays: Float64Array, tastes: Float64Array
) -> None:
    """Write the tastes [G, D] that R ratings with item vectors [R, D] give, oldest first: R unknowns each.

    With the square roots of the weights in S: z = X' S (S X X' S + noise I)^-1 S r.
    """
    count, dim = vectors.shape
    products, system = np.empty((count, count)), np.empty((count, count))
    scales, shares = np.empty(count), np.empty(count)
    for row in range(count):
        for column in range(row + 1):
            total = 0.0
            for place in range(dim):
                total += vectors[row, place] * vectors[column, place]
            products[row, column] = total
    for taste in range(len(decays)):
        for row in range(count):
            scales[row] = decays[taste] ** (0.5 * (count - 1 - row))
            shares[row] = scales[row] * residuals[row]
            for column in range(row + 1):
                system[row, column] = scales[row] * scales[column] * products[row, column]
            system[row, row] += noise
        _solve(system, shares)
        tastes[taste] = 0.0
        for row in range(count):
            share = scales[row] * shares[row]
            for place in range(dim):
                tastes[taste, place] += share * vectors[row, place]


@compiled
def _fold_in_many(
    vectors: Float64Array, residuals: Float64Array, noise: float, decays: Float64Array, tastes: Float64Array
) -> None:
    """As `_fold_in_few`, in D unknowns: z = (X' S S X + noise I)^-1 X' S S r."""
    count, dim = vectors.shape
    system = np.empty((dim, dim))
    for taste in range(len(decays)):
        system[:] = 0.0
        tastes[taste] = 0.0
        weight = 1.0
        for position in range(count - 1, -1, -1):
            for row in range(dim):
                weighted = weight * vectors[position, row]
                tastes[taste, row] += weighted * residuals[position]
                for column in range(row + 1):
                    system[row, column] += weighted * vectors[position, column]
            weight *= decays[taste]
        for row in range(dim):
            system[row, row] += noise
        _solve(system, tastes[taste])


@compiled
def _fold_in(
    items: Int32Array,
    residuals: Float64Array,
    vectors: Float32Array,
    noise: float,
    decays: Float64Array,
    known: Float64Array,
    tastes: Float64Array,
) -> None:
    """Write the tastes [G, D] of one history; `known` [L or more, D] is overwritten. NaN among residuals: unrated."""
    count = 0
    left = np.empty(len(items))
    for position in range(len(items)):
        if not math.isnan(residuals[position]):
            left[count] = residuals[position]
            known[count] = vectors[items[position]]
            count += 1
    if count < vectors.shape[1]:
        _fold_in_few(known[:count], left[:count], noise, decays, tastes)
    else:
        _fold_in_many(known[:count], left[:count], noise, decays, tastes)


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
    """Write the tastes [B, G, D] of B histories with residuals [T], NaN where unrated."""
    known = np.empty((np.max(np.diff(indptr)) if len(tastes) else 0, vectors.shape[1]))
    for user in range(len(tastes)):
        part = slice(indptr[user], indptr[user + 1])
        _fold_in(items[part], residuals[part], vectors, noise, decays, known, tastes[user])


@compiled
def write_features(
    indptr: Int64Array,
    items: Int32Array,
    ratings: Float32Array,
    mean: float,
    biases: Float64Array,
    novelties: Float64Array,
    vectors: Float32Array,
    noise: float,
    decays: Float64Array,
    wanted: Int32Array,
    features: Float32Array,
) -> None:
    """Write bias, novelty and tastes of the items `wanted` [B, K] into `features` [B, K, 2 + G]; NaN beside padding.

    Args:
        indptr, items, ratings: B histories.
        mean, biases, novelties: of all items [N], see `RatingStatistics`.
        vectors, noise, decays: of the tastes, see `RatingFactors`.
    """
    dim = vectors.shape[1]
    known = np.empty((np.max(np.diff(indptr)) if len(wanted) else 0, dim))
    residuals, tastes = np.empty(len(items)), np.empty((len(decays), dim))
    for position in range(len(items)):
        residuals[position] = ratings[position] - (mean + biases[items[position]])
    for user in range(len(wanted)):
        part = slice(indptr[user], indptr[user + 1])
        _fold_in(items[part], residuals[part], vectors, noise, decays, known, tastes)
        for column in range(wanted.shape[1]):
            if column + _AHEAD < wanted.shape[1]:
                ahead = wanted[user, column + _AHEAD]
                if ahead != NO_ITEM:
                    prefetch(biases, ahead)
                    prefetch(novelties, ahead)
                    prefetch_row(vectors[ahead])
            item = wanted[user, column]
            if item == NO_ITEM:
                features[user, column] = np.nan
                continue
            features[user, column, 0], features[user, column, 1] = biases[item], novelties[item]
            for taste in range(len(decays)):
                total = 0.0
                for place in range(dim):
                    total += tastes[taste, place] * vectors[item, place]
                features[user, column, 2 + taste] = total


@compiled
def gather(matrix: Float32Array, rows: Int32Array, found: Float32Array) -> None:
    """Write the rows [B, K] of the matrix [N, H] into `found` [B, K, H]; 0 beside padding."""
    for query in range(len(rows)):
        for column in range(rows.shape[1]):
            if column + _AHEAD < rows.shape[1] and rows[query, column + _AHEAD] != NO_ITEM:
                prefetch_row(matrix[rows[query, column + _AHEAD]])
            row = rows[query, column]
            if row == NO_ITEM:
                found[query, column] = 0
            else:
                found[query, column] = matrix[row]
