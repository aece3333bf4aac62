"""PostgreSQL through psycopg: limits on the server, and on the client for a server that no longer answers."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, Select, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DisconnectionError

from recsys.store.backends import EVENT_COLUMNS, LATEST_OF_ITEMS, UPGRADE_S, Backend
from recsys.store.errors import StoreError

T = TypeVar("T")

SCHEMA_LOCK = 7_305_804_402_385_744  # any number that no other program on the database uses
PERSONS_LOCK = 0x7065_7273_6F6E  # "person"
_RESERVE = text("SELECT nextval(pg_get_serial_sequence('events', 'seq')) FROM generate_series(1, :count)")
_LATEST = """
    SELECT * FROM events
    WHERE user_id = u.user_id COLLATE "C" AND timestamp <= %(until)s
    ORDER BY timestamp DESC, seq DESC LIMIT {}
"""
GRACE = 1.25  # the server gives up first: a connection on which the client does is lost


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection on which no wait is longer than `limit_s`, nor goes beyond `deadline` while there is one."""

    limit_s = 60.0
    deadline: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        limit = self.limit_s if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        limit = limit if timeout is None else min(limit, timeout)
        until = time.monotonic() + limit
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            if error.sqlstate is None and time.monotonic() >= until:
                self.pgconn.finish()  # a late answer would be taken for the answer to the next statement
                raise psycopg.OperationalError("no answer in time") from None
            raise


class PostgreSQL(Backend):
    """A PostgreSQL server, shared by any number of machines."""

    insert = staticmethod(postgresql.insert)
    probe = "UPDATE users SET event_count = event_count WHERE user_id = ''"  # of nobody; a replica refuses it
    latest_events = f"""
        SELECT {EVENT_COLUMNS}
        FROM unnest(CAST(%(users)s AS text[])) AS u(user_id) CROSS JOIN LATERAL ({_LATEST.format("%(limit)s")}) AS e
        ORDER BY e.timestamp, e.seq
    """
    latest_items = f"""
        SELECT {EVENT_COLUMNS}
        FROM unnest(CAST(%(users)s AS text[])) AS u(user_id)
        CROSS JOIN LATERAL ({LATEST_OF_ITEMS.format(events=_LATEST.format("%(depth)s"), limit="%(limit)s")}) AS l
        JOIN events AS e USING (seq)
        ORDER BY e.timestamp, e.seq
    """

    def engine_options(self) -> dict[str, Any]:
        if not self.url.database:
            raise StoreError("the name of a database", "none", "write postgresql://USER@HOST/DATABASE")
        return {"connect_args": {"connect_timeout": max(1, round(self.timeout_s))}}

    def prepare(self) -> tuple[Engine, Engine]:
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", self._set_up)
        event.listen(self.engine, "checkout", _replace_if_cut)
        event.listen(self.engine, "checkin", _forget_deadline)
        # Rows can be fetched in parts within a transaction alone.
        return self.engine.execution_options(isolation_level="AUTOCOMMIT"), self.engine

    def create(self) -> None:
        """To make databases is left to their owner."""

    def try_out(self) -> None:
        with self.reads.connect() as connection:
            read_only = connection.execute(text("SHOW transaction_read_only")).scalar_one()
        if read_only != "off":
            raise StoreError("a database that takes changes", "one that is read alone", "name another with --store")

    def open_to_others(self) -> None:
        """Who may read it, its server decides."""

    def look(self) -> None:
        """Its files are the server's to look after."""

    def committed(self, connection: Connection) -> None:
        """What the server acknowledges is on its disk."""

    def limit(self, connection: Connection, until: float) -> None:
        driver_connection: Any = connection.connection.driver_connection
        driver_connection.deadline = until + (GRACE - 1) * self.timeout_s

    def lock_schema(self, connection: Connection) -> None:
        connection.execute(text(f"SET LOCAL statement_timeout = {int(UPGRADE_S * 1000)}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})

    def prepare_database(self) -> None:
        """Ids are any Unicode text, which no other encoding holds."""
        with self.reads.connect() as connection:
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            raise StoreError("a database in UTF8", str(encoding), "create one: CREATE DATABASE name ENCODING 'UTF8'")

    def order_events(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        # Writers that lock rows in one order cannot wait for each other in a circle.
        reserved = connection.execute(_RESERVE, {"count": len(rows)}).scalars()
        for row, number in zip(rows, sorted(reserved), strict=True):
            row["seq"] = number
        rows.sort(key=lambda row: row["event_id"])

    def lock_persons(self, connection: Connection, *, shared: bool) -> None:
        kind = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        connection.execute(text(f"SELECT {kind}(:key)"), {"key": PERSONS_LOCK})

    def allow(self, connection: Connection, limit_s: float) -> None:
        connection.execute(text(f"SET LOCAL statement_timeout = {int(limit_s * 1000)}"))

    def users_value(self, user_ids: Sequence[str]) -> list[str]:
        return list(user_ids)

    def with_words(self, items: Select[Any], words: Sequence[str], *, alone: bool) -> Select[Any]:
        del alone  # the items are looked at in any case
        condition = text("array_to_tsvector(string_to_array(items.words, ' ')) @@ CAST(:words AS tsquery)")
        return items.where(condition.bindparams(words=" & ".join(f"'{word}':*" for word in words)))

    def _connect(self, _dialect: object, _record: object, args: list[Any], options: dict[str, Any]) -> Any:
        connection = DeadlineConnection.connect(*args, **options)
        connection.limit_s = self.timeout_s * GRACE
        return connection

    def _set_up(self, connection: DeadlineConnection, _record: object) -> None:
        connection.execute(f"SET statement_timeout = {int(self.timeout_s * 1000)}")
        # A database may have it off, and then lose what it has acknowledged.
        connection.execute("SET synchronous_commit = on")
        connection.commit()


def _replace_if_cut(connection: DeadlineConnection, _record: object, _proxy: object) -> None:
    """Have a connection replaced that the server has closed; nothing else is there to read on an idle one."""
    ready = select.poll()
    ready.register(connection.fileno(), select.POLLIN)
    if ready.poll(0):
        raise DisconnectionError


def _forget_deadline(connection: DeadlineConnection | None, _record: object) -> None:
    if connection is not None:
        connection.deadline = None
