"""Two facts of each item of a list: its cheap reason, and what else is true of it.

What follows the reason is the first of these that is true, by the rules of `recsys.explain.facts`: the brand of items
of the history, a category of theirs, a price near the habit, a predicted rating above the mean, popularity. An item
without a reason has the first two. None is compared with another item, as those of a full explanation are: that they
are true is all that is said. Popular items that fill a list up have their popularity alone. An item that is in the list
only because a rule of the shop put it forward has that as its reason, whatever else speaks for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int32Array, Int64Array
from recsys.explain.actions import Action
from recsys.explain.cheap.fact_kernels import (
    BRAND,
    CATEGORIES,
    HIDDEN,
    NONE,
    PRICE,
    RANK,
    add_brands,
    add_categories,
    add_popularity,
    add_prices,
    add_ratings,
    add_reasons,
)
from recsys.explain.cheap.reasons import CheapReasons
from recsys.explain.fact import Fact, Kind, Unit
from recsys.explain.facts.base import FactBase
from recsys.explain.facts.from_catalogue import NEAR, SPECIFIC_SHARE, is_name
from recsys.explain.facts.from_everyone import most_popular
from recsys.pipeline.features.names import HABIT_DECAY
from recsys.pipeline.recommendations import Recommendations

FACTS: Final = 2
KINDS: Final = tuple(Kind)
_CODES: Final = {kind: code for code, kind in enumerate(KINDS)}
RATING_STEPS: Final = 10  # of a predicted rating from one to the next whole number
_UNITS: Final[dict[Kind, Unit]] = {
    Kind.TASTE: "text",
    Kind.SHARED_BRAND: "brand",
    Kind.SHARED_CATEGORY: "category",
    Kind.PRICE_NEAR_HABIT: "price",
    Kind.PREDICTED_RATING: "rating",
    Kind.POPULARITY: "rank",
    Kind.SHOP_RULE: "text",
}


class CheapFacts:
    """Finds facts of lists, all from the numbers of one bundle.

    Attributes:
        base: of the bundle.
    """

    def __init__(self, base: FactBase, brands: Mapping[str, Int32Array], categories: Mapping[str, Int32Array]) -> None:
        """Number brands and categories.

        Args:
            base: see above.
            brands, categories: rows of the items that bear each name.
        """
        self.base = base
        self._brands, self._categories = tuple(brands), tuple(categories)
        self._table = _table(base, brands, categories)
        hidden = base.sensitive_names.match
        told = [is_name(name) and not hidden(name) for name in categories]
        sizes = [len(rows) if name else 0 for name, rows in zip(told, categories.values(), strict=True)]
        self._sizes, self._most_popular = np.array(sizes, np.int64), most_popular(base)

    def of(self, reasons: CheapReasons, queries: Queries, lists: Recommendations) -> Int64Array:
        """Facts of the items of the lists of B queries, in numbers.

        Returns:
            int64 [B, K, 2, 4], of each fact its index in `KINDS`, -1 where there is no fact; its value, see `fact`; the
            position in the history of the item that it speaks of, -1 for none; the count, see `Fact`.
        """
        found = reasons.of(queries, lists)
        popular = lists.popular if reasons.personal else np.ones_like(lists.popular)
        items = lists.personal_items if reasons.personal else np.full_like(lists.items, NO_ITEM)
        facts = np.full((*items.shape, FACTS, 4), NONE)
        kinds = np.array([NONE if kind is None else _CODES[kind] for kind in found.kinds], np.int64)
        reason = found.sources, found.positions, found.items, found.counts, found.taste
        add_reasons(items, *reason, kinds, _CODES[Kind.CO_PURCHASE], _CODES[Kind.TASTE], facts)
        if lists.moves is not None:  # that they are there for the shop's sake comes in the place of other reasons
            facts[lists.moves.placed] = NONE
            facts[lists.moves.placed, 0] = _CODES[Kind.SHOP_RULE], 0, NONE, 1
        self._add_attributes(queries, items, facts)
        predictor = self.base.bundle.rating_predictor
        if lists.ratings is not None and predictor is not None:
            mean = predictor.statistics.global_mean
            add_ratings(items, lists.ratings, mean, RATING_STEPS, _CODES[Kind.PREDICTED_RATING], facts)
        add_popularity(lists.items, popular, self._table, self._most_popular, _CODES[Kind.POPULARITY], facts)
        return facts

    def _add_attributes(self, queries: Queries, items: Int32Array, facts: Int64Array) -> None:
        """Add what the catalogue says of the items and of those in the histories."""
        read = queries.histories.indptr, queries.histories.items, items, self._table
        most = int(SPECIFIC_SHARE * self.base.n_items)
        add_brands(*read, _CODES[Kind.SHARED_BRAND], facts)
        add_categories(*read, self._sizes, most, _CODES[Kind.SHARED_CATEGORY], facts)
        add_prices(*read, math.log(NEAR), HABIT_DECAY, _CODES[Kind.PRICE_NEAR_HABIT], facts)

    def fact(self, kind: Kind, value: int, count: int, item: int | None, title: str, action: Action) -> Fact:
        """A fact from its numbers.

        Args:
            kind: what it says.
            value: of a brand or a category its row, of a price the item's, of a rating tenths, of popularity the rank.
            count: see `Fact`.
            item: the one that it speaks of, or the latest of them.
            title: of that; the value of a fact of one item of the history.
            action: what the user did with it.
        """
        unit, personal = _UNITS.get(kind, "title"), kind not in (Kind.POPULARITY, Kind.SHOP_RULE)
        return Fact("", kind, self.shown(kind, value, title), unit, item, action, count, personal=personal)

    def shown(self, kind: Kind, value: int, title: str) -> str | float | int:
        """What a fact shows; arguments as of `fact`."""
        shown: str | float | int = title
        match kind:
            case Kind.TASTE | Kind.SHOP_RULE:
                shown = ""
            case Kind.SHARED_BRAND:
                shown = self._brands[value]
            case Kind.SHARED_CATEGORY:
                shown = self._categories[value]
            case Kind.PRICE_NEAR_HABIT:
                shown = round(float(self.base.prices[value]), 4)  # kept in single precision
            case Kind.PREDICTED_RATING:
                shown = value / RATING_STEPS
            case Kind.POPULARITY:
                shown = value
        return shown


def _table(base: FactBase, brands: Mapping[str, Int32Array], categories: Mapping[str, Int32Array]) -> Int32Array:
    """All that is known of N items, int32 [N, 4 + C], as `recsys.explain.cheap.fact_kernels` describes it."""
    bearing = np.zeros(base.n_items, np.int64)
    for rows in categories.values():
        bearing[rows] += 1
    table = np.full((base.n_items, CATEGORIES + int(bearing.max(initial=0))), NONE, np.int32)
    for number, (name, rows) in enumerate(brands.items()):
        table[rows, BRAND] = number if is_name(name) else NONE
    table[:, HIDDEN] = base.sensitive
    table[:, RANK] = base.popularity_ranks
    table[:, PRICE] = np.log(base.prices).astype(np.float32).view(np.int32)
    bearing[:] = CATEGORIES
    for number, rows in enumerate(categories.values()):
        table[rows, bearing[rows]] = number
        bearing[rows] += 1
    return table
