"""Looks for changes of the store's rules, so that every worker obeys them soon."""

from __future__ import annotations

import logging
import threading
import time

from recsys.core.errors import RecsysError
from recsys.store import StoredRules
from serve.metrics import Metrics
from serve.settings import Settings
from serve.shop_rules.copy import RulesCopy
from serve.shop_rules.in_force import RulesInForce
from serve.store.link import StoreLink

logger = logging.getLogger(__name__)

FIRST_LOOK_S = 5.0  # as long as /ready waits for a store


class RulesWatch:
    """A thread that asks the store for the number of its changes of rules, and reads the rules where that is another.

    Where the store does not answer, the rules that were last read stay in force.
    """

    def __init__(self, link: StoreLink, rules: RulesInForce, settings: Settings, metrics: Metrics) -> None:
        """Nothing is read before `start`."""
        self._link, self._rules, self._metrics = link, rules, metrics
        self._poll_s, self._most = settings.rules_poll_s, settings.max_rules
        self._copy = None if settings.rules_copy is None else RulesCopy(settings.rules_copy)
        self._read: int | None = None  # version of the rules last read; None: they must be read anew
        self._looking = threading.Lock()
        self._looked, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rules", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until the store has been asked once, but not for long: a first list is not to ignore a rule."""
        self._looked.wait(FIRST_LOOK_S)

    def look(self) -> None:
        """Look now; what the store says holds when this returns."""
        with self._looking:
            try:
                self._look()
            except RecsysError as error:
                self._failed(error)

    def _look(self) -> None:
        kept = self._link.queries.rules
        if kept.version() != self._read:
            stored = kept.read()
            if not stored.version and self._seed():
                stored = kept.read()
            self._rules.take(stored)
            self._read = stored.version
            if self._copy is not None:
                self._copy.write(stored)
        if self._rules.state != "live":
            self._rules.state = "live"
            self._metrics.rules_stale.set(0)

    def _seed(self) -> bool:
        """Give a store that never held a rule the first ones."""
        given = self._rules.given
        bodies = {kept.id: kept.body for kept in given.first if kept.rule is not None}
        if not bodies:
            return False
        who = f"the file {given.file}"
        seeded = self._link.store.rules.seed(bodies, who=who, timestamp=time.time(), most=self._most)
        if seeded:
            logger.info("The store's first %d rules are those of %s", len(bodies), who)
        return seeded

    def _failed(self, error: RecsysError) -> None:
        self._metrics.rules_refresh_failed()
        self._metrics.rules_stale.set(1)
        if self._rules.state == "live":
            self._rules.state = "stale"
            logger.warning("The rules that were last read stay in force. %s", error)
        elif not self._looked.is_set():
            self._start_without(error)
        self._read = None  # what comes back may be an older state of the store, under the same number

    def _start_without(self, error: RecsysError) -> None:
        """The store does not answer at the start: go by the copy, if there is one."""
        copied: StoredRules | None = None if self._copy is None else self._copy.read()
        if copied is None:
            logger.error("The rules of the store are not known, and lists go without them. %s", error)
            return
        self._rules.take(copied)
        self._rules.state = "stale"
        logger.warning("The rules in force are those of the copy, until the store answers. %s", error)

    def _watch(self) -> None:
        self._link.wait()
        while not self._closing.is_set():
            try:
                self.look()
            except Exception:
                logger.exception("The look at the rules failed; there will be others")
            self._looked.set()
            self._closing.wait(self._poll_s)
