"""A look at the store, time and again, so that every worker follows what was changed through another."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

from recsys.core.errors import RecsysError
from serve.store.link import StoreLink

logger = logging.getLogger(__name__)

FIRST_LOOK_S = 5.0  # as long as /ready waits for a store


class StoreWatch(ABC):
    """A thread that looks; where the store does not answer, what was last read holds.

    Attributes:
        link: to the store.
    """

    def __init__(self, link: StoreLink, poll_s: float, name: str) -> None:
        """Nothing is read before `start`; `poll_s`: seconds between looks; `name`: what is looked at."""
        self.link, self._poll_s, self._name = link, poll_s, name
        self._looking = threading.Lock()
        self._looked, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until the store has been asked once, but not for long: a first list is to know what it says."""
        self._looked.wait(FIRST_LOOK_S)

    @property
    def looked(self) -> bool:
        """Whether the store has been asked once, and has answered or not."""
        return self._looked.is_set()

    def look(self) -> None:
        """Look now; what the store says holds when this returns."""
        with self._looking:
            try:
                self.read()
            except RecsysError as error:
                self.failed(error)

    @abstractmethod
    def read(self) -> None:
        """Follow what the store says."""

    @abstractmethod
    def failed(self, error: RecsysError) -> None:
        """Go by what was last read, or by a copy."""

    def _watch(self) -> None:
        self.link.wait()
        while not self._closing.is_set():
            try:
                self.look()
            except Exception:
                logger.exception("The look at the %s failed; there will be others", self._name)
            self._looked.set()
            self._closing.wait(self._poll_s)
