"""One retraining at a time for a bundle's name."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.core.errors import RecsysError

LOCK_FILE = ".retrain.lock"
UNDER_WAY = 11


class UnderWayError(RecsysError):
    """Another process retrains this bundle."""

    exit_code = UNDER_WAY


@contextmanager
def one_at_a_time(home: Path) -> Iterator[None]:
    """Hold the lock of a bundle's folder; it goes with the process, however that ends.

    Raises:
        UnderWayError: another process holds it.
    """
    with (home / LOCK_FILE).open("a+", encoding="utf8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UnderWayError(
                f"no other retraining of {home}",
                f"process {file.read().strip() or '?'} at it",
                "wait for it; a scheduler may take this exit code for success",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
