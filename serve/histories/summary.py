"""What answers say of a user or a session, and why popular items stand in for personal ones."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from recsys.histories.live_histories import LiveQueries, Subject, times_of_last
from serve.answers import Answer
from serve.bundles.options import Options
from serve.times import time_text

UNKNOWN_USER = "unknown user"
UNKNOWN_ITEMS = "the catalogue holds no item of this session"
NO_HISTORY = "no interactions of this user are known"
FILTERED = "the filters leave too few of the model's items"
RULED = "the shop's rules leave too few of the model's items"
NO_MORE = "the model has no more items for this user"


class UserSummary(Answer):
    """What the list was made from."""

    known: Annotated[bool, Meta(description="The bundle or the store knows the user.", examples=[True])]
    interactions: Annotated[int, Meta(description="Items in the history that was read.", examples=[7])]
    live_events: Annotated[
        int,
        Meta(
            description="Events that the store gave of this user; some that change nothing may be missing.",
            examples=[2],
        ),
    ]
    last_interaction_at: Annotated[
        str | None, Meta(description="Of the history; null if it is empty.", examples=["2024-05-01T11:59:58Z"])
    ]


def summaries(users: LiveQueries) -> list[UserSummary]:
    """Of each user or session, in order."""
    histories = users.queries.histories
    return [
        UserSummary(known=known, interactions=length, live_events=events, last_interaction_at=time_text(last))
        for known, length, events, last in zip(
            users.known, histories.lengths.tolist(), users.live_events, times_of_last(histories), strict=True
        )
    ]


def fallback_reason(options: Options, subject: Subject, user: UserSummary, *, cut: bool) -> str:
    """Why the model's items do not fill the list; `cut`: the shop's rules may have taken some, see `Moves`."""
    if not user.interactions and not isinstance(subject, str):
        return UNKNOWN_ITEMS
    if not user.interactions and not user.known:
        return UNKNOWN_USER
    if not user.interactions:
        return NO_HISTORY
    if options.restricted:
        return FILTERED
    return RULED if cut else NO_MORE
