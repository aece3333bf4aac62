"""What can be asked about items."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from recsys.core.events import MAX_ID_CHARS
from recsys.store import ItemSearch, ItemSort
from serve.http.schemas import MAX_K, Id, Limit, PriceBounds, Query
from serve.http.wanted import WantedItems
from serve.items.similar import By


class ItemQuery(Query):
    """Which item."""

    item_id: Annotated[Id, Field(examples=["B0009RF9DW"])]


class LookupBody(Query):
    """Which items."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    item_ids: Annotated[
        list[Id],
        Field(
            min_length=1,
            max_length=MAX_K,
            description="Each as often as it is to be in the answer.",
            examples=[["B0009RF9DW", "B000142FVW"]],
        ),
    ]


class CommonList(WantedItems):
    """Which items of a list that is the same for everyone, but for what a user has."""

    user_id: Annotated[
        Id | None,
        Field(description="Whose items are left out, as exclude_seen says; left out: nobody's.", examples=["u1"]),
    ] = None


class SimilarQuery(CommonList):
    """What similar means."""

    by: Annotated[
        By,
        Field(description="behaviour: chosen by the same users or one after the other; content: by text; or both."),
    ] = "both"


class PopularQuery(CommonList):
    """Which popular items."""


class SearchQuery(PriceBounds):
    """What is searched for."""

    query: Annotated[
        str | None,
        Field(
            max_length=MAX_ID_CHARS,
            description="Words; an item matches if for each it has a word in title, brand, categories or id "
            "that begins with it. Left out: every item.",
            examples=["argan oil"],
        ),
    ] = None
    category: Annotated[
        str | None, Field(min_length=1, max_length=MAX_ID_CHARS, description="One of the item's categories, exactly.")
    ] = None
    brand: Annotated[
        str | None, Field(min_length=1, max_length=MAX_ID_CHARS, description="The item's brand, exactly.")
    ] = None
    sort: Annotated[
        ItemSort,
        Field(
            description="popularity: the most popular first; price, title: the lowest price, the first title of the "
            "alphabet; with a minus the other way. Items without a price, or a title, come last either way.",
            examples=["-price"],
        ),
    ] = "popularity"
    cursor: Annotated[
        str | None,
        Field(
            max_length=2048,
            description="next_cursor of the page before, for the same sort; leave out for the first.",
        ),
    ] = None
    limit: Limit = 20

    def search(self) -> ItemSearch:
        """As the store takes it."""
        return ItemSearch(self.query, self.category, self.brand, self.min_price, self.max_price, self.sort)


class NamesQuery(Query):
    """Which names."""

    query: Annotated[
        str | None,
        Field(
            max_length=MAX_ID_CHARS,
            description="Words; a name matches if for each it has a word that begins with it. Left out: every name.",
            examples=["arg"],
        ),
    ] = None
    limit: Limit = 20
