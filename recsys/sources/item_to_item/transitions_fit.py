"""Fit item transitions, what is chosen after what (needs SciPy; serving does not)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.histories import Histories
from recsys.core.types import Float64Array, Int64Array
from recsys.sources.fitting import Fit, FitData
from recsys.sources.item_to_item.neighbours_fit import neighbour_lists
from recsys.sources.item_to_item.settings import TransitionSettings
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.support import chosen_later

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
    total = _transition_sums(histories, n_items, reverse, days)
    popularity = np.bincount(histories.items, histories.weights, n_items)
    popularity[popularity == 0] = 1  # such an item has no transitions
    scaled = sparse.diags_array(popularity**-source_power) @ total @ sparse.diags_array(popularity**-target_power)
    lists = neighbour_lists(lambda block: scaled[block], n_items, k, itself=itself)
    return ItemToItem("transitions", *lists, decay, support=chosen_later(histories, lists[0], WINDOW))


def _transition_sums(histories: Histories, n_items: int, reverse: float, days: float | None) -> sparse.csr_array:
    """Summed weights of all transitions [N, N]: one matrix for each distance in the histories, added up."""
    total = sparse.csr_array((n_items, n_items))
    users = histories.rows
    positions, tied_gaps = _mean_positions(histories, users)
    for offset in range(1, min(WINDOW, int(histories.lengths.max(initial=0)) - 1) + 1):
        first = np.flatnonzero(users[:-offset] == users[offset:])
        second = first + offset
        tied = histories.timestamps[first] == histories.timestamps[second]
        closeness = 1 / np.where(tied, tied_gaps[first], positions[second] - positions[first])
        if days is not None:
            elapsed = (histories.timestamps[second] - histories.timestamps[first]) / SECONDS_PER_DAY
            closeness *= np.exp(-elapsed / days)
        onwards = np.where(tied, (1 + reverse) / 2, 1) * closeness * histories.weights[second]
        back = np.where(tied, (1 + reverse) / 2, reverse) * closeness * histories.weights[first]
        sources, targets = histories.items[first], histories.items[second]
        total += sparse.csr_array((onwards, (sources, targets)), shape=total.shape)
        total += sparse.csr_array((back, (targets, sources)), shape=total.shape)
    return total


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
