"""All that the store keeps of one user, in parts: what a person may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from recsys.core.persons import Alias
from recsys.store.database import Database
from recsys.store.experiment_units import units_of
from recsys.store.records import Event, ListEvent, Served, is_storable
from recsys.store.served_log import served_of
from recsys.store.tables import ALIASES, EVENTS, LIST_EVENTS, SERVED

ROWS_AT_ONCE = 1000
_A = ALIASES.c


class UserExport:
    """What is kept of a user. Each part is read by a statement of its own, so that nobody waits for a slow reader."""

    def __init__(self, database: Database, user_id: str) -> None:
        """Nothing is read yet. An id that no database can hold has nothing."""
        self._database, self._user_id, self._storable = database, user_id, is_storable(user_id)

    def events(self) -> Iterator[list[Event]]:
        """All events, oldest first, equal ones in the order of their arrival."""
        for rows in self._parts(EVENTS, EVENTS.c.timestamp, EVENTS.c.seq):
            yield [Event(*[row._mapping[name] for name in Event._fields]) for row in rows]

    def list_events(self) -> Iterator[list[ListEvent]]:
        """All list events in the order of their arrival."""
        for rows in self._parts(LIST_EVENTS, LIST_EVENTS.c.seq):
            yield [ListEvent(*[row._mapping[name] for name in ListEvent._fields]) for row in rows]

    def served(self) -> Iterator[list[Served]]:
        """All served lists in the order of their arrival."""
        for rows in self._parts(SERVED, SERVED.c.seq):
            yield [served_of(row) for row in rows]

    def aliases(self) -> list[Alias]:
        """Aliases of the user, and those by which what this id did is somebody else's."""
        if not self._storable:
            return []
        own = (_A.user_id == self._user_id) | (_A.alias_id == self._user_id)
        with self._database.read() as connection:
            rows = connection.execute(sa.select(ALIASES).where(own).order_by(_A.alias_id, _A.since)).all()
        return [Alias(row.alias_id, row.user_id, row.since, row.until) for row in rows]

    def units(self) -> dict[str, str]:
        """By experiment, the id that the user is assigned by where that is another one."""
        if not self._storable:
            return {}
        with self._database.read() as connection:
            return units_of(connection, self._user_id)

    def _parts(self, table: sa.Table, *order: sa.Column[Any]) -> Iterator[list[Any]]:
        """Rows of the user in an order that an index has, so that each part is found at once."""
        after: list[Any] | None = None
        while self._storable:
            statement = sa.select(table).where(table.c.user_id == self._user_id)
            if after is not None:
                statement = statement.where(sa.tuple_(*order) > sa.tuple_(*after))
            with self._database.read() as connection:
                rows = list(connection.execute(statement.order_by(*order).limit(ROWS_AT_ONCE)).all())
            if rows:
                yield rows
            if len(rows) < ROWS_AT_ONCE:
                return
            after = [rows[-1]._mapping[column.name] for column in order]
