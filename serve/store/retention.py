"""Removes what the store need not keep any longer, little by little, on a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from recsys.core.errors import RecsysError
from recsys.store import Store
from serve.settings import Settings

logger = logging.getLogger(__name__)

FIRST_S, INTERVAL_S = 30.0, 600.0  # after the start; between one look and the next
ROWS, PAUSE_S = 500, 0.2  # of a transaction; between two of them, for others to write
DAY_S = 86_400.0


class Retention:
    """Keeps served lists and events for the days of the settings; workers may all do so at once."""

    def __init__(self, store: Store, settings: Settings) -> None:
        kinds: list[tuple[str, float, Callable[[float, int], int]]] = [
            ("served lists", settings.served_days, store.forget_served),
            ("events", settings.events_days, store.forget_events),
        ]
        self._kinds = [kind for kind in kinds if kind[1]]
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
            for name, days, forget in self._kinds:
                self._remove(name, days, forget)
            wait = INTERVAL_S

    def _remove(self, name: str, days: float, forget: Callable[[float, int], int]) -> None:
        before, removed, last = time.time() - days * DAY_S, 0, ROWS
        try:
            while last == ROWS and not self._closing.is_set():
                last = forget(before, ROWS)
                removed += last
                self._closing.wait(PAUSE_S)
        except RecsysError as error:  # the next look will find them
            logger.debug("Old %s stay. %s", name, error)
        if removed:
            logger.info("Removed %d %s of more than %g days ago", removed, name, days)
