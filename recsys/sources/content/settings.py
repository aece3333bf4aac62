"""Settings of the content sources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.core.settings import Positive
from recsys.sources.item_to_item.settings import ItemToItemSettings
from recsys.sources.tried import Tried

EXACT_ITEMS = 200_000
"""Of the largest catalogue of which text vectors are compared each with all others."""


class ContentSettings(ItemToItemSettings):
    """Of items of similar texts."""

    content_k: Annotated[list[Positive], Tried("k")] = Field(
        [100], min_length=1, description="Lengths of content neighbour lists tried."
    )
    content_exact_items: Positive = Field(
        EXACT_ITEMS,
        description="In larger catalogues content_encoder finds similar texts by an approximate index, whose recall is "
        "measured and told.",
    )
