"""From the events that belong to a list to its outcomes: each once for each item, whatever was sent how often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from recsys.core.events import EXPLANATION_FEEDBACK, PURCHASE, SECONDS_PER_DAY, UNDO_EVENTS
from recsys.store.list_outcomes import ListFollower

ATTRIBUTION_S: Final = 7.0 * SECONDS_PER_DAY
"""Longest time from a list to an event that counts as its outcome, unless said otherwise."""

Kind = Literal["impression", "click", "cart", "purchase", "refund", "explanation_open"]
"""Of an outcome; a feedback on an explanation is of the kind that it says, see `recsys.core.events.FEEDBACK`."""

# Who looks at an item's page from a list has chosen it there, whether the shop calls that a click or a view.
_KINDS: Final[dict[str, str]] = {
    "impression": "impression",
    "click": "click",
    "view": "click",
    "add_to_cart": "cart",
    "purchase": "purchase",
    "explanation_open": "explanation_open",
    **{name: "refund" for name, undone in UNDO_EVENTS.items() if undone == PURCHASE},
}


class Outcome(NamedTuple):
    """What came of an item in a list.

    Attributes:
        place: of the item in the list, from 0.
        kind: what it was: a `Kind`, or a feedback.
        timestamp: when it first was, in seconds since 1970.
        amount: of a purchase or a refund, price times pieces; None: it has no price.
    """

    place: int
    kind: str
    timestamp: float
    amount: float | None


def outcomes_of(item_ids: Sequence[str], followers: Iterable[ListFollower]) -> tuple[list[Outcome], list[str]]:
    """The outcomes of a list, and the types of those events that name an item that it does not hold.

    Args:
        item_ids: of the list.
        followers: the events that belong to it, in the order of their times: the first one of an item and kind counts.
            Those of other types than outcomes have are no outcomes, and are left out.
    """
    places = {item_id: place for place, item_id in reversed([*enumerate(item_ids)])}
    found: dict[tuple[int, str], Outcome] = {}
    strangers: list[str] = []
    for follower in followers:
        place = places.get(follower.item_id)
        if place is None:
            strangers.append(follower.event_type)
            continue
        kind = _KINDS.get(follower.event_type)
        if follower.event_type == EXPLANATION_FEEDBACK:
            kind = follower.value
        if kind is not None and (place, kind) not in found:
            found[place, kind] = Outcome(place, kind, follower.timestamp, _amount(follower))
    return [*found.values()], strangers


def _amount(follower: ListFollower) -> float | None:
    pieces = 1.0 if follower.quantity is None else follower.quantity
    return None if follower.price is None else follower.price * pieces
