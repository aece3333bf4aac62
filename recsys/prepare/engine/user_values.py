"""The tables of what is known of users: records of files, what rows with a time tell, and what a store says since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, insert

RECORDS, TOLD, SAID = "user_records", "user_told", "user_said"
_AT_ONCE = 1 << 14


def create_tables(db: Database, fields: Sequence[pa.Field]) -> None:
    """Make all three tables, empty: an id and attributes."""
    db.register("batch", _schema(fields).empty_table())
    for table in (RECORDS, TOLD, SAID):
        db.execute(f"CREATE TABLE {table} AS SELECT * FROM batch")
    db.unregister("batch")


def choose_users(db: Database, user_ids: list[str]) -> tuple[int, list[int]]:
    """How many records are of users in table `users`, and the positions of the first one of each without a record."""
    batch = pa.table({c.USER_ID: pa.array(user_ids, pa.string()), "position": pa.array(range(len(user_ids)))})
    db.register("batch", batch)
    db.execute("CREATE OR REPLACE TEMP TABLE in_dataset AS SELECT * FROM batch SEMI JOIN users USING (user_id)")
    db.unregister("batch")
    chosen = db.execute(
        f"SELECT min(position) FROM in_dataset ANTI JOIN {RECORDS} USING (user_id) GROUP BY user_id ORDER BY 1"
    ).fetchall()
    return count(db, "in_dataset"), [position for (position,) in chosen]


def insert_users(db: Database, table: str, rows: Sequence[tuple[Any, ...]], fields: Sequence[pa.Field]) -> None:
    """Append rows of an id and attributes to a table."""
    if rows:
        schema = _schema(fields)
        insert(db, table, pa.table(list(map(pa.array, zip(*rows, strict=True), schema.types)), schema))


def told_users(db: Database) -> Iterator[list[str]]:
    """Ids of the users of the dataset of whom rows with a time tell something, some at a time."""
    ids = db.execute(
        "SELECT user_id FROM users SEMI JOIN (SELECT id AS user_id FROM told_users) USING (user_id) ORDER BY user_id"
    ).fetchall()
    for first in range(0, len(ids), _AT_ONCE):
        yield [user_id for (user_id,) in ids[first : first + _AT_ONCE]]


def count_known(db: Database, fields: Sequence[pa.Field]) -> dict[str, int]:
    """Of each attribute, how many users have it."""
    counts = ", ".join(f"count({merged(field.name)})" for field in fields)
    (row,) = db.execute(f"SELECT {counts} FROM {JOINED}").fetchall()
    return {field.name: int(known) for field, known in zip(fields, row, strict=True)}


JOINED = "users " + " ".join(f"LEFT JOIN {table} USING (user_id)" for table in (SAID, RECORDS, TOLD))


def merged(name: str) -> str:
    """SQL that gives an attribute: what a store says counts more than records, and these more than what is told."""
    return f'coalesce({SAID}."{name}", {RECORDS}."{name}", {TOLD}."{name}")'


def _schema(fields: Sequence[pa.Field]) -> pa.Schema:
    return pa.schema([(c.USER_ID, pa.string()), *fields])
