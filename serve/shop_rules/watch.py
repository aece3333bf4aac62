"""Looks for changes of the store's rules, so that every worker obeys them soon."""

from __future__ import annotations

import logging
import time

from recsys.core.errors import RecsysError
from recsys.store import StoredTexts
from serve.metrics import Metrics
from serve.settings import Settings
from serve.shop_rules.copy import RulesCopy
from serve.shop_rules.in_force import RulesInForce
from serve.store.link import StoreLink
from serve.store.watch import StoreWatch

logger = logging.getLogger(__name__)


class RulesWatch(StoreWatch):
    """Asks the store for the number of its changes of rules, and reads the rules where that is another."""

    def __init__(self, link: StoreLink, rules: RulesInForce, settings: Settings, metrics: Metrics) -> None:
        """Nothing is read before `start`."""
        super().__init__(link, settings.rules_poll_s, "rules")
        self._rules, self._metrics, self._most = rules, metrics, settings.max_rules
        self._copy = None if settings.rules_copy is None else RulesCopy(settings.rules_copy)
        self._read: int | None = None  # version of the rules last read; None: they must be read anew

    def read(self) -> None:
        kept = self.link.queries.rules
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
        seeded = self.link.store.rules.seed(bodies, who=who, timestamp=time.time(), most=self._most)
        if seeded:
            logger.info("The store's first %d rules are those of %s", len(bodies), who)
        return seeded

    def failed(self, error: RecsysError) -> None:
        self._metrics.rules_refresh_failed()
        self._metrics.rules_stale.set(1)
        if self._rules.state == "live":
            self._rules.state = "stale"
            logger.warning("The rules that were last read stay in force. %s", error)
        elif not self.looked:
            self._start_without(error)
        self._read = None  # what comes back may be an older state of the store, under the same number

    def _start_without(self, error: RecsysError) -> None:
        """The store does not answer at the start: go by the copy, if there is one."""
        copied: StoredTexts | None = None if self._copy is None else self._copy.read()
        if copied is None:
            logger.error("The rules of the store are not known, and lists go without them. %s", error)
            return
        self._rules.take(copied)
        self._rules.state = "stale"
        logger.warning("The rules in force are those of the copy, until the store answers. %s", error)
