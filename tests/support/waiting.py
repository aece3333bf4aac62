"""Waiting for what happens in another thread or process."""

import time
from collections.abc import Callable

TIMEOUT_S = 60.0


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
