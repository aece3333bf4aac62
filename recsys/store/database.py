"""A pool of connections: reads, write transactions, time limits, and one error for every passing failure."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from recsys.store.backends import Backend
from recsys.store.errors import StoreDamaged, StoreError, StoreUnavailable
from recsys.store.sqlite import SQLite

# What SQLite says of a file that is not to be relied upon. Where it cannot write, what it reads may still be right.
DAMAGED = frozenset(
    {
        "SQLITE_CORRUPT",
        "SQLITE_CORRUPT_INDEX",
        "SQLITE_CORRUPT_VTAB",
        "SQLITE_NOTADB",
        "SQLITE_IOERR_READ",
        "SQLITE_IOERR_SHORT_READ",
        "SQLITE_IOERR_CORRUPTFS",
        "SQLITE_READONLY_DBMOVED",
    }
)
_NO_TABLE = re.compile(r"no such (table|column)|relation .* does not exist|column .* does not exist", re.DOTALL)


class Database:
    """The database at a URL. Nothing is connected before the first call, and every call may be the first."""

    def __init__(self, url: str, timeout_s: float, pool_size: int) -> None:
        """Check the URL; raises StoreError where it is wrong."""
        parsed = parse_url(url)
        self.name = _without_secrets(parsed)
        self.timeout_s = timeout_s
        self.backend = _backend(parsed, timeout_s, pool_size)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection on which each statement stands for itself.

        Raises:
            StoreUnavailable: within `timeout_s` or a quarter more of the call.
            StoreError: the schema is not that of this version.
        """
        started = time.monotonic()
        with self._errors(), self.backend.reads.connect() as connection:
            self.limit(connection, started)
            yield connection

    def rows_of(self, statement: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """See `Backend.rows_of`; raises as `read` does."""
        started = time.monotonic()
        with self._errors():
            return self.backend.rows_of(statement, values, started + self.timeout_s)

    @contextmanager
    def stream(self) -> Iterator[Connection]:
        """A connection for one statement of many rows, all as of one moment; call `limit` before each part."""
        with self._errors(), self.backend.streams.connect() as connection:
            self.limit(connection)
            yield connection

    @contextmanager
    def write(self, limit_s: float | None = None) -> Iterator[Connection]:
        """A transaction, committed at the end of the block, or rolled back if it raises; raises as `read` does."""
        started = time.monotonic()
        until = started + (self.timeout_s if limit_s is None else limit_s)
        with self._errors(), self.backend.turn(until), self.backend.engine.connect() as connection:
            self.limit(connection, started, limit_s)
            with connection.begin():
                yield connection
            self.backend.committed(connection)

    def limit(self, connection: Connection, started: float | None = None, limit_s: float | None = None) -> None:
        """Let what follows on a connection end within `limit_s` of `started`, by default within `timeout_s` of now."""
        started = time.monotonic() if started is None else started
        self.backend.limit(connection, started + (self.timeout_s if limit_s is None else limit_s))

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.backend.close()

    def create(self) -> None:
        """Make the database where there is none, if that is the store's to do; raises as `read` does."""
        try:
            self.backend.create()
        except OSError as error:
            raise self._unavailable(str(error)) from None

    def prepare(self) -> None:
        """See `Backend.prepare_database`; raises as `read` does."""
        with self._errors():
            self.backend.prepare_database()

    def abandon(self) -> None:
        """See `Backend.abandon`; raises as `read` does."""
        with self._errors():
            self.backend.abandon()

    def reopen(self, *, verify: bool) -> None:
        """See `Backend.reopen`; raises as `read` does, `StoreDamaged` where what is there is not sound."""
        with self._errors():
            self.backend.reopen(verify=verify)

    def try_out(self) -> None:
        """See `Backend.try_out`; raises as `read` does."""
        with self._errors():
            self.backend.try_out()

    def look(self) -> None:
        """See `Backend.look`."""
        self.backend.look()

    def probe(self) -> None:
        """Write something that changes nothing; raises as `write` does."""
        with self.write() as connection:
            connection.exec_driver_sql(self.backend.probe)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout:
            raise self._unavailable(f"no free connection within {self.timeout_s:g} s") from None
        except DisconnectionError:
            raise self._unavailable("the connection is one to a file that is gone") from None
        except sqlite3.Error as error:
            raise self._failure(error) from error
        except DBAPIError as error:
            unsound = isinstance(error, IntegrityError | ProgrammingError | DataError)
            raise self._failure(error.orig or error, unsound=unsound) from error

    def _failure(self, error: BaseException, *, unsound: bool = False) -> StoreError | StoreUnavailable:
        reason = str(error).strip().partition("\n")[0]
        if getattr(error, "sqlite_errorname", None) in DAMAGED:
            return StoreDamaged(f"a sound file of the store {self.name}", reason, "restore it from a backup")
        if _NO_TABLE.search(reason):
            return StoreError(
                f"the tables of this version in {self.name}", reason, "call Store.upgrade() before anything else"
            )
        if unsound:
            return StoreError(f"sound statements and data in {self.name}", reason, "report this")
        return self._unavailable(reason)

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"an answer of the database {self.name} within {self.timeout_s:g} s",
            reason,
            "try again; check that the database runs, is reachable and has room",
        )


def parse_url(url: str) -> URL:
    """The URL of a store; a text without `://` is the path of an SQLite file.

    Raises:
        StoreError: not a URL, or of a database that the store does not know.
    """
    try:
        parsed = make_url(url) if "://" in url else URL.create("sqlite", database=url)
    except ArgumentError:
        raise _wrong(url.partition("://")[0] + "://...") from None
    kind = parsed.get_backend_name()
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind == "sqlite":
        return parsed.set(drivername="sqlite")
    raise _wrong(_without_secrets(parsed))


def _without_secrets(url: URL) -> str:
    """For messages: passwords may stand among the parameters, too."""
    return url.difference_update_query([name for name in url.query if "pass" in name]).render_as_string()


def _backend(url: URL, timeout_s: float, pool_size: int) -> Backend:
    if url.get_backend_name() == "sqlite":
        return SQLite(url, timeout_s, pool_size)
    try:
        from recsys.store.postgresql import PostgreSQL  # noqa: PLC0415 - its driver takes memory where SQLite serves
    except ImportError as error:
        raise StoreError("the driver of PostgreSQL", str(error), "pip install 'psycopg[binary]'") from None
    return PostgreSQL(url, timeout_s, pool_size)


def _wrong(got: str) -> StoreError:
    return StoreError(
        "the URL of a store", repr(got), "write sqlite:///PATH, postgresql://USER@HOST/DATABASE, or the path of a file"
    )
