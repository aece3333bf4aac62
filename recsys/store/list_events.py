"""What is told of lists: that an item was seen, that its explanation was opened, what was thought of it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from recsys.store.bulk import insert_new
from recsys.store.database import Database
from recsys.store.forgetting import note_removed, of_first_arrivals
from recsys.store.records import ListEvent
from recsys.store.tables import LIST_EVENTS


def insert(connection: sa.Connection, events: Sequence[ListEvent]) -> int:
    """Insert list events, of which those that are there already stay as they are; returns how many are new."""
    # Writers that lock rows in one order cannot wait for each other in a circle.
    ordered = sorted(events, key=lambda event: event.event_id)
    return insert_new(connection, LIST_EVENTS.name, ListEvent._fields, ordered)


def forget_list_events(database: Database, before: float, limit: int, until: float | None) -> int:
    """See `Store.forget_list_events`."""
    columns = LIST_EVENTS.c
    old = of_first_arrivals(LIST_EVENTS, before, until, limit)
    with database.write() as connection:
        database.backend.lock_persons(connection, shared=True)
        removal = sa.delete(LIST_EVENTS).where(columns.seq.in_(old)).returning(columns.timestamp)
        removed = connection.execute(removal).scalars().all()
        note_removed(database, connection, LIST_EVENTS, removed, before)
    return len(removed)
