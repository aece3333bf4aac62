"""Whether drawn lists can tell anything of another order: never a number without support."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from recsys.core.types import BoolArray, Float64Array
from recsys.experiments.off_policy.drawn_lists import Lists

LEAST_CHANCE: Final = 0.001
"""Of what the other order wants at a place, to be drawn there; below, a list gives it no support."""
UNSUPPORTED_SHARE: Final = 0.05
"""Of lists without support that may be left out, so that the estimate is of the others."""
LEAST_USERS: Final = 100
LEAST_EFFECTIVE: Final = 100.0
"""Lists that each place is worth after weighting (Kish's effective sample size)."""
MOST_OFF: Final = 4.0
"""Standard errors by which a place's mean weight may differ from 1, which it is if lists were drawn as they say."""

RefusalCode = Literal["no_drawn_lists", "unsupported", "few_users", "few_effective", "weights_off"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no estimate.

    Attributes:
        code: what is missing.
        got, allowed: lists; share of lists without support; users; lists that a place is worth; standard errors between
            the mean weight of a place and 1.
        place: which one, from 1; None: not of a place.
    """

    code: RefusalCode
    got: float
    allowed: float
    place: int | None = None


def is_supported(lists: Lists) -> BoolArray:
    """(lists,) whether the drawing could have put all that the other order wants in its places."""
    supported: BoolArray = np.all(lists.wanted >= LEAST_CHANCE, axis=1)
    return supported


def effective_lists(weights: Float64Array) -> Float64Array:
    """(places,) how many unweighted lists say as much as the weighted ones do."""
    squares = (weights**2).sum(axis=0)
    effective: Float64Array = np.divide(
        weights.sum(axis=0) ** 2, squares, out=np.zeros(len(squares)), where=squares > 0
    )
    return effective


def refusals(supported: BoolArray, lists: Lists, weights: Float64Array) -> tuple[Refusal, ...]:
    """What forbids an estimate.

    Args:
        supported: of all lists.
        lists: the supported ones.
        weights: (lists, places) of these.
    """
    if not len(supported):
        return (Refusal("no_drawn_lists", 0, 1),)
    found = []
    if (share := 1 - float(supported.mean())) > UNSUPPORTED_SHARE:
        found.append(Refusal("unsupported", share, UNSUPPORTED_SHARE))
    if (users := len(np.unique(lists.users))) < LEAST_USERS:
        found.append(Refusal("few_users", users, LEAST_USERS))
    for place, effective in enumerate(effective_lists(weights), start=1):
        if effective < LEAST_EFFECTIVE:
            found.append(Refusal("few_effective", float(effective), LEAST_EFFECTIVE, place))
    for place, off in enumerate(_standard_errors_off(lists, weights), start=1):
        if off > MOST_OFF:
            found.append(Refusal("weights_off", float(off), MOST_OFF, place))
    return tuple(found)


def _standard_errors_off(lists: Lists, weights: Float64Array) -> Float64Array:
    """(places,) standard errors between mean weight and 1; the error follows from the chances, which are known."""
    count = lists.there.sum(axis=0)
    # Of a weight that is 1 / chance with that chance and else 0, the variance is 1 / chance - 1.
    variance = ((1 / lists.wanted - 1) * lists.there).sum(axis=0)
    off = np.abs(weights.sum(axis=0) - count)
    errors: Float64Array = np.divide(off, np.sqrt(variance), out=np.zeros(len(off)), where=variance > 0)
    return errors
