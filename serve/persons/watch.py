"""Looks for persons who were forgotten, and for ids that became one person's, so that every worker knows soon."""

from __future__ import annotations

import logging
import threading

from recsys.core.errors import RecsysError
from serve.persons.copy import TombstonesCopy
from serve.persons.known import KnownPersons
from serve.settings import Settings
from serve.store.link import StoreLink

logger = logging.getLogger(__name__)

FIRST_LOOK_S = 5.0  # as long as /ready waits for a store


class PersonsWatch:
    """A thread that asks the store for the number of its changes, and reads what has changed.

    Where the store does not answer, what was last read holds.
    """

    def __init__(self, link: StoreLink, persons: KnownPersons, settings: Settings) -> None:
        """Nothing is read before `start`."""
        self._link, self._persons, self._poll_s = link, persons, settings.users_poll_s
        self._copy = None if settings.tombstones_copy is None else TombstonesCopy(settings.tombstones_copy)
        self._looking = threading.Lock()
        self._looked, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="persons", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until the store has been asked once, but not for long: a first list is not to show a forgotten past."""
        self._looked.wait(FIRST_LOOK_S)

    def look(self) -> None:
        """Look now; what the store says holds when this returns."""
        with self._looking:
            try:
                self._persons.take(self._link.queries.live_users.follow(self._persons.now))
            except RecsysError as error:
                self._failed(error)
            else:
                if self._copy is not None:
                    self._copy.write(self._persons.now)

    def _failed(self, error: RecsysError) -> None:
        if self._persons.state == "live":
            logger.warning("Who is forgotten is known as of the last look alone. %s", error)
        elif not self._looked.is_set():
            self._start_without(error)
        self._persons.lost()

    def _start_without(self, error: RecsysError) -> None:
        """The store does not answer at the start: go by the copy, if there is one."""
        copied = None if self._copy is None else self._copy.read()
        if copied is None:
            logger.error("Who is forgotten is not known until the store answers. %s", error)
            return
        self._persons.take(copied)
        logger.warning("Who is forgotten is known by the copy alone, until the store answers. %s", error)

    def _watch(self) -> None:
        self._link.wait()
        while not self._closing.is_set():
            try:
                self.look()
            except Exception:
                logger.exception("The look at forgotten persons failed; there will be others")
            self._looked.set()
            self._closing.wait(self._poll_s)
