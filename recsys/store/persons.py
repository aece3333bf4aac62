"""Whose the rows of events and served lists are, while they are written: see `recsys.core.persons`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

import sqlalchemy as sa

from recsys.core.persons import Alias, Persons, Tombstone, hash_of
from recsys.store.database import Database
from recsys.store.records import Event, ListEvent, Served, is_storable
from recsys.store.tables import ALIASES, PERSONS_VERSION, TOMBSTONES

NOTHING_BEFORE: Final = -1.0
"""`Alias.since` of an id of which nothing was merged or forgotten before: no time is earlier than 0."""

Row = TypeVar("Row", Event, ListEvent, Served)
_IDS_AT_ONCE = 500
_T, _A, _V = TOMBSTONES.c, ALIASES.c, PERSONS_VERSION.c


def persons_of(database: Database, connection: sa.Connection, user_ids: Iterable[str]) -> Persons:
    """The tombstones and aliases of some ids, which stay as they are until the transaction ends."""
    database.backend.lock_persons(connection, shared=True)
    if not connection.execute(sa.select(_V.version)).scalar_one():
        return Persons()
    ids = [user_id for user_id in dict.fromkeys(user_ids) if is_storable(user_id)]
    aliases = [
        Alias(row.alias_id, row.user_id, row.since, row.until)
        for part in _parts(ids)
        for row in connection.execute(sa.select(ALIASES).where(_A.alias_id.in_(part)))
    ]
    hashes = [hash_of(user_id) for user_id in dict.fromkeys([*ids, *(alias.user_id for alias in aliases)])]
    tombstones = [
        Tombstone(row.user_hash, row.timestamp)
        for part in _parts(hashes)
        for row in connection.execute(sa.select(TOMBSTONES).where(_T.user_hash.in_(part)))
    ]
    return Persons.of(tombstones, aliases)


def owned(persons: Persons, rows: Iterable[Row]) -> list[Row]:
    """The rows as those of the users to whom they belong, without what is to be forgotten."""
    if not persons:
        return list(rows)
    kept: list[Row] = []
    for row in rows:
        user_id = row.user_id if row.user_id is None else persons.user_of(row.user_id, row.timestamp)
        if user_id is not None or row.user_id is None:
            kept.append(row if user_id == row.user_id else row._replace(user_id=user_id))
    return kept


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _IDS_AT_ONCE):
        yield texts[start : start + _IDS_AT_ONCE]
