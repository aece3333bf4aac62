"""Looks for persons who were forgotten, and for ids that became one person's, so that every worker knows soon."""

from __future__ import annotations

import logging

from recsys.core.errors import RecsysError
from serve.persons.copy import TombstonesCopy
from serve.persons.known import KnownPersons
from serve.settings import Settings
from serve.store.link import StoreLink
from serve.store.watch import StoreWatch

logger = logging.getLogger(__name__)


class PersonsWatch(StoreWatch):
    """Asks the store for the number of its changes of persons, and reads what has changed."""

    def __init__(self, link: StoreLink, persons: KnownPersons, settings: Settings) -> None:
        """Nothing is read before `start`."""
        super().__init__(link, settings.users_poll_s, "persons")
        self._persons = persons
        self._copy = None if settings.tombstones_copy is None else TombstonesCopy(settings.tombstones_copy)

    def read(self) -> None:
        self._persons.take(self.link.queries.live_users.follow(self._persons.now))
        if self._copy is not None:
            self._copy.write(self._persons.now)

    def failed(self, error: RecsysError) -> None:
        if self._persons.state == "live":
            logger.warning("Who is forgotten is known as of the last look alone. %s", error)
        elif not self.looked:
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
