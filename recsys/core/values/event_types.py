"""Types of events: compared without the blanks around them, whatever their case."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def normal_event_type(text: str) -> str:
    """The one way to write a type: without blanks around, in small letters."""
    return text.strip().casefold()


def check_event_type(text: str, known: Collection[str]) -> str:
    """The known type that a text means.

    Args:
        text: the type as it was sent.
        known: types in normal form.

    Raises:
        ValueError: there is none; it names the known ones and the nearest.
    """
    name = normal_event_type(text)
    if name in known:
        return name
    raise ValueError(f"expected an event type of {', '.join(known)}, got {text[:60]!r}{nearest(name, known)}")


def nearest(name: str, known: Collection[str]) -> str:
    """A question after the nearest known name; empty if none is near."""
    close = get_close_matches(name, known, n=1)
    return f" (do you mean {close[0]}?)" if close else ""
