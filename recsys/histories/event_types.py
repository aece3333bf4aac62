"""What the types of events mean to a bundle: their weights, which are purchases, and which take others back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from recsys.bundle import Bundle
from recsys.bundle.event_weights import event_weights, reads_events
from recsys.core.events import EVENT_WEIGHTS, PURCHASE, RATING, UNDO_EVENTS, bought_types
from recsys.store import Event

# Of what users do with items; what is told of lists is no part of a history.
OF_EVERY_SERVER: Final = (*EVENT_WEIGHTS, *UNDO_EVENTS)
# Who rates an item has bought it before: that tells of a purchase where nothing else does, but not when it was.
BOUGHT, RATED = 2.0, 1.0
_KIND = Event._fields.index("event_type")


@dataclass(frozen=True)
class EventTypes:
    """The types that a bundle knows.

    Attributes:
        weights: of each type that counts, as the bundle was trained: all alike unless it was trained on an event log.
        undone: of each type that takes back an earlier event, the type that it takes back; None: it is ignored.
        purchases: how surely each type says that an item was bought then: `BOUGHT` or `RATED`, 0 for the others.
    """

    weights: Mapping[str, float]
    undone: Mapping[str, str | None]
    purchases: Mapping[str, float]

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """Those that the bundle's config names, and those that every server takes."""
        config = bundle.manifest.config
        named = event_weights(config)
        weights = {**EVENT_WEIGHTS, **named} if reads_events(config) else dict.fromkeys(EVENT_WEIGHTS, 1.0)
        undo = {**UNDO_EVENTS, **config.get("data", {}).get("undo_events", {})}
        bought = {*bought_types(named), PURCHASE, RATING}
        return cls(
            weights,
            {name: undone for name, undone in undo.items() if name not in weights},
            {name: (RATED if name == RATING else BOUGHT) if name in bought else 0.0 for name in weights},
        )

    @cached_property
    def accepted(self) -> Collection[str]:
        """All types that mean something."""
        return {**dict.fromkeys(self.weights), **dict.fromkeys(self.undone)}.keys()

    def standing(self, events: Sequence[Event]) -> Sequence[Event]:
        """Events of types that count, oldest first, without those that later ones take back."""
        if {event[_KIND] for event in events} <= self.weights.keys():
            return events
        left: list[Event] = []
        for event in events:
            if event.event_type in self.weights:
                left.append(event)
            elif undone := self.undone.get(event.event_type):
                taken = event.item_id, undone
                position = next((n for n in range(len(left) - 1, -1, -1) if _what(left[n]) == taken), None)
                if position is not None:
                    del left[position]
        return left


def _what(event: Event) -> tuple[str, str]:
    return event.item_id, event.event_type
