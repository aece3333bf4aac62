"""Which file an SQLite store is: what is written to one that is gone or overwritten, nobody finds again.

SQLite itself does not look: in WAL mode it goes on to commit to a file that has been removed, replaced or overwritten
with a copy. So the store looks before it hands out a connection, and again before it acknowledges a commit.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import quote

from recsys.store.errors import StoreDamaged, StoreError
from recsys.store.held_files import HELD, Identity, identity_of

CHECKPOINT_MS = 200  # that others get to end what they do with the log
UNCHECKED, REPLACED = "what has not been found sound yet", "another file in its place"


class Header(NamedTuple):
    """What the first bytes of a file say of it (https://www.sqlite.org/fileformat2.html#the_database_header).

    Attributes:
        format: magic, size of pages, versions; they stay.
        numbers: those that a user may set; they stay.
        changes: a counter, which only grows.
        schema: number of the schema, which only grows.
    """

    format: bytes
    numbers: bytes
    changes: int
    schema: int

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Of the first bytes, or of those that are there."""
        return cls(
            content[:24],
            content[60:64] + content[68:72],
            int.from_bytes(content[24:28], "big"),
            int.from_bytes(content[40:44], "big"),
        )

    def follows(self, before: Header, schema: int) -> bool:
        """Whether SQLite may have made this of the header before; `schema` is the number that it knows itself."""
        return (
            (self.format, self.numbers) == (before.format, before.numbers)
            and self.changes >= before.changes
            and before.schema <= self.schema <= schema
        )


class Opened(NamedTuple):
    """The files of a store as they were when a connection was opened.

    Attributes:
        main: the database.
        log: its write-ahead log.
        shared: what processes that have it open know of the log.
        keeper: a connection to these files, whatever becomes of their names.
    """

    main: Identity
    log: Identity | None
    shared: Identity | None
    keeper: sqlite3.Connection


class StoreFile:
    """The file at a path, and whether it is still the one that was opened there."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        """Nothing is opened before the first `check`."""
        self.path, self._text, self._timeout_s = path, str(path), timeout_s
        self._log, self._shared = path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
        self._opened: Opened | None = None
        self._refused = False
        self._header = Header.parse(b"")
        self._seen: tuple[int, int] | None = None  # size and time of change of the file when it had that header
        self._noting = threading.Lock()

    def connect(self) -> sqlite3.Connection:
        """Connect to the file.

        Raises:
            StoreError: there is none; see `create`.
        """
        try:
            return sqlite3.connect(
                f"file:{quote(str(self.path.absolute()))}?mode=rw",
                uri=True,
                timeout=self._timeout_s,
                isolation_level=None,  # the driver would begin transactions by itself, too late
                check_same_thread=False,
            )
        except sqlite3.OperationalError:
            if self.path.exists():
                raise
            raise StoreError(
                f"a store at {self.path}", "no file", "move one there, or call Store.upgrade() to begin an empty one"
            ) from None

    def connect_again(self) -> sqlite3.Connection:
        """Connect to the file that was opened; to any where none was.

        A file in its place is left alone as long as the log beside it is that of the one before: a connection that
        reads takes it for its own, and at its end writes it into the file.

        Raises:
            StoreDamaged: the file is another one.
            StoreError: there is none.
        """
        connection = self.connect()  # which has not looked for a log yet
        opened = self._opened
        if self._refused or (opened is not None and identity_of(self.path) != opened.main):
            connection.close()
            raise self._lost(UNCHECKED if self._refused else REPLACED)
        return connection

    def create(self) -> None:
        """Make an empty file, for its owner alone, unless there is one; SQLite gives its log the same mode."""
        if self.path.exists():
            return
        with _alone(self.path), suppress(FileExistsError):
            if not self.path.exists():
                for left in (self._log, self._shared):  # by a file that was removed; SQLite would put it into this one
                    left.unlink(missing_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))

    @property
    def opened(self) -> Opened | None:
        """What was opened, to tell a connection to it from others."""
        return self._opened

    def check(self) -> None:
        """Look whether the file is the one that was opened; notes it where none was. One `stat` in most cases.

        Raises:
            StoreDamaged: it has been removed, replaced or overwritten.
        """
        if self._refused:
            raise self._lost(UNCHECKED)
        opened = self._opened
        if opened is None:
            self._note()
            return
        try:
            now = os.stat(self._text)  # noqa: PTH116  # for each connection handed out: half the time
        except OSError as error:
            raise self._lost(f"none: {error.strerror}") from None
        if (now.st_dev, now.st_ino) != opened.main:
            raise self._lost(REPLACED)
        seen = now.st_size, now.st_ctime_ns
        if seen != self._seen:
            if self._overwritten(opened):
                raise self._lost("a file that something else has overwritten")
            self._seen = seen

    def check_log(self) -> None:
        """Look whether the write-ahead log is the one that was opened; raises `StoreDamaged` if not."""
        opened = self._opened
        if opened is not None and self._log_lost(opened):
            raise self._lost("a store whose write-ahead log was removed")

    def refuse(self) -> None:
        """Let every check fail until `accept`: nobody is to open anew what may be damaged."""
        self._refused = True

    def accept(self) -> None:
        """What is there has been found sound."""
        self._refused = False

    def leave(self) -> None:
        """Let go of the files that were opened, whatever has become of them.

        Their log must not be taken for that of a file that has come, or will come, into their place. What it holds goes
        into its own file before, to wherever that has been moved, unless something else has been written there.

        Raises:
            StoreDamaged: another process keeps the log from being emptied; nothing has changed, to be tried again.
        """
        opened = self._opened
        if opened is None:
            return
        now = identity_of(self.path)
        overwritten = now == opened.main and self._overwritten(opened)
        if overwritten or now != opened.main or self._log_lost(opened):
            with _alone(self.path), suppress(FileNotFoundError):
                if not overwritten and not _emptied(opened.keeper):
                    raise self._lost("a log that others still use")
                if overwritten or now != opened.main:
                    self._remove_log(opened)
        self.forget()

    def _log_lost(self, opened: Opened) -> bool:
        return opened.log is not None and identity_of(self._log) != opened.log

    def _remove_log(self, opened: Opened) -> None:
        if opened.log is not None and identity_of(self._log) == opened.log:
            os.truncate(self._log, 0)  # a connection that is open would yet write it somewhere
            self._log.unlink()
        if opened.shared is not None and identity_of(self._shared) == opened.shared:
            self._shared.unlink()

    def forget(self) -> None:
        """Note nothing any more; the next check notes anew."""
        with self._noting:
            opened, self._opened, self._seen = self._opened, None, None
        if opened is not None:
            opened.keeper.close()
            HELD.release(opened.main)

    def _note(self) -> None:
        with self._noting:
            if self._opened is not None:
                return
            keeper = self.connect()
            try:
                if keeper.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                    keeper.close()  # a file that is being made
                    return
                _schema_of(keeper)  # reads the file, and so opens its log
                main = HELD.hold(self.path)
            except (sqlite3.Error, OSError):
                keeper.close()
                raise
            self._header = Header.parse(HELD.header(main))
            self._opened = Opened(main, identity_of(self._log), identity_of(self._shared), keeper)

    def _overwritten(self, opened: Opened) -> bool:
        """Whether something else than SQLite has written the file; a header that SQLite has written is noted."""
        header = Header.parse(HELD.header(opened.main))
        if header == self._header:
            return False
        try:
            follows = header.follows(self._header, _schema_of(opened.keeper))
        except sqlite3.Error:
            return True
        if follows:
            self._header = header
        return not follows

    def _lost(self, got: str) -> StoreDamaged:
        return StoreDamaged(
            f"the file of the store that was opened at {self.path}",
            got,
            "move a sound store of this server to that path (a copy beside it, then mv), or restart the server, which "
            "begins an empty store where there is none",
        )


def _emptied(keeper: sqlite3.Connection) -> bool:
    """Write what the log holds into the file; whether all of it is there."""
    try:
        keeper.execute(f"PRAGMA busy_timeout = {CHECKPOINT_MS}")
        busy, _, _ = keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        return False
    return not busy


def _schema_of(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("PRAGMA schema_version").fetchone()[0]
    return number


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time, of those that use the store at a path."""
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"recsys-store-{os.getuid()}-{name}.lock"
    # Everybody may write that folder: what another has put there under this name is not followed.
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
