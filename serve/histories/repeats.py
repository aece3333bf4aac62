"""Merging histories where people choose the same item again, and each choice counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories


def merge_repeats(
    histories: Histories,
    rows: Sequence[int],
    counts: Sequence[int],
    added: Sequence[float],
    until: float | None,
    n_items: int,
) -> Histories:
    """Histories with more interactions, as a dataset with `data.repeats: all` has them; arguments as of `merge`.

    Of the interactions of a user with an item those of the greatest weight stay: views are no repeats of a purchase. Of
    those within one second one stays, with the latest rating, since the bundle may hold what the store tells again.
    """
    base, more = histories.select(rows), np.array(added, np.float64).reshape(-1, 4)
    users = np.concatenate([base.rows, np.repeat(np.arange(len(base)), counts)])
    columns: tuple[NDArray[Any], ...] = (base.items, base.timestamps, base.ratings, base.weights)
    items, times, ratings, weights = (np.concatenate([column, more[:, n]]) for n, column in enumerate(columns))
    kept = np.flatnonzero(times <= (math.inf if until is None else until))
    kept = kept[np.lexsort((times[kept], users[kept]))]  # equal times as they came
    users, items, times, ratings, weights = (
        users[kept],
        items[kept].astype(np.int32),
        times[kept],
        ratings[kept],
        weights[kept],
    )
    _, pairs = np.unique(users * n_items + items, return_inverse=True)
    strongest = np.zeros(len(pairs))
    np.maximum.at(strongest, pairs, weights)
    seconds = times.astype(np.int64)
    # Those of one pair and second beside each other, strong ones last, rated ones last among these.
    order = np.lexsort((~np.isnan(ratings), weights, seconds, pairs))
    last = np.ones(len(order), bool)
    last[:-1] = (np.diff(pairs[order]) != 0) | (np.diff(seconds[order]) != 0)
    stays = np.zeros(len(order), bool)
    stays[order[last]] = True
    stays &= weights >= strongest[pairs]
    return Histories.from_rows(len(base), users[stays], items[stays], seconds[stays], ratings[stays], weights[stays])
