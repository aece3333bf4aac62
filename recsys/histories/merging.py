"""Histories with more interactions: each item once, or as often as it was chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.item_slots import item_slots
from recsys.histories.kernels import write_merged

ENTRY_SIZE = 4  # item row, time in seconds, rating (NaN: none), weight


def merge(
    histories: Histories,
    rows: Sequence[int],
    counts: Sequence[int],
    added: Sequence[float],
    until: float | None,
    n_items: int,
) -> Histories:
    """Histories with more interactions: each item once, at its latest time; see `LiveHistories`.

    Args:
        histories: those to add to; each has each item once, oldest first.
        rows: of B users, rows of `histories`; one outside of them gives an empty history.
        counts: how many interactions are added to each.
        added: item row, time in seconds, rating (NaN: none) and weight of the first, then of the second, and so on;
            those of the first user first, in the order of arrival.
        until: leave out what is later; None: nothing.
        n_items: of the catalogue.
    """
    # An empty range for a row outside.
    starts = np.array([histories.indptr[row] if 0 <= row < len(histories) else 0 for row in rows], np.int64)
    ends = np.array([histories.indptr[row + 1] if 0 <= row < len(histories) else 0 for row in rows], np.int64)
    most = int((ends - starts).sum()) + sum(counts)
    indptr = np.full(len(starts) + 1, most)
    items, timestamps = np.empty(most, np.int32), np.empty(most, np.int64)
    ratings, weights = np.empty(most, np.float32), np.empty(most, np.float32)
    write_merged(
        starts,
        ends,
        histories.items,
        histories.timestamps,
        histories.ratings,
        histories.weights,
        np.cumsum([0, *counts]),
        np.array(added, np.float64).reshape(-1, ENTRY_SIZE),
        math.inf if until is None else float(until),
        item_slots.of(n_items),
        indptr,
        items,
        timestamps,
        ratings,
        weights,
    )
    start = indptr[0]
    return Histories(indptr - start, items[start:], timestamps[start:], ratings[start:], weights[start:])


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
    base, more = histories.select(rows), np.array(added, np.float64).reshape(-1, ENTRY_SIZE)
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
