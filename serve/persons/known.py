"""The tombstones and aliases that a worker goes by at the moment."""

from __future__ import annotations

from typing import Literal

from recsys.core.persons import Persons
from serve.metrics import Metrics

PersonsState = Literal["live", "stale", "unread", "off"]
"""live: the store's, as it was asked last; stale: the last ones known of a store that does not answer; unread: it has
not answered yet, and nothing is known of them; off: there is no store."""


class KnownPersons:
    """Which tombstones and aliases there are. For any number of threads.

    Attributes:
        now: all of them; other ones are another object.
        state: whether they are those of the store.
    """

    def __init__(self, metrics: Metrics, *, stored: bool) -> None:
        """None at first; `stored`: there is a store, which has some."""
        self.now = Persons()
        self.state: PersonsState = "unread" if stored else "off"
        self._metrics = metrics

    def take(self, persons: Persons) -> None:
        """Go by these from now on."""
        self.now, self.state = persons, "live"
        self._metrics.persons_stale.set(0)

    def lost(self) -> None:
        """The store does not answer: go by the last ones."""
        if self.state == "live":
            self.state = "stale"
        self._metrics.persons_stale.set(1)
