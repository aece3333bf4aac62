"""What is answered about live items."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from recsys.store import ItemDone
from serve.answers import Answer
from serve.bundles.info import BundleInfo
from serve.live_items.in_force import LiveItemsState
from serve.live_items.overlays import ItemState

_STATE = Annotated[
    ItemState,
    Meta(
        description="trained: the bundle holds it; new: it does not, and lists hold the item by its text; encoding: "
        "its text is being read, it is in lists soon; no_text, no_encoder: there is nothing to read, or the bundle "
        "cannot, so that search finds it and lists wait for the next bundle; deleted: in no list and no search.",
        examples=["trained"],
    ),
]
_VERSION = Annotated[
    int, Meta(description="Number of its last change among those of all items, for If-Match.", examples=[120])
]
_ITEM_ID = Annotated[str, Meta(examples=["B0009RF9DW"])]
_SINCE = Annotated[str | None, Meta(description="Of the first change.", examples=["2024-05-01T12:00:00Z"])]
_UPDATED_AT = Annotated[str | None, Meta(examples=["2024-05-01T12:00:00Z"])]
_UPDATED_BY = Annotated[str | None, Meta(description="Name of the API key; null: nobody knows.", examples=["shop"])]


class LiveState(Answer):
    """What the shop has said of an item since the bundle was made."""

    state: _STATE
    version: _VERSION
    since: _SINCE
    updated_at: _UPDATED_AT
    updated_by: _UPDATED_BY
    available: Annotated[bool | None, Meta(description="As it was said; null: it was not.", examples=[True])]
    stock: Annotated[float | None, Meta(description="As it was said; null: it was not.", examples=[12.0])]
    fields: Annotated[
        list[str], Meta(description="What was said; all else is as the bundle has it.", examples=[["stock"]])
    ]


class ChangedItem(Answer):
    """What became of an item."""

    item_id: _ITEM_ID
    done: Annotated[
        ItemDone,
        Meta(description="nothing: it was the same before, and its version stays.", examples=["patched"]),
    ]
    state: _STATE
    version: _VERSION


class ChangedItemsResponse(Answer):
    """Items as they are from now on, on disk; every worker follows within two seconds."""

    bundle: BundleInfo
    version: Annotated[int, Meta(description="Number of changes of all items so far.", examples=[120])]
    items: Annotated[list[ChangedItem], Meta(description="In the order of the request.")]


class ChangedItemResponse(Answer):
    """An item as it is from now on, on disk; every worker follows within two seconds."""

    bundle: BundleInfo
    version: Annotated[int, Meta(description="Number of changes of all items so far.", examples=[120])]
    item: ChangedItem


class LiveItemRow(Answer):
    """A live item."""

    item_id: _ITEM_ID
    fields: Annotated[
        dict[str, Any],
        Meta(description="All that was said of it, by name; null: it has none.", examples=[{"price": 12.95}]),
    ]
    state: _STATE
    version: _VERSION
    since: _SINCE
    updated_at: _UPDATED_AT
    updated_by: _UPDATED_BY


class LiveItemsResponse(Answer):
    """A page of the live items, the last changed first."""

    bundle: BundleInfo
    version: Annotated[int, Meta(description="Last change that answers of this worker know of.", examples=[120])]
    source: Annotated[
        LiveItemsState,
        Meta(
            description="live: answers know what the store has; stale: the store does not answer; unread: nothing is "
            "known of it yet; off: there is no store.",
            examples=["live"],
        ),
    ]
    items: list[LiveItemRow]
    next_cursor: Annotated[str | None, Meta(description="For the next page; null after the last.", examples=[None])]
