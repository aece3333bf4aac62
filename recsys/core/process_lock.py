"""One process at a time: a lock on a file, which names who holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.core.errors import RecsysError


@contextmanager
def locked(file: Path, refused: Callable[[str], RecsysError]) -> Iterator[None]:
    """Hold the lock of a file; it goes with the process, however that ends.

    Args:
        file: that is made where there is none, in a folder that is there.
        refused: the error to be raised where another process holds it, whose number is given to it.

    Raises:
        RecsysError: what `refused` gives.
    """
    with file.open("a+", encoding="utf8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise refused(lock.read().strip() or "?") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
