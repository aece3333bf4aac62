"""A SQLite file that is read by many threads and written by nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue
from typing import Any

from recsys.core.errors import DamagedBundleError

Row = tuple[Any, ...]

_CONNECTIONS = 4  # a query takes some microseconds: more threads than that wait for their turn
_CACHED_KB = 4096  # of pages at most, by each: the kernel has all of them in memory, for all processes together


class ReadOnlySqlite:
    """Connections that are open from the start, so that the file may be removed while it is read.

    It is not mapped into memory: where somebody cuts it off, a query fails, and the process goes on.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            sqlite3.Error: it cannot be opened.
        """
        self.path = path
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        for _ in range(_CONNECTIONS):
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            connection.executescript(f"PRAGMA cache_size = -{_CACHED_KB}; PRAGMA mmap_size = 0")
            self._idle.put(connection)

    def rows(self, statement: str, *parameters: object) -> list[Row]:
        """All rows that a statement gives.

        Raises:
            DamagedBundleError: the file is no longer what it was.
        """
        connection = self._idle.get()
        try:
            return connection.execute(statement, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        finally:
            self._idle.put(connection)

    @contextmanager
    def cursor(self, statement: str, *parameters: object) -> Iterator[sqlite3.Cursor]:
        """The rows that a statement gives, one after the other; errors as of `rows`."""
        connection = self._idle.get()
        try:
            yield connection.execute(statement, parameters)
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        finally:
            self._idle.put(connection)

    def _damaged(self, error: sqlite3.DatabaseError) -> DamagedBundleError:
        return DamagedBundleError(f"a readable {self.path}", str(error), "export the bundle again")
