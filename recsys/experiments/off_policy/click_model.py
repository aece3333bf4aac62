"""A simple model of clicks, which takes variance from estimates: a place is looked at, an item attracts."""

from __future__ import annotations

from typing import Final

import numpy as np

from recsys.core.types import BoolArray, Float64Array
from recsys.experiments.off_policy.drawn_lists import Lists

_ROUNDS: Final = 5
_FOLDS: Final = 2


def expected_clicks(lists: Lists) -> tuple[Float64Array, Float64Array]:
    """The clicks that the model expects of the items as they stood, and as the other order would put them.

    A click is as likely as place x attraction, where an item attracts by the place that the other order gives it. Of
    each user, the model is fitted to other users, so that no click explains itself.

    Returns:
        Twice (lists, places).
    """
    shown, wanted = np.zeros_like(lists.clicks), np.zeros_like(lists.clicks)
    for fold in range(_FOLDS):
        own = lists.users % _FOLDS == fold
        chances = _fitted(lists.only(~own))
        shown[own] = chances[lists.ranks[own], np.arange(len(chances))]
        wanted[own] = np.diagonal(chances)
    return shown * lists.there, wanted * lists.there


def _fitted(lists: Lists) -> Float64Array:
    """(ranks, places) the chance of a click."""
    places = lists.clicks.shape[1]
    clicks, shown = (_by_rank_and_place(lists, what) for what in (lists.clicks, lists.there))
    attraction = np.ones(places)
    for _ in range(_ROUNDS):
        look = _divided(clicks.sum(axis=0), attraction @ shown)
        attraction = _divided(clicks.sum(axis=1), shown @ look)
    return np.minimum(np.outer(attraction, look), 1.0)


def _by_rank_and_place(lists: Lists, what: Float64Array | BoolArray) -> Float64Array:
    places = what.shape[1]
    sums = np.zeros((places, places))
    np.add.at(sums, (lists.ranks, np.broadcast_to(np.arange(places), lists.ranks.shape)), what * lists.there)
    return sums


def _divided(numerators: Float64Array, denominators: Float64Array) -> Float64Array:
    return np.divide(numerators, denominators, out=np.zeros(len(numerators)), where=denominators > 0)
