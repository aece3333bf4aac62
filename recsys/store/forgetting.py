"""Which rows have been kept for long enough: by their times, and by the order in which they arrived."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from recsys.store.database import Database
from recsys.store.tables import REMOVALS

LAST = 2**63 - 1  # no row has a greater number


def in_order_of_arrival(table: sa.Table, before: float, until: float, limit: int) -> sa.Select[tuple[int]]:
    """Numbers of rows that arrived before any that is to be kept, of the `limit` that arrived first.

    A row of an early time among later ones was stamped by a clock that was behind: it stays until those before it may
    go. A row of a time after `until` was stamped by one that was ahead: it says nothing, and goes with its neighbours.
    """
    columns = table.c
    first = sa.select(columns.seq, columns.timestamp).order_by(columns.seq).limit(limit).subquery()
    kept = sa.select(sa.func.min(first.c.seq)).where(first.c.timestamp >= before, first.c.timestamp <= until)
    old = sa.select(sa.func.max(first.c.seq)).where(
        first.c.timestamp < before, first.c.seq < sa.func.coalesce(kept.scalar_subquery(), LAST)
    )
    return sa.select(first.c.seq).where(first.c.seq <= old.scalar_subquery())


def of_first_arrivals(table: sa.Table, before: float, until: float | None, limit: int) -> sa.Select[tuple[int]]:
    """Numbers of rows of before a time, of the `limit` that arrived first; with `until` as `in_order_of_arrival`."""
    if until is not None:
        return in_order_of_arrival(table, before, until, limit)
    first = sa.select(table.c.seq, table.c.timestamp).order_by(table.c.seq).limit(limit).subquery()
    return sa.select(first.c.seq).where(first.c.timestamp < before)


def latest_times(database: Database, table: sa.Table, limit: int) -> Sequence[float]:
    """Times of the rows that arrived last, the latest arrival first."""
    statement = sa.select(table.c.timestamp).order_by(table.c.seq.desc()).limit(limit)
    with database.read() as connection:
        return connection.execute(statement).scalars().all()


def note_removed(
    database: Database, connection: sa.Connection, table: sa.Table, times: Sequence[float], before: float
) -> None:
    """Keep how far back a table reaches no more, in the transaction that removes the rows.

    Args:
        database: of the connection.
        connection: of the transaction.
        table: whose rows go.
        times: of the rows that go.
        before: rows of before this time were to go; the time of another one says nothing, its clock was ahead.
    """
    gone = max((time for time in times if time < before), default=None)
    if gone is None:
        return
    insert = database.backend.insert(REMOVALS)
    later = sa.case(
        (insert.excluded.timestamp > REMOVALS.c.timestamp, insert.excluded.timestamp), else_=REMOVALS.c.timestamp
    )
    upsert = insert.on_conflict_do_update(index_elements=[REMOVALS.c.table_name], set_={"timestamp": later})
    connection.execute(upsert, {"table_name": table.name, "timestamp": gone})


def removed_until(database: Database) -> float | None:
    """The latest time of any row that went because it had been kept for long enough; None: none did."""
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.max(REMOVALS.c.timestamp))).scalar()
