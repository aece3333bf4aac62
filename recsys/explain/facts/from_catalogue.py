"""Facts of what the catalogue says of an item and of those in the history: brand, category, price."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from recsys.explain.fact import Fact, Kind
from recsys.explain.facts.base import FactBase
from recsys.explain.facts.case import Case, polarity
from recsys.pipeline.features.names import HABIT_DECAY

NEAR = 1.25  # a price is near the habit if neither is more than this times the other
SPECIFIC_SHARE = 0.1


def is_name(text: str | None) -> bool:
    """Whether a brand or category can be told: it has a letter or a digit. Of blanks and marks no sentence is made."""
    return text is not None and any(map(str.isalnum, text))


def is_specific(base: FactBase, category: str) -> bool:
    """Whether a category is told: it has a name, and at most `SPECIFIC_SHARE` of the catalogue bear it.

    The root of a tree is not specific.
    """
    return is_name(category) and base.category_sizes[category] <= SPECIFIC_SHARE * base.n_items


def brand_facts(case: Case) -> Iterator[Fact]:
    """The item has the brand of an item of the history; the value is its name, the count that of those items."""
    brand, strength = case.records[case.item].brand, case.group("brand")
    sharing = [item for item in case.recent if case.records[item].brand == brand]
    if brand is not None and is_name(brand) and sharing and strength is not None:
        yield case.of_items(Kind.SHARED_BRAND, brand, "brand", sharing, strength)


def category_facts(case: Case) -> Iterator[Fact]:
    """The item shares a specific category with items of the history.

    Of several the rarest is told, of equally rare ones the one that the catalogue names last.
    """
    strength = case.group("category")
    held = {category for item in case.recent for category in case.records[item].categories}
    named = reversed(case.records[case.item].categories)
    shared = [name for name in named if name in held and is_specific(case.base, name)]
    if not shared or strength is None:
        return
    category = min(shared, key=case.base.category_sizes.__getitem__)
    sharing = [item for item in case.recent if category in case.records[item].categories]
    yield case.of_items(Kind.SHARED_CATEGORY, category, "category", sharing, strength)


def price_facts(case: Case) -> Iterator[Fact]:
    """The item's price, the value, is near the habit, see `NEAR`, and nearer than that of the reference.

    It must be near that of an item of the history, too: the habit may lie between a cheap one and a dear one.

    The habit is that of the ranker's features: the mean of the logarithms of the prices in the history, weighted by
    `HABIT_DECAY` to the power of the steps back. A contribution of at most 0 is told whatever the price is.
    """
    strength, distance = case.group("price"), price_distance(case, case.item)
    price = case.records[case.item].price
    if strength is None or distance is None or price is None:
        return
    near = distance <= math.log(NEAR) and distance <= _reference_distance(case) and _some_near(case)
    if near or strength <= 0:
        yield Fact(
            *("", Kind.PRICE_NEAR_HABIT, price, "price"), polarity=polarity(strength), strength=strength, personal=True
        )


def _some_near(case: Case) -> bool:
    """Whether an item of the history has nearly the price of the item."""
    logs = np.log(case.base.prices[np.array(case.past.items, np.int64)])
    return bool((np.abs(logs - math.log(case.base.prices[case.item])) <= math.log(NEAR)).any())


def price_distance(case: Case, item: int) -> float | None:
    """|logarithm of the item's price less the habit|; None where either is unknown."""
    items = np.array(case.past.items, np.int64)
    logs = np.log(case.base.prices[items]) if len(items) else np.zeros(0)
    known = np.isfinite(logs)
    weights = HABIT_DECAY ** np.arange(len(items) - 1, -1, -1, dtype=np.float64)
    if not known.any() or not np.isfinite(case.base.prices[item]):
        return None
    habit = (weights[known] * logs[known]).sum() / weights[known].sum()
    return abs(math.log(case.base.prices[item]) - float(habit))


def _reference_distance(case: Case) -> float:
    """Infinite where there is no reference, or one of unknown price."""
    distance = None if case.reference is None else price_distance(case, case.reference)
    return math.inf if distance is None else distance
