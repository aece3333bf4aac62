"""How far the loading of a bundle is, for people who wait for it."""

from __future__ import annotations

import time

WORTH_SAYING_S = 1.0
REFUSED = "no bundle can be served; the server's log says why"


class Progress:
    """What is being done, and for how long."""

    def __init__(self, step: str) -> None:
        self._step, self._since = step, time.monotonic()

    def begin(self, step: str) -> None:
        """A step begins."""
        self._step, self._since = step, time.monotonic()

    def stands_at(self, reason: str) -> None:
        """Nothing goes on, for this reason."""
        self._step, self._since = reason, float("inf")

    @property
    def in_general(self) -> str:
        """The same for strangers: a reason may name folders."""
        return REFUSED if self._since == float("inf") else str(self)

    def __str__(self) -> str:
        seconds = time.monotonic() - self._since
        return self._step if seconds < WORTH_SAYING_S else f"{self._step}: {seconds:.0f} s so far"
