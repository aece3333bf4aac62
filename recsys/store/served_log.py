"""What was shown to whom, for evaluation to read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from recsys.store.database import Database
from recsys.store.records import Served, storable
from recsys.store.tables import SERVED

ROWS_AT_ONCE = 1000


def add_served(database: Database, rows: Sequence[Served]) -> None:
    """See `Store.add_served`."""
    values = [
        {
            "request_id": storable(row.request_id),
            "user_id": None if row.user_id is None else storable(row.user_id),
            "timestamp": row.timestamp,
            "bundle_version": storable(row.bundle_version),
            "model": storable(row.model),
            "item_ids": json.dumps(row.item_ids),
            "scores": json.dumps(row.scores),
        }
        for row in rows
    ]
    if values:
        with database.write() as connection:
            connection.execute(sa.insert(SERVED), values)


def forget_served(database: Database, before: float, limit: int) -> int:
    """See `Store.forget_served`."""
    oldest = sa.select(SERVED.c.seq).where(SERVED.c.timestamp < before).order_by(SERVED.c.timestamp).limit(limit)
    with database.write() as connection:
        return connection.execute(sa.delete(SERVED).where(SERVED.c.seq.in_(oldest))).rowcount


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
            for row in rows:
                yield Served(
                    row.request_id,
                    row.user_id,
                    row.timestamp,
                    row.bundle_version,
                    row.model,
                    tuple(json.loads(row.item_ids)),
                    tuple(json.loads(row.scores)),
                )
            database.limit(connection)
