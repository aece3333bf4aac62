"""Locks on folders: who writes a version, who reads one. They vanish with the process that holds them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.bundle.layout import LOCK_FILE


class FolderLock:
    """A lock on a folder itself (`flock` on its descriptor), held until `close` or the object's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def shared(cls, folder: Path) -> FolderLock:
        """Lock for reading, beside other readers; waits for a writer.

        Raises:
            FileNotFoundError: no such folder.
        """
        return cls._lock(folder, fcntl.LOCK_SH)

    @classmethod
    def exclusive(cls, folder: Path) -> FolderLock | None:
        """Lock for removing; None while anyone else holds a lock, or where the file system cannot tell."""
        try:
            return cls._lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held: BlockingIOError; NFS refuses exclusive locks on folders with EBADF
            return None

    @classmethod
    def _lock(cls, folder: Path, operation: int) -> FolderLock:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, operation)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def close(self) -> None:
        """Release; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.close()


@contextmanager
def name_lock(parent: Path) -> Iterator[None]:
    """Hold the one lock under which versions of a name appear, become current and are removed."""
    with (parent / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
