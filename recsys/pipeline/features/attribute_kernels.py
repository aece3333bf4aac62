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
    for query in range(len(items)):
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM:
                features[query, column, first] = log_count[item]
                features[query, column, first + 1] = trend[item]


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
    for query in range(len(items)):
        past = history[indptr[query] : indptr[query + 1]]
        paid, mass = 0.0, 0.0
        for position in range(len(past)):
            price = log_price[past[position]]
            if math.isfinite(price):
                weight = decay ** (len(past) - 1 - position)
                paid += weight * price
                mass += weight
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM and mass > 0 and math.isfinite(log_price[item]):
                difference = log_price[item] - paid / mass
                features[query, column, first] = 1
                features[query, column, first + 1] = difference
                features[query, column, first + 2] = abs(difference)


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
    for query in range(len(items)):
        past = history[indptr[query] : indptr[query + 1]]
        mass = 0.0
        for position in range(len(past)):
            weight = decay ** (len(past) - 1 - position)
            mass += weight
            shares[brand[past[position]]] += weight
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM and mass > 0 and brand[item] != _NO_NAME:
                features[query, column, first] = shares[brand[item]] / mass
                features[query, column, first + 1] = brand[item] == brand[past[-1]]
        for item in past:
            shares[brand[item]] = 0


@compiled
def _mean_share(names: Int32Array, shares: Float64Array) -> float:
    """Mean share of the names, padding left out; 0 where there is none."""
    count, total = 0, 0.0
    for name in names:
        if name != _NO_NAME:
            count += 1
            total += shares[name]
    return total / max(count, 1)


@compiled
def _overlap(names: Int32Array, others: Int32Array) -> float:
    """Share of the names, padding left out, that are among the others."""
    count, common = 0, 0
    for name in names:
        if name != _NO_NAME:
            count += 1
            for other in others:
                common += name == other
    return common / max(count, 1)


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
    for query in range(len(items)):
        past = history[indptr[query] : indptr[query + 1]]
        mass = 0.0
        for position in range(len(past)):
            weight = decay ** (len(past) - 1 - position)
            mass += weight
            for name in categories[past[position]]:
                shares[name] += weight
        for column in range(items.shape[1]):
            item = items[query, column]
            if item != NO_ITEM and mass > 0:
                row = categories[item]
                features[query, column, first] = _mean_share(row, shares) / mass
                features[query, column, first + 1] = _overlap(row, categories[past[-1]])
        for item in past:
            for name in categories[item]:
                shares[name] = 0
