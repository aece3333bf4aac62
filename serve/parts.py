"""What every subject of the API uses: the bundle served, the store, users' histories, metrics and settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Self

from recsys.histories.reading import StoreState
from serve.buckets import Buckets
from serve.bundles.held import HeldBundles
from serve.bundles.loaded import LoadedBundle
from serve.bundles.swap import Bundles
from serve.histories.user_histories import UserHistories
from serve.key_watch import KeysState, KeyWatch
from serve.languages import Languages
from serve.live_items.in_force import LiveItemsInForce
from serve.live_items.watch import LiveItemsWatch
from serve.metrics import Metrics
from serve.persons.known import KnownPersons
from serve.persons.watch import PersonsWatch
from serve.settings import Settings
from serve.shared import Shared
from serve.shop_rules.in_force import RulesInForce
from serve.shop_rules.kept_rules import GivenRules
from serve.shop_rules.watch import RulesWatch
from serve.store.link import StoreLink, open_link
from serve.store.watch import StoreWatch
from serve.variants.in_force import ExperimentsInForce
from serve.variants.watch import ExperimentsWatch


@dataclass(frozen=True)
class Parts:
    """The parts that several subjects share.

    Attributes:
        settings: of the server.
        metrics: what it counts.
        keys: of those who may ask; None: everyone may.
        link: to the store; None: there is none.
        bundles: which bundle is served.
        held: other versions of it, which variants of lists are made from.
        histories: of users, as the bundle and the store know them together.
        languages: that explanations are told in.
        rules: of the shop, that lists obey.
        rules_watch: keeps them up to date with the store; None: there is none.
        persons: who is forgotten, and which ids are one person's.
        persons_watch: keeps that up to date with the store; None: there is none.
        live_items: that answers know of.
        live_items_watch: keeps them up to date with the store; None: there is none.
        experiments: that lists are made for.
        experiments_watch: keeps them up to date with the store; None: there is none.
        budget: calls of the language model that are left, of all workers; None: there is none.
        started: seconds since 1970.
    """

    settings: Settings
    metrics: Metrics
    keys: KeyWatch | None
    link: StoreLink | None
    bundles: Bundles
    held: HeldBundles
    histories: UserHistories
    languages: Languages
    rules: RulesInForce
    rules_watch: RulesWatch | None
    persons: KnownPersons
    persons_watch: PersonsWatch | None
    live_items: LiveItemsInForce
    live_items_watch: LiveItemsWatch | None
    experiments: ExperimentsInForce
    experiments_watch: ExperimentsWatch | None
    budget: Buckets | None = None
    started: float = field(default_factory=time)

    @classmethod
    def compose(
        cls,
        settings: Settings,
        shared: Shared,
        warm_up: Callable[[LoadedBundle], None],
        on_change: Callable[[LoadedBundle], None],
        on_overlay: Callable[[LoadedBundle], None],
    ) -> Self:
        """Compose the parts; nothing runs yet.

        `warm_up` and `on_change` as `Bundles` takes them, `on_overlay` as `LiveItemsInForce`.

        Raises:
            ConfigError: the settings of languages do not fit, or the file of rules cannot be used.
            StoreError: the store's URL is wrong.
        """
        metrics, languages = Metrics(), Languages(settings)
        keys = None if shared.keys is None else KeyWatch(shared.keys, metrics)
        link = open_link(settings, metrics, create=not shared.later)
        persons = KnownPersons(metrics, stored=link is not None)
        histories = UserHistories(link, settings.live_events, persons)
        persons_watch = None if link is None else PersonsWatch(link, persons, settings)
        live_items = LiveItemsInForce(link, metrics, on_overlay)

        def overlay(loaded: LoadedBundle) -> LoadedBundle:
            if live_items_watch is not None:
                live_items_watch.wait()
            return live_items.over(loaded, serving=bundles.base is not None)

        bundles = Bundles(settings, metrics, warm_up, on_change, overlay)
        experiments = ExperimentsInForce(metrics, stored=link is not None)
        held = HeldBundles(settings, metrics, bundles, lambda: experiments.now.bundles, warm_up, overlay)
        live_items_watch = None if link is None else LiveItemsWatch(link, live_items, held, settings, metrics)
        rules = RulesInForce(GivenRules.of(settings), metrics, stored=link is not None)
        watch = None if link is None else RulesWatch(link, rules, settings, metrics)
        return cls(
            settings,
            metrics,
            keys,
            link,
            bundles,
            held,
            histories,
            languages,
            rules,
            watch,
            persons,
            persons_watch,
            live_items,
            live_items_watch,
            experiments,
            None if link is None else ExperimentsWatch(link, experiments, settings),
            shared.budget,
        )

    @property
    def watches(self) -> list[StoreWatch | LiveItemsWatch]:
        """Those that follow the store; none where there is no store."""
        watches = self.rules_watch, self.persons_watch, self.live_items_watch, self.experiments_watch
        return [watch for watch in watches if watch is not None]

    @property
    def keys_state(self) -> KeysState:
        """Whether the API keys in force are those of their file."""
        if self.keys is None:
            return "off"
        return "live" if self.keys.keys.fault is None else "stale"

    @property
    def store_state(self) -> StoreState:
        """Whether the store answers at the moment."""
        if self.link is None:
            return "off"
        return "live" if self.link.reachable else "unavailable"
