"""What events and list events may hold to be stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from recsys.core.events import EXPLANATION_FEEDBACK, FEEDBACK, LIST_EVENT_TYPES, MAX_POSITION, MAX_TYPE_CHARS
from recsys.core.values.amounts import ANY_RATING, check_amount, check_rating
from recsys.core.values.event_types import normal_event_type
from recsys.core.values.ids import check_id
from recsys.core.values.times import check_time
from recsys.store.records import Event, ListEvent, invalid_record

_AMOUNT_CHECKS: Final[dict[str, Callable[[float], float]]] = {
    "rating": partial(check_rating, rating_range=ANY_RATING),
    "price": check_amount,
    "quantity": check_amount,
}


def check_events(events: Sequence[Event]) -> None:
    """Stop at the first event that cannot be stored.

    Raises:
        InvalidRecord: with the position of the event (from 0), the field and what it may hold.
    """
    for number, event in enumerate(events):
        place = f"event {number}"
        _check_whose(event, place)
        _check_type(event.event_type, f"event_type of {place}")
        if event.event_type in LIST_EVENT_TYPES:
            raise invalid_record(
                f"event_type of {place}", "what is done with an item, not told of a list", event.event_type
            )
        for name, check in _AMOUNT_CHECKS.items():
            if (value := getattr(event, name)) is not None:
                _checked(check, value, f"{name} of {place}")
        _check_named_list(event, place)


def check_list_events(events: Sequence[ListEvent]) -> None:
    """Stop at the first list event that cannot be stored.

    Raises:
        InvalidRecord: with the position of the event (from 0), the field and what it may hold.
    """
    for number, event in enumerate(events):
        place = f"list event {number}"
        _check_whose(event, place)
        _check_named_list(event, place)
        if event.event_type not in LIST_EVENT_TYPES:
            raise invalid_record(f"event_type of {place}", ", ".join(LIST_EVENT_TYPES), event.event_type)
        expected = FEEDBACK if event.event_type == EXPLANATION_FEEDBACK else (None,)
        if event.value not in expected:
            raise invalid_record(f"value of {place}", ", ".join(map(str, expected)), event.value)


def _check_whose(event: Event | ListEvent, place: str) -> None:
    """Stop where ids or time of an event cannot be stored; `place`: what messages call it.

    Raises:
        InvalidRecord: with the field and what it may hold.
    """
    for name in ("event_id", "user_id", "item_id"):
        _checked(check_id, getattr(event, name), f"{name} of {place}")
    _checked(check_time, event.timestamp, f"timestamp of {place}")


def _check_named_list(event: Event | ListEvent, place: str) -> None:
    """Stop where the list that an event names, or its place there, cannot be stored; arguments as of `_check_whose`.

    Raises:
        InvalidRecord: with the field and what it may hold.
    """
    if event.recommendation_id is not None:
        _checked(check_id, event.recommendation_id, f"recommendation_id of {place}")
    position = event.position
    if position is not None and not (type(position) is int and 1 <= position <= MAX_POSITION):
        raise invalid_record(f"position of {place}", f"a whole number from 1 to {MAX_POSITION}", position)


def _check_type(value: str, name: str) -> None:
    if not (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_TYPE_CHARS
        and value == normal_event_type(value)
        and value.isprintable()
    ):
        raise invalid_record(name, f"1 to {MAX_TYPE_CHARS} printable characters in small letters", value)


def _checked(check: Callable[[Any], object], value: object, name: str) -> None:
    try:
        check(value)
    except (TypeError, ValueError) as error:
        raise invalid_record(name, str(error).partition(", got ")[0].removeprefix("expected "), value) from None
