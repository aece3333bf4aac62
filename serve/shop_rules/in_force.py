"""The shop's rules that are in force, made ready for the bundle that is served."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from typing import Literal
from weakref import WeakKeyDictionary

from recsys.pipeline.allow import PURCHASES
from recsys.pipeline.policy import Policy
from recsys.rules.buy_again import BUY_AGAIN, BuyAgain
from recsys.rules.policy import BoundRules, CompiledRules
from recsys.store import StoredTexts
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options
from serve.metrics import Metrics
from serve.shop_rules.kept_rules import GivenRules, ShopRules

logger = logging.getLogger(__name__)

RulesState = Literal["live", "stale", "unread", "given"]
"""live: the store's, as it was asked last; stale: the last ones known of a store that does not answer; unread: it has
not answered yet, and nothing is known of its rules; given: those of the settings, where there is no store."""


@dataclass(frozen=True)
class _InForce:
    """A rule set, and what became of it for each bundle that is still in use."""

    rules: ShopRules
    compiled: WeakKeyDictionary[LoadedBundle, CompiledRules] = field(default_factory=WeakKeyDictionary)


class RulesInForce:
    """Which rules lists obey at the moment. For any number of threads.

    Attributes:
        given: by the settings.
        state: whether they are those of the store.
    """

    def __init__(self, given: GivenRules, metrics: Metrics, *, stored: bool) -> None:
        """Those of the settings are in force at first; `stored`: there is a store, which has others."""
        self.given, self._metrics = given, metrics
        self.state: RulesState = "unread" if stored else "given"
        self._now = _InForce(given.alone())
        self._none: WeakKeyDictionary[LoadedBundle, CompiledRules] = WeakKeyDictionary()
        self._making = threading.Lock()
        self._told: WeakKeyDictionary[LoadedBundle, dict[str, str]] = WeakKeyDictionary()  # faults of its last rules

    @property
    def rules(self) -> ShopRules:
        """All rules, those included that are off."""
        return self._now.rules

    def of(self, loaded: LoadedBundle) -> CompiledRules:
        """The rules as a bundle can follow them; made ready where they, or the bundle, are new."""
        return self.versioned(loaded)[0]

    def versioned(self, loaded: LoadedBundle) -> tuple[CompiledRules, int]:
        """The same, and the number of changes of the store's rules that they are of."""
        now = self._now
        ready = now.compiled.get(loaded)
        return self._made(now, loaded) if ready is None else ready, now.rules.version

    def of_list(self, loaded: LoadedBundle, *, ruled: bool) -> CompiledRules:
        """The rules that a list obeys: those of `of`, or none."""
        return self.of(loaded) if ruled else self._without_any(loaded)

    def _without_any(self, loaded: LoadedBundle) -> CompiledRules:
        ready = self._none.get(loaded)
        if ready is None:
            ready = self._none.setdefault(loaded, CompiledRules.compile((), loaded.rule_base))
        return ready

    def take(self, stored: StoredTexts) -> None:
        """Let the rules of the store be in force from now on; lists go by those of before until they are ready."""
        coming = _InForce(self.given.with_stored(stored))
        if coming.rules == self.rules:
            return
        for loaded in [reference() for reference in self._now.compiled.keyrefs()]:
            if loaded is not None:
                self._made(coming, loaded)
        self._now = coming
        self._metrics.rules_version.set(stored.version)
        logger.info("The shop's rules are %d, version %d of the store's", len(coming.rules.rules), stored.version)

    def _made(self, state: _InForce, loaded: LoadedBundle) -> CompiledRules:
        with self._making:
            ready = state.compiled.get(loaded)
            if ready is None:
                ready = CompiledRules.compile(state.rules.readable, loaded.rule_base)
                state.compiled[loaded] = ready
                self._tell(state.rules, ready, loaded)
        return ready

    def _tell(self, rules: ShopRules, ready: CompiledRules, loaded: LoadedBundle) -> None:
        """Say in metrics what the bundle cannot follow, and in the log what of it is new since the rules of before."""
        faults = {kept.id: str(kept.fault) for kept in rules.rules if kept.rule is None}
        faults |= {name: str(fault) for name, fault in ready.faults.items()}
        before, self._told[loaded.base] = self._told.get(loaded.base, {}), faults
        self._metrics.rules_in_force.set(len(ready.rules))
        self._metrics.rule_faults.set(max(map(len, self._told.values())))  # of the bundles in use
        for name, fault in sorted(faults.items() - before.items()):
            logger.warning("Rule %s is off for %s, version %s. %s", name, loaded.info.name, loaded.info.version, fault)


def reads_purchases(rules: CompiledRules, options: Options) -> bool:
    """Whether lists that are asked for so depend on what was bought, see `Queries.bought`."""
    return options.exclude_seen == PURCHASES or options.scenario == BUY_AGAIN or rules.reads_purchases


def as_read(rules: CompiledRules, options: Options) -> Options:
    """The options without what no rule reads of the context: requests that differ in nothing else are made together."""
    if not options.context:
        return options
    return replace(options, context=tuple([given for given in options.context if given.name in rules.context_read]))


def bound_for(rules: CompiledRules, options: Options) -> BoundRules | None:
    """The rules for lists that are asked for so; None: there are none."""
    return rules.bound(options.scenario, options.context_values)


def policy_of(rules: CompiledRules, options: Options, bound: BoundRules | None) -> Policy | None:
    """What the shop wants of lists that are asked for so, by `bound_for`; None: nothing."""
    return BuyAgain.of(rules.base, bound) if options.scenario == BUY_AGAIN else bound
