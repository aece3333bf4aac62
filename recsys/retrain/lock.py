"""One retraining at a time for a bundle's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.core.errors import RecsysError
from recsys.core.process_lock import locked

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
    with locked(home / LOCK_FILE, lambda process: _under_way(home, process)):
        yield


def _under_way(home: Path, process: str) -> UnderWayError:
    return UnderWayError(
        f"no other retraining of {home}",
        f"process {process} at it",
        "wait for it; a scheduler may take this exit code for success",
    )
