"""Facts: single true statements of an item, on which every sentence of an explanation rests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class Kind(StrEnum):
    """What a fact is about. Those of a history item are personal."""

    NEXT_PURCHASE = "next_purchase"
    """Users chose it after an item of the history."""
    CO_PURCHASE = "co_purchase"
    """Users chose both it and an item of the history."""
    SIMILAR_TEXT = "similar_text"
    """Its text is like that of an item of the history."""
    TASTE = "taste"
    """It fits the history as a whole: what a source that learned a taste says (two-tower, factors)."""
    SHARED_BRAND = "shared_brand"
    SHARED_CATEGORY = "shared_category"
    PRICE_NEAR_HABIT = "price_near_habit"
    PREDICTED_RATING = "predicted_rating"
    AVERAGE_RATING = "average_rating"
    POPULARITY = "popularity"
    TREND = "trend"
    RULE = "rule"
    """A restriction of the request lets it in."""
    SHOP_RULE = "shop_rule"
    """A rule of the shop put it where it is, or leaves it out."""
    SHOP_ORDER = "shop_order"
    """A rule of the shop had a part in its place for the list's sake, or moved it out of the list."""
    BRAND = "brand"
    """Its own, whoever asks: what blurbs tell. Likewise the next two."""
    CATEGORY = "category"
    PRICE = "price"


OF_BEHAVIOUR: Final = frozenset({Kind.NEXT_PURCHASE, Kind.CO_PURCHASE})
"""Kinds of facts that count users."""
OF_SHOP: Final = frozenset({Kind.SHOP_RULE, Kind.SHOP_ORDER})
"""Kinds of facts about rules of the shop: no reasons, whatever they stand for."""

Unit = Literal["title", "brand", "category", "price", "rank", "count", "rating", "percent", "text"]
Polarity = Literal["for", "against"]


@dataclass(frozen=True)
class Fact:
    """One statement.

    Attributes:
        id: by which texts cite it, unique within an explanation: f1, f2, ...
        kind: what it says.
        value: what a placeholder of a text shows of it; empty where that is withheld.
        unit: of the value.
        history_item: item row of the user's own that it speaks of.
        action: what the user did with that: view, click, add_to_cart, purchase, rating, or another type of the shop's
            events; None: nobody knows.
        count: how many items of the history it speaks of; of `next_purchase` and `co_purchase` how many users chose so,
            at least one; of an average rating how many ratings.
        polarity: whether it speaks for the item or against.
        strength: of the contribution that it stands for, in units of the score; at most 0 for one that must give no
            reason.
        personal: whether it is true of this user alone.
        sensitive: whether it must not be shown without being asked for; it does not say then what it speaks of.
    """

    id: str
    kind: Kind
    value: str | float | int
    unit: Unit
    history_item: int | None = None
    action: str | None = None
    count: int = 1
    polarity: Polarity = "for"
    strength: float = 0.0
    personal: bool = False
    sensitive: bool = False
