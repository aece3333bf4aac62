"""Waiting for what happens in another thread or process."""

import time
from collections.abc import Callable

TIMEOUT_S = 60.0
START_TIMEOUT_S = 300.0  # of a server: the first one of a checkout compiles loops, on a machine that may be busy


def eventually(condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
