"""SQLite in WAL mode: readers never wait, one writer at a time, every commit flushed to disk."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, column, event, select, table, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from recsys.store.backends import EVENT_COLUMNS, LATEST_OF_ITEMS, UPGRADE_S, Backend
from recsys.store.errors import StoreDamaged, StoreError
from recsys.store.sqlite_file import StoreFile
from recsys.store.tables import ITEMS

READ_ONLY, UNTIL, OPENED = "recsys_read_only", "recsys_until", "recsys_opened"
RETRY_S = 0.003
OTHERS = 0o077  # the bits of a file's mode for all but its owner
_LATEST = (
    "SELECT {} FROM events WHERE user_id = u.value AND timestamp <= :until ORDER BY timestamp DESC, seq DESC LIMIT :{}"
)


class SQLite(Backend):
    """A file on a local disk, shared by the processes of one machine."""

    insert = staticmethod(sqlite.insert)
    probe = "UPDATE alembic_version SET version_num = version_num"  # writes a page, so a full disk shows, too
    latest_events = f"""
        SELECT {EVENT_COLUMNS}
        FROM json_each(:users) AS u CROSS JOIN events AS e
        WHERE e.seq IN ({_LATEST.format("seq", "limit")})
        ORDER BY e.timestamp, e.seq
    """
    latest_items = f"""
        SELECT {EVENT_COLUMNS}
        FROM json_each(:users) AS u CROSS JOIN events AS e
        WHERE e.seq IN ({LATEST_OF_ITEMS.format(events=_LATEST.format("*", "depth"), limit=":limit")})
        ORDER BY e.timestamp, e.seq
    """

    def engine_options(self) -> dict[str, Any]:
        path = self.url.database
        if not path or path == ":memory:" or path.startswith("file:"):
            raise StoreError("the path of a file after sqlite:///", repr(path or ""), "write sqlite:///data/events.db")
        if not Path(path).absolute().parent.is_dir():
            raise StoreError(f"a folder for {path}", "none", "make the folder, or correct the path")
        self._writing = threading.Lock()
        self._file = StoreFile(Path(path), self.timeout_s)
        return {"creator": self._file.connect_again}

    def prepare(self) -> tuple[Engine, Engine]:
        event.listen(self.engine, "connect", _set_up)
        event.listen(self.engine, "checkout", self._look)
        event.listen(self.engine, "begin", self._begin)
        reads = self.engine.execution_options(**{READ_ONLY: True})
        return reads, reads

    def limit(self, connection: Connection, until: float) -> None:
        connection.info[UNTIL] = until

    @contextmanager
    def turn(self, until: float) -> Iterator[None]:
        """Who only looks time and again whether the file is free may never find it so among others that write."""
        if not self._writing.acquire(timeout=max(0.0, until - time.monotonic())):
            raise sqlite3.OperationalError("database is locked by another thread")
        try:
            yield
        finally:
            self._writing.release()

    def lock_schema(self, connection: Connection) -> None:
        """The transaction itself is the lock: it has begun as a writer."""

    def create(self) -> None:
        self._file.create()

    def try_out(self) -> None:
        path = self._file.path
        if not path.exists():
            if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
                raise StoreError(f"a folder where {path} can be made", "one that may not be written", "change its mode")
            return
        with closing(self._file.connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("ROLLBACK")

    def open_to_others(self) -> str | None:
        path = self._file.path
        return str(path) if path.exists() and path.stat().st_mode & OTHERS else None

    def look(self) -> None:
        if self._file.opened is not None:
            self._file.check()
            self._file.check_log()

    def committed(self, connection: Connection) -> None:
        self._file.check()
        self._file.check_log()
        if connection.info[OPENED] is not self._file.opened:
            raise DisconnectionError

    def abandon(self) -> None:
        self._file.refuse()
        self.engine.dispose()  # before the file is let go: none of these connections may be taken for one to another
        self._file.leave()

    def reopen(self, *, verify: bool) -> None:
        self.abandon()
        with closing(self._file.connect()) as connection:
            if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone() != (
                1,
            ):
                state = "a database without the tables of a store"  # an empty file is one, too
            else:
                state = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if verify else "ok"
        if state != "ok":
            raise StoreDamaged(f"a sound store in {self._file.path}", str(state), "restore it from a backup")
        self._file.accept()

    def close(self) -> None:
        self.engine.dispose()
        try:
            self._file.leave()
        except StoreDamaged:  # whoever uses the log yet will see to it
            self._file.forget()

    def prepare_database(self) -> None:
        """Switch to WAL mode for good. SQLite does not wait for others here, so this does."""
        with closing(self._file.connect()) as connection:
            retry_while_locked(lambda: connection.execute("PRAGMA journal_mode = WAL"), time.monotonic() + UPGRADE_S)

    def order_events(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """As they are: there is one writer at a time, and the database numbers what it inserts."""

    def lock_persons(self, connection: Connection, *, shared: bool) -> None:
        """There is one writer at a time."""

    def allow(self, connection: Connection, limit_s: float) -> None:
        """Only waiting for others has a limit."""

    def rows_of(self, statement: str, values: dict[str, Any], until: float) -> Sequence[Sequence[Any]]:
        del until  # readers wait for nobody
        connection = self.engine.raw_connection()
        try:
            driver_connection: Any = connection.driver_connection
            rows: list[tuple[Any, ...]] = driver_connection.execute(statement, values).fetchall()
            return rows
        finally:
            connection.close()

    def users_value(self, user_ids: Sequence[str]) -> str:
        return json.dumps(list(user_ids))

    def with_words(self, items: Select[Any], words: Sequence[str], *, alone: bool) -> Select[Any]:
        hits = table("items_words", column("rowid"))
        condition = text("items_words MATCH :words").bindparams(words=" ".join(f'"{word}"*' for word in words))
        if alone:  # the index alone says it, and does not have to look at each item
            return select(hits.c.rowid).where(condition)
        # Said so that the index is asked for all its rows first, and not for every item whether it is among them.
        of_item = hits.c.rowid.op("+")(0) == ITEMS.c.seq
        return items.join(hits, of_item).where(condition).order_by(hits.c.rowid)

    def _look(self, _connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        """Hand out connections to the file that is there alone."""
        self._file.check()
        if record.info.setdefault(OPENED, self._file.opened) is not self._file.opened:
            raise DisconnectionError  # the pool connects anew

    def _begin(self, connection: Connection) -> None:
        """Begin as a writer at once: a transaction that began as a reader could not wait for its turn."""
        if connection.get_execution_options().get(READ_ONLY):
            return
        driver_connection: Any = connection.connection.driver_connection
        # SQLite itself would sleep longer and longer, and miss the gaps that a busy writer leaves.
        driver_connection.execute("PRAGMA busy_timeout = 0")
        try:
            retry_while_locked(lambda: driver_connection.execute("BEGIN IMMEDIATE"), connection.info[UNTIL])
            self._file.check_log()
        finally:
            driver_connection.execute(f"PRAGMA busy_timeout = {int(self.timeout_s * 1000)}")


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    # FULL: a commit is on disk when it returns, also when the power fails.
    connection.execute("PRAGMA synchronous = FULL")


def retry_while_locked(call: Callable[[], object], until: float) -> None:
    """Call again and again while another connection holds the lock, until a time of the monotonic clock."""
    while True:
        try:
            call()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= until:
                raise
        time.sleep(RETRY_S)
