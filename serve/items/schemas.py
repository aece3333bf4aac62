"""What can be asked about items."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.core.events import MAX_ID_CHARS
from serve.http.context import ContextOfLists
from serve.http.schemas import Cursor, Filters, Id, K, Limit, Query, Scenario
from serve.items.similar import By


class ItemQuery(Query):
    """Which item."""

    item_id: Annotated[Id, Field(examples=["B0009RF9DW"])]


class SimilarQuery(Query):
    """What similar means."""

    k: K = 10
    by: Annotated[
        By,
        Field(description="behaviour: chosen by the same users or one after the other; content: by text; or both."),
    ] = "both"
    scenario: Scenario = None
    context: ContextOfLists


class PopularQuery(Filters):
    """Which popular items."""

    k: K = 10
    scenario: Scenario = None
    context: ContextOfLists


class SearchQuery(Query):
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
    cursor: Cursor = None
    limit: Limit = 20
