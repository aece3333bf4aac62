"""A share of lists in an order drawn by chance: what shows whether another order would do better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Literal

import msgspec

from recsys.experiments.assignment import share_of
from recsys.experiments.drawn_order import draw_order
from serve.recommendations.made_lists import MadeList

Undrawn = Literal["interleaved", "as_of", "offset", "only_items", "rules", "short"]
"""Why a list that was to be drawn is not. short: fewer than two items of it were ranked for its user."""


def is_to_be_drawn(list_id: str, share: float) -> bool:
    """Whether a list belongs to the share of lists whose order is drawn: a function of its id."""
    return share_of("order", list_id) < share


def why_not(made: MadeList) -> Undrawn | None:
    """Why the order of a list must not be drawn; None: it may be."""
    options = made.options
    if made.teams:
        return "interleaved"
    if options.as_of is not None:
        return "as_of"
    if options.offset:
        return "offset"
    if options.only_items is not None:
        return "only_items"
    if made.arranged:
        return "rules"
    return "short" if made.personal < 2 else None


def drawn(made: MadeList, temperature: float) -> MadeList:
    """The list with its ranked items in an order drawn by Plackett-Luce, which follows from the list's id.

    Scores of different models have different units, so they are standardised within the list: `temperature` is in
    standard deviations of its scores. Popular items that fill the list up stay where they are, for certain.
    """
    answer, count = made.answer, made.personal
    ranked, fills = answer.items[:count], answer.items[count:]
    order, chances = draw_order(
        standardised([item.score for item in ranked]), temperature, Random(answer.recommendation_id)
    )
    items = [*(ranked[place] for place in order), *fills]
    for rank, item in enumerate(items, 1):
        item.rank = rank
    propensities = (*chances, *([1.0] * len(fills)))
    return made._replace(
        answer=msgspec.structs.replace(answer, items=items, order="drawn"), propensities=tuple(propensities)
    )


def standardised(scores: Sequence[float]) -> list[float]:
    """Scores less their mean, in their standard deviations; all 0 where they are equal."""
    mean = math.fsum(scores) / len(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    return [(score - mean) / deviation if deviation > 0 else 0.0 for score in scores]
