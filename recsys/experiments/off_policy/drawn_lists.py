"""Lists whose order was drawn, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recsys.core.types import BoolArray, Float64Array, Int64Array
from recsys.experiments.off_policy.place_chances import MOST_ITEMS, drawn_weights, place_chances


class DrawnList(NamedTuple):
    """A served list whose order was drawn, what came of it, and what another model says of its items.

    Attributes:
        user: to whom it was served.
        chances: of each place the chance that its item was drawn for it, given those before. Where one is 1, all that
            were drawn have their place; what stands behind was not drawn.
        clicked: of each place, whether its item was chosen.
        scores: of each place what the other model gives its item; no two alike, since the drawn order would then decide
            upon the other one.
    """

    user: str
    chances: Sequence[float]
    clicked: Sequence[bool]
    scores: Sequence[float]


@dataclass(frozen=True, slots=True)
class Lists:
    """The drawn places of lists, as wide as the longest; behind a shorter list's end `there` is False.

    Attributes:
        users: (lists,) number of the user.
        there: (lists, places) whether the list has such a place.
        clicks: (lists, places) 1 where the item was chosen.
        ranks: (lists, places) which place the other order gives the item that is there, from 0.
        chances: (lists, places) that the drawing puts the item there, all orders together.
        wanted: (lists, places) that the drawing puts the item there that the other order wants there.
    """

    users: Int64Array
    there: BoolArray
    clicks: Float64Array
    ranks: Int64Array
    chances: Float64Array
    wanted: Float64Array

    def only(self, lists: BoolArray) -> Lists:
        """Some of the lists."""
        return Lists(
            self.users[lists],
            self.there[lists],
            self.clicks[lists],
            self.ranks[lists],
            self.chances[lists],
            self.wanted[lists],
        )


class ReadLists(NamedTuple):
    """What there is of drawn lists.

    Attributes:
        lists: those that an estimate can use.
        cut: how many are only a part of a drawn order.
        long: how many have more than `MOST_ITEMS` drawn items.
    """

    lists: Lists
    cut: int
    long: int


def read_lists(drawn: Sequence[DrawnList]) -> ReadLists:
    """The lists as arrays.

    Raises:
        ValueError: a list has not as many clicks or scores as chances, one that is no chance, or scores that are no
            numbers or alike.
    """
    places = [_drawn_places(a_list) for a_list in drawn]
    usable = [(number, a_list) for number, a_list in zip(places, drawn, strict=True) if 0 < number <= MOST_ITEMS]
    cut = places.count(0)
    users = {user: number for number, user in enumerate(dict.fromkeys(a_list.user for _, a_list in usable))}
    width = max((number for number, _ in usable), default=0)
    lists = _empty(len(usable), width)
    for length in {number for number, _ in usable}:
        rows = np.array([row for row, (number, _) in enumerate(usable) if number == length])
        _fill(lists, rows, [usable[row][1] for row in rows], length)
    lists.users[:] = [users[a_list.user] for _, a_list in usable]
    return ReadLists(lists, cut, len(drawn) - len(usable) - cut)


def _drawn_places(a_list: DrawnList) -> int:
    """For how many places items were drawn; 0 where the list is only a part of the drawn order."""
    if len({len(a_list.chances), len(a_list.clicked), len(a_list.scores)}) > 1:
        raise ValueError(f"expected a chance, a click and a score of each place, got {a_list}")
    if not all(0 < chance <= 1 for chance in a_list.chances) or not np.isfinite(a_list.scores).all():
        raise ValueError(f"expected chances above 0 up to 1 and finite scores, got {a_list}")
    if len(set(a_list.scores)) < len(a_list.scores):
        raise ValueError(f"expected scores of which no two are alike, got {a_list.scores}")
    return next((place for place, chance in enumerate(a_list.chances, start=1) if chance == 1), 0)


def _empty(lists: int, width: int) -> Lists:
    shape = (lists, width)
    return Lists(
        users=np.zeros(lists, np.int64),
        there=np.zeros(shape, bool),
        clicks=np.zeros(shape),
        ranks=np.zeros(shape, np.int64),
        chances=np.ones(shape),
        wanted=np.ones(shape),
    )


def _fill(lists: Lists, rows: Int64Array, drawn: Sequence[DrawnList], places: int) -> None:
    """Fill in lists of one number of drawn places."""
    order = np.argsort(-np.array([a_list.scores[:places] for a_list in drawn]), axis=1, kind="stable")
    chances = place_chances(drawn_weights(np.array([a_list.chances[:places] for a_list in drawn], np.float64)))
    where = np.ix_(rows, np.arange(places))
    lists.there[where] = True
    lists.clicks[where] = [a_list.clicked[:places] for a_list in drawn]
    lists.ranks[where] = np.argsort(order, axis=1)
    lists.chances[where] = np.diagonal(chances, axis1=1, axis2=2)
    lists.wanted[where] = np.take_along_axis(chances, order[:, None, :], axis=1)[:, 0]
