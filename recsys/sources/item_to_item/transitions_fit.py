"""Fit item transitions, what is chosen after what."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array
from recsys.sources.fitting import Fit, FitData
from recsys.sources.item_to_item.fit_kernels import best_transitions
from recsys.sources.item_to_item.neighbours_fit import lists_in_blocks
from recsys.sources.item_to_item.settings import TransitionSettings
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.support import by_item, chosen_later

# Pairs further apart in a history are left out: they weigh little, and there are as many of them as the square of the
# longest history.
WINDOW = 50


def fit_transitions(
    histories: Histories,
    n_items: int,
    *,
    k: int = 100,
    reverse: float = 0.5,
    source_power: float = 0.5,
    target_power: float = 0.3,
    days: float | None = None,
    decay: float = 1.0,
    itself: bool = False,
) -> ItemToItem:
    """Directed transition lists from the order of all users' interactions.

    Every two interactions of a user, at most `WINDOW` positions apart, say that their items go together: the earlier
    item i leads to the later one j with the weight 1/gap, j leads to i with `reverse` times that. The gap is the
    number of positions between them. The value of the transition i -> j is then

        sum of weights(i -> j) / (popularity(i)^source_power * popularity(j)^target_power)

    and each item keeps the `k` highest. Item-to-item Markov chains with a decay over the gap are a standard baseline
    of sequential recommendation (Ludewig & Jannach, "Evaluation of session-based recommendation algorithms",
    UMUAI 2018, "sequential rules").

    Interactions at one moment have no order, whatever order the file gives them (usually that of the ids): neither
    direction is preferred among them, and positions are averaged over all their orders.

    Args:
        histories: training interactions, row u is user u. The weight of an event counts where a transition arrives.
        n_items: size of the catalogue.
        k: length of the lists.
        reverse: in [0, 1], weight of a transition taken backwards; 1 ignores the order.
        source_power, target_power: how much transitions from and to popular items are held back. Popularity is the
            summed event weight.
        days: time over which a transition's weight falls to 1/e, on top of the gap; None: no such fall.
        decay: recency decay of the source.
        itself: whether an item may lead to itself, where people choose the same again.
    """
    popularity = np.bincount(histories.items, histories.weights, n_items)
    popularity[popularity == 0] = 1  # such an item has no transitions
    leaving, arriving = (np.power(popularity, -power) for power in (source_power, target_power))
    users = histories.rows
    known = histories.indptr, histories.items, histories.weights, histories.timestamps
    moments = _mean_positions(histories, users)
    order = by_item(histories, n_items)
    fall = math.inf if days is None else days * SECONDS_PER_DAY
    window, back = WINDOW, float(reverse)

    def write(first: int, neighbours: Int32Array, values: Float32Array) -> None:
        of_data = *known, *moments, users, *order, leaving, arriving
        best_transitions(*of_data, first, window, back, fall, itself, neighbours, values)

    lists = lists_in_blocks(write, n_items, k)
    return ItemToItem("transitions", *lists, decay, support=chosen_later(histories, lists[0], WINDOW))


def _mean_positions(histories: Histories, users: Int64Array) -> tuple[Float64Array, Float64Array]:
    """Position of each interaction, and its mean distance to the others of its moment, over all orders of those.

    Two of n places in a row, drawn at random, are (n + 1) / 3 apart in the mean.
    """
    starts = np.ones(len(users), bool)
    starts[1:] = (users[1:] != users[:-1]) | (histories.timestamps[1:] != histories.timestamps[:-1])
    moment = np.cumsum(starts) - 1
    sizes = np.bincount(moment)[moment]
    return np.flatnonzero(starts)[moment] + (sizes - 1) / 2, (sizes + 1) / 3


def _fit(data: FitData, _: TransitionSettings, **chosen: Any) -> ItemToItem:
    return fit_transitions(data.histories, data.n_items, itself=data.repeats, **chosen)


TRANSITIONS = Fit(_fit)
