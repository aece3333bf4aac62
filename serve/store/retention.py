"""Removes what the store need not keep any longer, little by little, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from recsys.core.errors import RecsysError
from recsys.core.events import SECONDS_PER_DAY
from recsys.store import Store
from serve.metrics import Metrics
from serve.settings import Settings
from serve.store.clock import AHEAD_S, TOLERANCE_S, BelievedClock

logger = logging.getLogger(__name__)

FIRST_S, INTERVAL_S = 30.0, 600.0  # after the start; between one look and the next
ROWS, PAUSE_S = 500, 0.2  # of a transaction; between two of them, for others to write
ARRIVALS = 1000  # latest rows whose times are compared with the clock


class Kind(NamedTuple):
    """What is kept for a time.

    Attributes:
        name: of many of it.
        days: that it is kept; 0: for ever.
        latest: times of what the store took last.
        forget: removes what is of before a time; see `Store.forget_events`.
    """

    name: str
    days: float
    latest: Callable[[int], Sequence[float]]
    forget: Callable[..., int]


class Retention:
    """Keeps served lists, blurbs, list events and events for the days of the settings; workers may all do so at once.

    Nothing is removed while the clock is not to be believed.
    """

    def __init__(self, store: Store, settings: Settings, metrics: Metrics, clock: BelievedClock | None = None) -> None:
        kinds = (
            Kind("served lists", settings.served_days, store.latest_served, store.forget_served),
            Kind("blurbs", settings.blurb_days, store.latest_blurbs, store.forget_blurbs),
            Kind("vectors of texts", settings.text_vector_days, store.latest_text_vectors, store.text_vectors.forget),
            Kind("list events", settings.list_events_days, store.latest_list_events, store.forget_list_events),
            Kind("events", settings.events_days, store.latest_events, store.forget_events),
        )
        self._kinds = [kind for kind in kinds if kind.days]
        self._metrics, self._clock = metrics, clock or BelievedClock()
        self._doubts: dict[str, str] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, where anything is to be removed."""
        if self._kinds:
            self._thread.start()

    def close(self) -> None:
        """End the thread after the transaction under way."""
        self._closing.set()
        if self._kinds:
            self._thread.join()

    def _keep(self) -> None:
        wait = FIRST_S
        while not self._closing.wait(wait):
            self.look()
            wait = INTERVAL_S

    def look(self) -> None:
        """Remove what may go now."""
        for kind in self._kinds:
            try:
                self._look_at(kind)
            except RecsysError as error:  # the next look will find them
                logger.debug("Old %s stay. %s", kind.name, error)
        self._metrics.retention_held.set(bool(self._doubts))

    def _look_at(self, kind: Kind) -> None:
        doubt = self._clock.doubt(kind.latest(ARRIVALS), kind.days)
        before = self._doubts.pop(kind.name, None)
        if doubt is None:
            self._remove(kind)
            return
        self._doubts[kind.name] = doubt
        if before is None:
            logger.warning("No %s are removed: %s. Set the clock right, and restart the server", kind.name, doubt)

    def _remove(self, kind: Kind) -> None:
        now = self._clock.now()
        removed, last = 0, ROWS
        try:
            while last == ROWS and not self._closing.is_set() and abs(self._clock.moved_s()) <= TOLERANCE_S:
                last = kind.forget(now - kind.days * SECONDS_PER_DAY, ROWS, until=now + AHEAD_S)
                removed += last
                self._closing.wait(PAUSE_S)
        finally:
            if removed:
                logger.info("Removed %d %s of more than %g days ago", removed, kind.name, kind.days)
