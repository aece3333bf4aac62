"""What is answered about what is kept of a user: attributes, what was forgotten or merged, and all of it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from recsys.histories.reading import StoreState
from serve.answers import Answer
from serve.bundles.info import BundleInfo
from serve.users.answers import HistoryItem

Attributes = Annotated[
    dict[str, float | str | bool | list[str]],
    Meta(description="What the shop says of the user.", examples=[{"age": 41, "city": "Bremen", "newsletter": True}]),
]
Consent = Annotated[
    bool | None,
    Meta(description="Whether the user agrees to attributes being kept; null: nobody has said.", examples=[True]),
]
Told = Annotated[
    str | None, Meta(description="When that was said; null: never.", examples=["2024-05-01T11:59:58.000Z"])
]
Moment = Annotated[str, Meta(examples=["2024-05-01T12:00:00.000Z"])]


class UserResponse(Answer):
    """A user."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    consent: Consent
    attributes: Attributes
    updated_at: Told
    interactions: Annotated[int, Meta(description="In the bundle, merged ids included.", examples=[7])]
    live_events: Annotated[int, Meta(description="In the store.", examples=[2])]
    store: Annotated[StoreState, Meta(examples=["live"])]


class KeptUserResponse(Answer):
    """What is kept of a user from now on."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    consent: Annotated[bool, Meta(examples=[True])]
    attributes: Attributes
    deleted: Annotated[
        list[str], Meta(description="Attributes that were kept before and are no more.", examples=[["city"]])
    ]
    updated_at: Moment


class Removed(Answer):
    """What the store had of a person, and has no more."""

    events: Annotated[int, Meta(examples=[12])]
    list_events: Annotated[int, Meta(description="Impressions and what else was told of lists.", examples=[400])]
    served_lists: Annotated[int, Meta(examples=[40])]
    attributes: Annotated[bool, Meta(description="Whether any were kept.", examples=[True])]
    aliases: Annotated[int, Meta(description="Ids that had been merged into this one.", examples=[1])]


class ForgottenResponse(Answer):
    """The person is forgotten."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    forgotten_at: Annotated[
        str, Meta(description="What is at or before it is invisible.", examples=["2024-05-01T12:00:00.000Z"])
    ]
    deleted: Removed
    hidden_interactions: Annotated[
        int | None,
        Meta(
            description="Of the bundle: invisible from now on, and not in the next one. null: no bundle is loaded.",
            examples=[7],
        ),
    ]
    merged_into: Annotated[
        list[str],
        Meta(description="Users to whom belongs what this id did before; delete them, too, if they are meant."),
    ]


class MergedResponse(Answer):
    """What the other id did is the user's."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    merged: Annotated[str, Meta(description="The other id.", examples=["anon-7"])]
    merged_until: Annotated[
        str, Meta(description="What that id does later is its own.", examples=["2024-05-01T12:00:00.000Z"])
    ]
    events: Annotated[int, Meta(description="Of the store, moved.", examples=[4])]
    list_events: Annotated[int, Meta(description="Of the store, moved.", examples=[20])]
    served_lists: Annotated[int, Meta(description="Of the store, moved.", examples=[2])]
    aliases: Annotated[int, Meta(description="Ids merged into the other one before, the user's now.", examples=[0])]
    interactions: Annotated[
        int | None,
        Meta(description="Of the bundle, in the user's history now; null: no bundle is loaded.", examples=[9]),
    ]


class ExportedAlias(Answer):
    """What an id did in a time belongs to a user."""

    alias_id: Annotated[str, Meta(examples=["anon-7"])]
    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    since: Annotated[str | None, Meta(description="null: from the beginning.", examples=[None])]
    until: Moment


class _ExportedAct(Answer):
    """What events and list events have in common."""

    event_id: Annotated[str, Meta(examples=["9b2d7a1e"])]
    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    event_type: Annotated[str, Meta(examples=["view"])]
    at: Annotated[str | None, Meta(examples=["2024-05-01T11:59:58Z"])]
    recommendation_id: Annotated[
        str | None, Meta(description="Of the list that it follows.", examples=["3f2a9c0e5b7d41688a1c0d9e2f4b6a73"])
    ]
    position: Annotated[int | None, Meta(description="Of the item in that list, from 1.", examples=[3])]


class ExportedEvent(_ExportedAct):
    """An event of the store."""

    rating: Annotated[float | None, Meta(examples=[None])]
    price: Annotated[float | None, Meta(examples=[12.95])]
    quantity: Annotated[float | None, Meta(examples=[1.0])]


class ExportedListEvent(_ExportedAct):
    """What was told of a list."""

    value: Annotated[str | None, Meta(description="What a feedback says.", examples=[None])]


class ExportedList(Answer):
    """A list that was shown."""

    request_id: Annotated[str, Meta(examples=["3f1c"])]
    at: Annotated[str | None, Meta(examples=["2024-05-01T11:59:58Z"])]
    model: Annotated[str, Meta(examples=["full"])]
    bundle_version: Annotated[str, Meta(examples=["20240501T000000Z-1a2b3c4d"])]
    item_ids: Annotated[list[str], Meta(examples=[["B0009RF9DW"]])]
    recommendation_id: Annotated[str | None, Meta(examples=["3f2a9c0e5b7d41688a1c0d9e2f4b6a73"])]
    details: Annotated[
        dict[str, Any] | None,
        Meta(
            description="How the list was made, but for what is zero, empty or unknown.",
            examples=[{"scenario": "cart", "history": 7}],
        ),
    ]


class ExportHead(Answer):
    """What stands before the rows."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    generated_at: Moment
    bundle: BundleInfo
    consent: Consent
    attributes: Attributes
    updated_at: Told
    aliases: Annotated[
        list[ExportedAlias], Meta(description="Ids merged into this one, and users into whom this one was merged.")
    ]
    assigned_as: Annotated[
        dict[str, str],
        Meta(
            description="By the key of an experiment, the merged id that it assigns the user by.",
            examples=[{"new-ranker": "session-1"}],
        ),
    ]
    history: Annotated[list[HistoryItem], Meta(description="Of the bundle, merged ids included, oldest first.")]


class ExportResponse(ExportHead):
    """All that is kept of a person."""

    events: Annotated[list[ExportedEvent], Meta(description="Of the store, oldest first.")]
    list_events: Annotated[
        list[ExportedListEvent], Meta(description="What was told of lists, in the order of arrival.")
    ]
    served: Annotated[list[ExportedList], Meta(description="Lists that were shown, in the order of arrival.")]
