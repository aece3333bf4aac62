"""SIGHUP while a process starts: its handler comes with the app, and without one the signal would end the process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

HANGUP = {signal.SIGHUP}


def hold_hangups() -> None:
    """Let SIGHUP wait until `take_hangups`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANGUP)


def take_hangups() -> None:
    """A handler is there; it gets what has come meanwhile."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANGUP)


@contextmanager
def hangups_held() -> Iterator[None]:
    """Let SIGHUP wait in this block, and in a process started there until it takes them itself."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANGUP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
