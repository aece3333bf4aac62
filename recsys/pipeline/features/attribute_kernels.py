"""Compiled loops of the features of attributes, see `recsys.core.compiled`.

They read the histories of B queries as `indptr` and `history`, and fill in some columns of the features [B, C, F] of
the candidates `items` [B, C], from the column `first` on. `decay` is the weight of a step back in the history. Scratch
arrays are zero before and after.
"""

from __future__ import annotations

import math

from recsys.core.compiled import compiled
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array

_NO_NAME = 0  # as in recsys.pipeline.features.names


@compiled
def write_popularity(
    items: Int32Array, log_count: Float32Array, trend: Float32Array, features: Float32Array, first: int
) -> None:
    """Fill in popularity and trend."""
    for query in range(items.shape[0]):
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM:
                features[query, column, first] = log_count[item]
                features[query, column, first + 1] = trend[item]


@compiled
def write_history_length(indptr: Int64Array, items: Int32Array, features: Float32Array, first: int) -> None:
    """Fill in log(1 + length of the history)."""
    for query in range(items.shape[0]):
        length = math.log1p(indptr[query + 1] - indptr[query])
        for column in range(items.shape[1]):
            if items[query, column] != NO_ITEM:
                features[query, column, first] = length


@compiled
def write_price(
    indptr: Int64Array,
    history: Int32Array,
    decay: float,
    items: Int32Array,
    log_price: Float32Array,
    features: Float32Array,
    first: int,
) -> None:
    """Fill in 1 where the item's price and the user's habit are known, then their difference and distance."""
    for query in range(items.shape[0]):
        end, paid, mass = indptr[query + 1], 0.0, 0.0
        for position in range(indptr[query], end):
            price = log_price[history[position]]
            if math.isfinite(price):
                weight = decay ** (end - 1 - position)
                paid += weight * price
                mass += weight
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM and mass > 0 and math.isfinite(log_price[item]):
                difference = log_price[item] - paid / mass
                features[query, column, first] = 1
                features[query, column, first + 1] = difference
                features[query, column, first + 2] = difference if difference > 0 else -difference


@compiled
def write_brand(
    indptr: Int64Array,
    history: Int32Array,
    decay: float,
    items: Int32Array,
    brand: Int32Array,
    shares: Float64Array,
    features: Float32Array,
    first: int,
) -> None:
    """Fill in the share of the habit that has the item's brand, and whether the last item has it.

    Args:
        brand: of all items.
        shares: scratch, one for each brand.
    """
    for query in range(items.shape[0]):
        start, end = indptr[query], indptr[query + 1]
        weight, mass = 1.0, 0.0
        for position in range(end - 1, start - 1, -1):
            mass += weight
            shares[brand[history[position]]] += weight
            weight *= decay
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM and mass > 0 and brand[item] != _NO_NAME:
                features[query, column, first] = shares[brand[item]] / mass
                features[query, column, first + 1] = brand[item] == brand[history[end - 1]]
        for position in range(start, end):
            shares[brand[history[position]]] = 0


@compiled
def write_category(
    indptr: Int64Array,
    history: Int32Array,
    decay: float,
    items: Int32Array,
    categories: Int32Array,
    shares: Float64Array,
    features: Float32Array,
    first: int,
) -> None:
    """Fill in the mean share of the item's categories in the habit, and the share of them that the last item has.

    Args:
        categories: of all items.
        shares: scratch, one for each category.
    """
    width = categories.shape[1]
    for query in range(items.shape[0]):
        start, end = indptr[query], indptr[query + 1]
        weight, mass = 1.0, 0.0
        for position in range(end - 1, start - 1, -1):
            mass += weight
            for index in range(width):
                shares[categories[history[position], index]] += weight
            weight *= decay
        for column in range(items.shape[1]):
            item = items[query, column]
            if item == NO_ITEM or mass <= 0:
                continue
            last = history[end - 1]
            count, common, total = 0, 0, 0.0
            for index in range(width):
                category = categories[item, index]
                if category != _NO_NAME:
                    count += 1
                    total += shares[category]
                    for other in range(width):
                        common += categories[last, other] == category
            if count > 0:
                features[query, column, first] = total / count / mass
                features[query, column, first + 1] = common / count
        for position in range(start, end):
            for index in range(width):
                shares[categories[history[position], index]] = 0
