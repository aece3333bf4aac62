"""Served lists: which items were shown to whom, for evaluation to read back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from recsys.core.persons import Persons
from recsys.store.bulk import insert_new
from recsys.store.database import Database
from recsys.store.forgetting import in_order_of_arrival, note_removed
from recsys.store.persons import owned, persons_of
from recsys.store.records import ListDetails, Served, storable
from recsys.store.tables import SERVED

ROWS_AT_ONCE = 1000
# What of a statement holds the interpreter, and requests up, takes a fraction of a millisecond.
_ROWS_OF_A_STATEMENT = 128
FOLLOWED_S = 2.0
"""After so many seconds every worker knows who was forgotten: lists before may be of the forgotten history."""
_COLUMNS = (
    "request_id",
    "user_id",
    "timestamp",
    "bundle_version",
    "model",
    "item_ids",
    "scores",
    "recommendation_id",
    "details",
)
_encode = msgspec.json.Encoder().encode
_details = msgspec.json.Decoder(ListDetails).decode


def add_served(database: Database, rows: Sequence[Served]) -> None:
    """See `Store.add_served`."""
    if rows:
        with database.write() as connection:
            persons = persons_of(database, connection, (row.user_id for row in rows if row.user_id is not None))
            rows = [row for row in owned(persons, rows) if _is_of_now(row, persons)]
            # A call that fails may have written its rows, and is repeated: those that are there stay.
            for start in range(0, len(rows), _ROWS_OF_A_STATEMENT):
                part = rows[start : start + _ROWS_OF_A_STATEMENT]
                insert_new(connection, SERVED.name, _COLUMNS, list(map(_values, part)))


def _is_of_now(row: Served, persons: Persons) -> bool:
    """Whether whoever made a list knew that its user was forgotten, if so."""
    return row.user_id is None or row.timestamp > persons.forgotten_until(row.user_id) + FOLLOWED_S


def _values(row: Served) -> tuple[str | float | None, ...]:
    """The columns of a row. JSON has no NUL."""
    return (
        storable(row.request_id),
        None if row.user_id is None else storable(row.user_id),
        row.timestamp,
        storable(row.bundle_version),
        storable(row.model),
        _id_list(row.item_ids),
        _encode(row.scores).decode(),
        row.recommendation_id,
        None if row.details is None else _encode(row.details).decode(),
    )


def _id_list(item_ids: Sequence[str]) -> str:
    try:
        return _encode(item_ids).decode()
    except UnicodeEncodeError:
        return _encode([storable(item_id) for item_id in item_ids]).decode()


def forget_served(database: Database, before: float, limit: int, until: float | None) -> int:
    """See `Store.forget_served`."""
    if until is None:
        oldest = sa.select(SERVED.c.seq).where(SERVED.c.timestamp < before).order_by(SERVED.c.timestamp).limit(limit)
    else:
        oldest = in_order_of_arrival(SERVED, before, until, limit)
    with database.write() as connection:
        database.backend.lock_persons(connection, shared=True)
        removal = sa.delete(SERVED).where(SERVED.c.seq.in_(oldest)).returning(SERVED.c.timestamp)
        times = connection.execute(removal).scalars().all()
        note_removed(database, connection, SERVED, times, before)
    return len(times)


def served(database: Database, since: float, until: float) -> Iterator[Served]:
    """See `Store.served`."""
    statement = (
        sa.select(SERVED)
        .where(SERVED.c.timestamp >= since, SERVED.c.timestamp < until)
        .order_by(SERVED.c.timestamp, SERVED.c.seq)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    with database.stream() as connection:
        for rows in connection.execute(statement).partitions():
            yield from map(served_of, rows)
            database.limit(connection)


def served_of(row: Any) -> Served:
    """The list that a row keeps."""
    return Served(
        row.request_id,
        row.user_id,
        row.timestamp,
        row.bundle_version,
        row.model,
        tuple(json.loads(row.item_ids)),
        tuple(math.nan if score is None else score for score in json.loads(row.scores)),
        row.recommendation_id,
        None if row.details is None else _details(row.details),
    )
