"""What is answered about events."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from serve.answers import Answer


class EventsResponse(Answer):
    """The events are on disk."""

    accepted: Annotated[int, Meta(description="New events.", examples=[1])]
    duplicates: Annotated[int, Meta(description="Events that had been accepted before, by event_id.", examples=[0])]
    unknown_items: Annotated[
        int | None,
        Meta(
            description="Events of items that the bundle does not hold, kept for later bundles; null without a bundle.",
            examples=[0],
        ),
    ]
    event_ids: Annotated[list[str], Meta(description="Of every event sent, in order.", examples=[["9b2d7a1e"]])]
    forgotten: Annotated[
        int | UnsetType,
        Meta(
            description="Events of a time up to which their users are forgotten, which were let go; absent: none.",
            examples=[1],
        ),
    ] = UNSET
