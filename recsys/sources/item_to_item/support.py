"""How many users stand behind each entry of neighbour lists: what a sentence may say of two items' going together.

A similarity is no such number. A transition may come from one user, from those alone who went the other way, or from
events of one moment; a weight of EASE may be positive although nobody chose both items.
"""

from __future__ import annotations

import numpy as np

from recsys.core.histories import Histories
from recsys.core.types import Int32Array, Int64Array, UInt16Array
from recsys.sources.item_to_item.support_kernels import count_supporters


def chosen_both(histories: Histories, neighbours: Int32Array) -> UInt16Array:
    """Users who chose an item and its neighbour, in whatever order.

    Args:
        histories: of all users, of catalogue rows below N.
        neighbours: int32 [N, K], padded on the right with `NO_ITEM`.

    Returns:
        uint16 [N, K], at most 65,535; 0 beside padding.
    """
    return _supporters(histories, neighbours, 0)


def chosen_later(histories: Histories, neighbours: Int32Array, window: int) -> UInt16Array:
    """Users who chose the neighbour at a later time than the item, and at most `window` positions behind it.

    What was chosen at the same time has no order. Arguments and result as of `chosen_both`.
    """
    return _supporters(histories, neighbours, window)


def _supporters(histories: Histories, neighbours: Int32Array, window: int) -> UInt16Array:
    n_items, width = neighbours.shape
    support = np.zeros(neighbours.shape, np.uint16)
    places, starts = by_item(histories, n_items)
    count_supporters(
        histories.indptr,
        histories.items,
        histories.timestamps,
        histories.rows,
        places,
        starts,
        neighbours,
        window,
        np.zeros(n_items, np.int32),
        np.zeros(width, np.int64),
        support,
    )
    return support


def by_item(histories: Histories, n_items: int) -> tuple[Int64Array, Int64Array]:
    """All interactions [T] by item, those of an item by user; and [N + 1], where those of each item begin."""
    starts = np.zeros(n_items + 1, np.int64)
    np.cumsum(np.bincount(histories.items, minlength=n_items), out=starts[1:])
    return np.argsort(histories.items, kind="stable"), starts
