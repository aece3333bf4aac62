"""What every subject of the API uses: the bundle served, the store, users' histories, metrics and settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Self

from serve.bundles.loaded import LoadedBundle
from serve.bundles.swap import Bundles
from serve.histories.live_histories import UserHistories
from serve.metrics import Metrics
from serve.settings import Settings
from serve.store.link import StoreLink, StoreState, open_link


@dataclass(frozen=True)
class Parts:
    """The parts that several subjects share.

    Attributes:
        settings: of the server.
        metrics: what it counts.
        link: to the store; None: there is none.
        bundles: which bundle is served.
        histories: of users, as the bundle and the store know them together.
        started: seconds since 1970.
    """

    settings: Settings
    metrics: Metrics
    link: StoreLink | None
    bundles: Bundles
    histories: UserHistories
    started: float = field(default_factory=time)

    @classmethod
    def compose(
        cls, settings: Settings, warm_up: Callable[[LoadedBundle], None], on_change: Callable[[LoadedBundle], None]
    ) -> Self:
        """Compose the parts; nothing runs yet. `warm_up` and `on_change` as `Bundles` takes them.

        Raises:
            StoreError: the store's URL is wrong.
        """
        metrics = Metrics()
        link = open_link(settings, metrics)
        bundles = Bundles(settings, metrics, warm_up, on_change)
        return cls(settings, metrics, link, bundles, UserHistories(link, settings.live_events))

    @property
    def store_state(self) -> StoreState:
        """Whether the store answers at the moment."""
        if self.link is None:
            return "off"
        return "live" if self.link.reachable else "unavailable"
