"""A cache on disk of what an encoder computed for each text, safe against kills and other processes."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from recsys.core.errors import TrainingError

PAGE_BYTES = 16384  # values are kilobytes long: large pages keep each in one piece
LOCK_WAIT_S = 60.0
_KEYS_A_QUERY = 500


def text_key(text: str) -> bytes:
    """Key of a text: its SHA-256."""
    return hashlib.sha256(text.encode("utf8", "surrogatepass")).digest()


class TextCache:
    """Values (bytes) by key in one SQLite file.

    A write is a transaction: after a kill the file holds whole batches, and processes that write at once take turns.
    A key has the same value whichever process writes it, so the first one stays.

    Raises:
        TrainingError: the file cannot be opened, read or written (from every method).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # TensorFlow reads from its own threads
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=LOCK_WAIT_S, check_same_thread=False)
            self._connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._connection:
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
                )

    def missing(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return those of `keys` that have no value."""
        return set(keys) - {key for key, _ in self._select("key, NULL", keys)}

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of those of `keys` that have one."""
        return dict(self._select("key, value", keys))

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep `values`, all or none."""
        with self._lock, self._errors(), self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", values.items())

    def close(self) -> None:
        self._connection.close()

    def _select(self, columns: str, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            query = f"SELECT {columns} FROM vectors WHERE key IN ({marks})"
            with self._lock, self._errors():
                rows = self._connection.execute(query, some).fetchall()
            yield from rows

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise TrainingError(
                f"a text cache that can be read and written at {self.path}",
                str(error),
                "check free space and rights, set text.cache_dir to another folder, or delete the file (a cache)",
            ) from None
