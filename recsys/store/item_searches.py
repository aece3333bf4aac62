"""What is looked for among the items, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recsys.store.records import ItemRow, Page

ItemSort = Literal["popularity", "price", "-price", "title", "-title"]


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """Which items, in which order; None: any.

    Attributes:
        query: words of letters and digits; an item matches if for each of them it has a word in title, brand,
            categories or id that begins with it, whatever the case and the accents. A query without a word, like
            "?!", matches nothing; None or blanks match everything.
        category: one of the item's categories, exactly.
        brand: the item's brand, exactly.
        min_price, max_price: bounds, both included; an item without a price passes neither.
        sort: popularity: in the order of `put_items`; price, title: the least first, and with a minus the greatest.
            Titles are compared without case, accents and punctuation. Items without a price, or without a title, come
            last, whatever the direction.
    """

    query: str | None = None
    category: str | None = None
    brand: str | None = None
    min_price: float | None = None
    max_price: float | None = None
    sort: ItemSort = "popularity"


@dataclass(frozen=True, slots=True)
class FoundItems(Page[ItemRow]):
    """One page of the items that match.

    Attributes:
        total: how many match, on all pages together.
        total_exact: False: counting stopped early, there are at least so many.
    """

    total: int = 0
    total_exact: bool = True
