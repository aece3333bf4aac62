"""Whose the events are: what is to be forgotten goes, and what an alias did is its user's (`recsys.core.persons`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from recsys.core.persons import Persons
from recsys.prepare import columns as c
from recsys.prepare.engine.staging import Database, count, one_value, replace_table

_TOLD_AT = "CAST(moment // 9223372036854775808 AS BIGINT)"


@dataclass
class PersonCounts:
    """What became of events.

    Attributes:
        forgotten: events that are dropped.
        aliased: events that are now those of another user.
    """

    forgotten: int = 0
    aliased: int = 0


def apply_persons(db: Database, persons: Sequence[Persons]) -> PersonCounts:
    """Let tables `raw` and `told_users` be as `Persons.user_of` says of each id and time: aliases, then tombstones.

    Events are from all inputs: a log that was exported before somebody asked to be forgotten is read like any other,
    and what one store says is to be forgotten is so whoever's another says it was.

    Args:
        db: with these tables.
        persons: of each store.
    """
    counts = PersonCounts()
    for each in persons:
        counts.aliased += _give_to_users(db, each)
    for each in persons:
        counts.forgotten += _forget_all(db, each)
    return counts


def _give_to_users(db: Database, persons: Persons) -> int:
    """Give what aliases did to their users; returns how many events."""
    aliases = list(persons.aliases)
    if not aliases:
        return 0
    columns = {
        "alias_id": pa.array([alias.alias_id for alias in aliases], pa.string()),
        "owner_id": pa.array([alias.user_id for alias in aliases], pa.string()),
        "since": pa.array([alias.since for alias in aliases], pa.float64()),
        "until": pa.array([alias.until for alias in aliases], pa.float64()),
    }
    db.register("aliases", pa.table(columns))
    given = _give(db, "raw", c.USER_ID, c.TIMESTAMP)
    _give(db, "told_users", "id", _TOLD_AT)
    db.unregister("aliases")
    return given


def _forget_all(db: Database, persons: Persons) -> int:
    """Drop what is to be forgotten; returns how many events."""
    if not persons.tombstones:
        return 0
    hashes, times = zip(*persons.tombstones.items(), strict=True)
    tombstones = {"user_hash": pa.array(hashes, pa.string()), "until": pa.array(times, pa.float64())}
    db.register("tombstones", pa.table(tombstones))
    forgotten = _forget(db, "raw", c.USER_ID, c.TIMESTAMP)
    _forget(db, "told_users", "id", _TOLD_AT)
    db.unregister("tombstones")
    return forgotten


def _give(db: Database, table: str, user_id: str, time: str) -> int:
    """Give rows of aliases to their users; returns how many."""
    belongs = f"{table}.{user_id} = alias_id AND {time} > since AND {time} <= until"
    given = int(one_value(db, f"SELECT count(*) FROM {table} JOIN aliases ON {belongs}"))
    if given:
        db.execute(f"UPDATE {table} SET {user_id} = owner_id FROM aliases WHERE {belongs}")
    return given


def _forget(db: Database, table: str, user_id: str, time: str) -> int:
    """Drop rows that are to be forgotten; returns how many."""
    db.execute(
        f"CREATE TEMP TABLE forgotten AS SELECT {user_id}, until FROM (SELECT DISTINCT {user_id} FROM {table})"
        f" JOIN tombstones ON sha256({user_id}) = user_hash"
    )
    before = count(db, table)
    if count(db, "forgotten"):
        replace_table(
            db,
            table,
            f"SELECT {table}.* FROM {table} LEFT JOIN forgotten USING ({user_id})"
            f" WHERE until IS NULL OR {time} > until",
        )
    db.execute("DROP TABLE forgotten")
    return before - count(db, table)
