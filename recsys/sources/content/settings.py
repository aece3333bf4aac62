"""Settings of the content sources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.core.settings import Positive
from recsys.sources.item_to_item.settings import ItemToItemSettings
from recsys.sources.tried import Tried


class ContentSettings(ItemToItemSettings):
    """Of items of similar texts."""

    content_k: Annotated[list[Positive], Tried("k")] = Field(
        [100], min_length=1, description="Lengths of content neighbour lists tried."
    )
