"""Logs of lists and of what came of them, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from recsys.store import AssignedVariant, Event, ListDetails, ListEvent, Served
from recsys.store.tables import LIST_EVENTS
from tests.support.databases import engine_of


def a_list(name: str, user: str | None, timestamp: float, items: Sequence[str] = ("a", "b"), **details: Any) -> Served:
    """A served list, called `name`, of a model `full` and a bundle of version `v1`."""
    return Served(name, user, timestamp, "v1", "full", tuple(items), (), name, ListDetails(**details))


def in_variant(variant: str, experiment: str = "x", version: int = 1) -> tuple[AssignedVariant, ...]:
    """The variants of a list that was made for one experiment."""
    return (AssignedVariant(experiment, version, variant),)


def named(number: int, kind: str, of: str | None, item: str, timestamp: float, **more: Any) -> Event:
    """An event of a list."""
    return Event(f"e{number}", "u", item, kind, timestamp, recommendation_id=of, **more)


def seen(number: int, of: str | None, item: str, timestamp: float, kind: str = "impression", **more: Any) -> ListEvent:
    """A list event, an impression unless said otherwise."""
    return ListEvent(f"s{number}", "u", item, kind, timestamp, recommendation_id=of, **more)


def put_list_events(url: str, events: Sequence[ListEvent]) -> None:
    """Write list events, past the store."""
    if events:
        with engine_of(url).begin() as connection:
            connection.execute(sa.insert(LIST_EVENTS), [event._asdict() for event in events])
