"""The experiments that a worker goes by at the moment."""

from __future__ import annotations

import logging
from typing import Literal

from recsys.store import StoredExperiments
from serve.metrics import Metrics
from serve.variants.running import Running

logger = logging.getLogger(__name__)

ExperimentsState = Literal["live", "stale", "unread", "off"]
"""live: the store's, as it was asked last; stale: the last ones known of a store that does not answer; unread: it has
not answered yet, and none is known; off: there is no store, and so there are none."""


class ExperimentsInForce:
    """Which experiments lists are made for. For any number of threads.

    Attributes:
        now: all of them; other ones are another object.
        state: whether they are those of the store.
    """

    def __init__(self, metrics: Metrics, *, stored: bool) -> None:
        """None at first; `stored`: there is a store, which may have some."""
        self.now = Running()
        self.state: ExperimentsState = "unread" if stored else "off"
        self._metrics = metrics

    def take(self, stored: StoredExperiments) -> None:
        """Go by these from now on."""
        if self.state == "unread" or stored.version != self.now.version:
            before, self.now = self.now, Running.of(stored)
            self._metrics.experiments_known(len(self.now.experiments), stored.version)
            self._tell(before)
        self.state = "live"
        self._metrics.experiments_stale.set(0)

    def lost(self) -> None:
        """The store does not answer: go by the last ones."""
        if self.state == "live":
            self.state = "stale"
        self._metrics.experiments_stale.set(1)

    def _tell(self, before: Running) -> None:
        """Say in the log what runs from now on, and what cannot be read."""
        running, known = self.now.experiments, before.experiments
        if running != known:
            names = ", ".join(f"{one.key} (version {one.version})" for one in running)
            logger.info("Experiments that are running: %s", names or "none")
        faults = {one.key: one.fault for one in before.kept}
        for one in self.now.kept:
            if one.fault is not None and one.fault != faults.get(one.key):
                logger.warning("Experiment %s does not run, since it cannot be read. %s", one.key, one.fault)
