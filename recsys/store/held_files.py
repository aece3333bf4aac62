"""Files of a store that this process holds open, told apart by device and inode."""

from __future__ import annotations

import os
import threading
from pathlib import Path

HEADER_BYTES = 100

Identity = tuple[int, int]  # of a file: its device and inode


def identity_of(path: Path) -> Identity | None:
    """The identity of the file at a path; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class HeldFiles:
    """Descriptors of files with connections: to close one would release SQLite's locks on that file in this process."""

    def __init__(self) -> None:
        self._descriptors: dict[Identity, tuple[int, int]] = {}  # with how many need it
        self._lock = threading.Lock()

    def hold(self, path: Path) -> Identity:
        """Open a file to read its header, unless it is open."""
        with self._lock:
            now = path.stat()
            identity = now.st_dev, now.st_ino
            descriptor, holders = self._descriptors.get(identity, (-1, 0))
            if not holders:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._descriptors[identity] = descriptor, holders + 1
            return identity

    def release(self, identity: Identity) -> None:
        """Close a file that nobody needs any longer."""
        with self._lock:
            descriptor, holders = self._descriptors.pop(identity)
            if holders > 1:
                self._descriptors[identity] = descriptor, holders - 1
            else:
                os.close(descriptor)

    def header(self, identity: Identity) -> bytes:
        """The first bytes of a file that is held; fewer of a shorter one."""
        with self._lock:
            held = self._descriptors.get(identity)
            return b"" if held is None else os.pread(held[0], HEADER_BYTES, 0)


HELD = HeldFiles()
