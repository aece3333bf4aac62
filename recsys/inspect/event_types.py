"""What the types of events of a log are called here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recsys.core.events import LIST_EVENT_TYPES, LOG_WEIGHTS, RATING, UNDO_EVENTS
from recsys.core.values.event_types import normal_event_type
from recsys.inspect.words import IGNORED, meaning_of
from recsys.prepare.formats.matching import plain_name

_KNOWN = {*LOG_WEIGHTS, *UNDO_EVENTS, RATING, *LIST_EVENT_TYPES}
# What is near to what it is called here, but not the same.
_NEAR = ("fav", "like", "star", "bookmark", "wish", "save", "checkout", "pending", "onhold", "share")
# States of orders: what was cancelled or paid back is no purchase, and takes none back.
_STATES = frozenset(
    {"complete", "completed", "processing", "paid", "fulfilled", "onhold", "pendingpayment", "bezahlt"}
    | {"shipped", "delivered", "closed"}
)
_STEPS = ("view", "click", "add_to_cart")  # before an order, which has none of these states
_UNDONE = ("refund", "cancel")


@dataclass
class TypeMapping:
    """Types of a log.

    Attributes:
        renamed: their name and ours, or that they are to be ignored.
        comments: on some of them.
    """

    renamed: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)


def map_types(counts: Mapping[str, int], is_estimate: bool) -> TypeMapping:
    """Names for the types of a log, given how often each occurs."""
    mapping = TypeMapping()
    none_known = not any(meaning_of(name) or normal_event_type(name) in _KNOWN for name in counts)
    has_steps = any(meaning_of(name) in _STEPS for name in counts)
    are_states = not has_steps and not _STATES.isdisjoint(map(plain_name, counts))
    for name, count in counts.items():
        key = normal_event_type(name)
        meaning = meaning_of(name)
        if are_states and meaning in _UNDONE:
            mapping.renamed[key] = IGNORED
            continue
        if key in _KNOWN or key in mapping.renamed:
            continue
        mapping.renamed[key] = meaning or ("view" if none_known else IGNORED)
        times = f"{count:,} of the {'sampled ' if is_estimate else ''}events"
        if meaning is None:
            mapping.comments[key] = f"unclear: {times}; set view, click, add_to_cart or purchase"
        elif any(word in key.replace("_", "") for word in _NEAR):
            mapping.comments[key] = f"guessed: {times}"
    return mapping
