"""Whether the machine's clock can be believed: what is removed because the clock was wrong does not come back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from recsys.core.events import SECONDS_PER_DAY

TOLERANCE_S = 3600.0  # that a clock is corrected by while a server runs
LEAST_GAP_S = 30 * SECONDS_PER_DAY  # a shop may close for a while
AHEAD_S = SECONDS_PER_DAY  # clocks of clients differ


class Clock(Protocol):
    """Gives seconds."""

    def __call__(self) -> float: ...


def _steady() -> float:
    """Goes on while the machine sleeps, and is set by nobody."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class BelievedClock:
    """The time of day, as long as nothing speaks against it."""

    def __init__(self, now: Clock = time.time, steady: Clock = _steady) -> None:
        self._now, self._steady = now, steady
        self._started = now() - steady()

    def now(self) -> float:
        """Seconds since 1970, whatever speaks against them."""
        return self._now()

    def moved_s(self) -> float:
        """How far the clock has been set since the start of this process; back, if negative."""
        return self._now() - self._steady() - self._started

    def doubt(self, arrivals: Sequence[float], days: float) -> str | None:
        """Why nothing is to be removed because of what the clock says; None: nothing speaks against it.

        Args:
            arrivals: times of what the store took last, the latest arrival first.
            days: that it is kept.
        """
        moved = self.moved_s()
        if abs(moved) > TOLERANCE_S:
            return f"the clock was set {'ahead' if moved > 0 else 'back'} by {abs(moved) / 3600:.1f} hours"
        gap = widest_gap(arrivals, self._now())
        if gap > max(days * SECONDS_PER_DAY, LEAST_GAP_S):
            return f"nothing arrived for {gap / SECONDS_PER_DAY:.0f} days, unless the clock was set ahead"
        return None


def widest_gap(arrivals: Sequence[float], now: float) -> float:
    """The longest time, in seconds, in which nothing arrived, as far as the times of `arrivals`, latest first, tell.

    The first tenth of them tells where to begin: times of clients may be early ones. Those after `now` tell nothing.
    """
    times = [moment for moment in reversed(arrivals) if moment <= now + AHEAD_S]
    if not times:
        return 0.0
    begin = max(1, len(times) // 10)
    widest, latest = 0.0, max(times[:begin])
    for moment in (*times[begin:], now):
        widest = max(widest, moment - latest)
        latest = max(latest, moment)
    return widest
