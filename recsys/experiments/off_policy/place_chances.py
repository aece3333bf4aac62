"""With which chance a drawn order has an item at a place: among all orders, not given the one that was drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from recsys.core.types import BoolArray, Float64Array, Int64Array

MOST_ITEMS: Final = 12
"""Of a drawn order: what its chances take to compute doubles with each item."""


def drawn_weights(chances: Float64Array) -> Float64Array:
    """The weights of Plackett-Luce, from the chances that were kept when orders were drawn.

    Args:
        chances: (lists, places) of each place, given those before; of the last place 1.

    Returns:
        (lists, places) of the item at each place exp(score / temperature), so that each list's have the sum 1.
    """
    left = np.cumprod(1 - chances, axis=1)
    return chances * np.hstack([np.ones((len(chances), 1)), left[:, :-1]])


def place_chances(weights: Float64Array) -> Float64Array:
    """The chance of each item to be at each place.

    Sets of items are numbered by their bits. Of each, the chance is found that its items have the first places, in any
    order; the next place then goes to one of the others by their weights.

    Args:
        weights: (lists, items), each list's with the sum 1; at most `MOST_ITEMS` items.

    Returns:
        (lists, items, places).
    """
    lists, items = weights.shape
    weights = np.maximum(weights, np.finfo(float).tiny)  # who never comes first still has the last place
    chances, members = np.zeros((lists, items, items)), _members(items)
    first = np.zeros((lists, len(members)))
    first[:, 0] = 1
    left = weights @ ~members.T
    for place, sets in enumerate(_sets_by_size(items)[:-1]):
        for item in range(items):
            without = sets[~members[sets, item]]
            moved = first[:, without] * (weights[:, [item]] / left[:, without])
            chances[:, item, place] = moved.sum(axis=1)
            first[:, without | (1 << item)] += moved
    return chances


@lru_cache(maxsize=MOST_ITEMS)
def _members(items: int) -> BoolArray:
    """(sets, items): whether a set has an item."""
    return (np.arange(1 << items)[:, None] >> np.arange(items) & 1).astype(bool)


@lru_cache(maxsize=MOST_ITEMS)
def _sets_by_size(items: int) -> list[Int64Array]:
    """The numbers of the sets of 0 items, 1 item, and so on."""
    sizes = _members(items).sum(axis=1)
    return [np.flatnonzero(sizes == size) for size in range(items + 1)]
