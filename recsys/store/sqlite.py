"""SQLite in WAL mode: readers never wait, one writer at a time, every commit flushed to disk."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import sqlite

from recsys.store.backends import EVENT_COLUMNS, UPGRADE_S, Backend
from recsys.store.errors import StoreError

READ_ONLY = "recsys_read_only"


class SQLite(Backend):
    """A file on a local disk, shared by the processes of one machine."""

    insert = staticmethod(sqlite.insert)
    latest_events = f"""
        SELECT {EVENT_COLUMNS}
        FROM json_each(:users) AS u CROSS JOIN events AS e
        WHERE e.seq IN (
            SELECT seq FROM events
            WHERE user_id = u.value AND timestamp <= :until ORDER BY timestamp DESC, seq DESC LIMIT :limit
        )
        ORDER BY e.timestamp, e.seq
    """
    matches = "items.seq IN (SELECT rowid FROM items_words WHERE items_words MATCH :words)"

    def engine_options(self) -> dict[str, Any]:
        path = self.url.database
        if not path or path == ":memory:" or path.startswith("file:"):
            raise StoreError("the path of a file after sqlite:///", repr(path or ""), "write sqlite:///data/events.db")
        if not Path(path).absolute().parent.is_dir():
            raise StoreError(f"a folder for {path}", "none", "make the folder, or correct the path")
        # The driver would open transactions by itself, too late and not for every statement.
        return {"connect_args": {"timeout": self.timeout_s, "isolation_level": None}}

    def prepare(self) -> tuple[Engine, Engine]:
        event.listen(self.engine, "connect", _set_up)
        event.listen(self.engine, "begin", _begin)
        reads = self.engine.execution_options(**{READ_ONLY: True})
        return reads, reads

    def limit(self, driver_connection: Any, seconds: float) -> None:
        driver_connection.execute(f"PRAGMA busy_timeout = {max(0, int(seconds * 1000))}")

    def lock_schema(self, connection: Connection) -> None:
        """The transaction itself is the lock: it has begun as a writer."""

    def prepare_database(self) -> None:
        """Switch to WAL mode for good. SQLite does not wait for others here, so this does."""
        until = time.monotonic() + UPGRADE_S
        connection = sqlite3.connect(self.url.database or "", timeout=UPGRADE_S)
        try:
            while True:
                try:
                    connection.execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() > until:
                        raise
                    time.sleep(0.02)
        finally:
            connection.close()

    def order_events(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """As they are: there is one writer at a time, and the database numbers what it inserts."""

    def users_value(self, user_ids: Sequence[str]) -> str:
        return json.dumps(list(user_ids))

    def words_value(self, words: Sequence[str]) -> str:
        return " ".join(f'"{word}"*' for word in words)


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    # FULL: a commit is on disk when it returns, also when the power fails.
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    # A transaction that writes says so at once: one that began as a reader could not wait for its turn.
    if not connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
