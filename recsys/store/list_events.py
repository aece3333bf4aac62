"""What is told of lists: that an item was seen, that its explanation was opened, what was thought of it.

Impressions are many times as many as events, so they are written by few statements, as the driver takes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from recsys.store.database import Database
from recsys.store.forgetting import in_order_of_arrival, note_removed
from recsys.store.records import ListEvent
from recsys.store.tables import LIST_EVENTS

ROWS_AT_ONCE = 1000
_COLUMNS = ListEvent._fields


def insert(connection: sa.Connection, events: Sequence[ListEvent]) -> int:
    """Insert list events, of which those that are there already stay as they are; returns how many are new."""
    # Writers that lock rows in one order cannot wait for each other in a circle.
    ordered = sorted(events, key=lambda event: event.event_id)
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = f"({','.join([mark] * len(_COLUMNS))})"
    new = 0
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        rows = ordered[start : start + ROWS_AT_ONCE]
        statement = (
            f"INSERT INTO {LIST_EVENTS.name} ({','.join(_COLUMNS)}) VALUES {','.join([marks] * len(rows))} "
            "ON CONFLICT (event_id) DO NOTHING"
        )
        values = tuple([value for row in rows for value in row])
        new += connection.exec_driver_sql(statement, values).rowcount
    return new


def forget_list_events(database: Database, before: float, limit: int, until: float | None) -> int:
    """See `Store.forget_list_events`."""
    columns = LIST_EVENTS.c
    if until is None:
        first = sa.select(columns.seq, columns.timestamp).order_by(columns.seq).limit(limit).subquery()
        old = sa.select(first.c.seq).where(first.c.timestamp < before)
    else:
        old = in_order_of_arrival(LIST_EVENTS, before, until, limit)
    with database.write() as connection:
        database.backend.lock_persons(connection, shared=True)
        removal = sa.delete(LIST_EVENTS).where(columns.seq.in_(old)).returning(columns.timestamp)
        removed = connection.execute(removal).scalars().all()
        note_removed(database, connection, LIST_EVENTS, removed, before)
    return len(removed)
