"""Looks for changes of experiments, so that every worker gives users the same variants soon."""

from __future__ import annotations

import logging

from recsys.core.errors import RecsysError
from recsys.store import StoredExperiments
from serve.settings import Settings
from serve.store.link import StoreLink
from serve.store.watch import StoreWatch
from serve.variants.in_force import ExperimentsInForce

logger = logging.getLogger(__name__)


class ExperimentsWatch(StoreWatch):
    """Asks the store for the number of its changes of experiments and units, and reads what has changed.

    There is no copy of them on this machine: who starts while the store is down makes lists without experiments, and
    could log none of them either.
    """

    def __init__(self, link: StoreLink, experiments: ExperimentsInForce, settings: Settings) -> None:
        """Nothing is read before `start`."""
        super().__init__(link, settings.experiments_poll_s, "experiments")
        self._experiments = experiments
        self._known = StoredExperiments()

    def read(self) -> None:
        self._known = self.link.queries.experiments.follow(self._known)
        self._experiments.take(self._known)

    def failed(self, error: RecsysError) -> None:
        if self._experiments.state == "live":
            logger.warning("The experiments that were last read go on. %s", error)
        elif not self.looked:
            logger.error("The experiments of the store are not known, and lists go without them. %s", error)
        self._experiments.lost()
        self._known = StoredExperiments()  # what comes back may be an older state of the store, under the same number
