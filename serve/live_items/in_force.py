"""The live items that answers know of, over the bundles that lists are made from."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import Literal

from recsys.core.errors import RecsysError
from serve.bundles.loaded import LoadedBundle
from serve.live_items.known import KnownItems
from serve.live_items.overlays import Overlays
from serve.metrics import Metrics
from serve.store.link import StoreLink

logger = logging.getLogger(__name__)

LiveItemsState = Literal["live", "stale", "unread", "off"]
"""live: as the store was asked last; stale: the store does not answer, and what was known is in force; unread: it has
not answered yet, and nothing is known; off: there is no store."""

OTHERS_S = 0.5  # between looks for vectors that other workers compute


class LiveItemsInForce:
    """What is known of live items, and the overlays of the bundles that are in use, or are about to be.

    Attributes:
        known: of the store's live items.
        state: whether that is what the store has.
    """

    def __init__(
        self, link: StoreLink | None, metrics: Metrics, prepare: Callable[[LoadedBundle], None] = lambda _: None
    ) -> None:
        """Nothing is known yet; `prepare` is called with every overlay before it is served."""
        self._link, self._metrics, self._prepare = link, metrics, prepare
        self.known = KnownItems()
        self.state: LiveItemsState = "off" if link is None else "unread"
        self._overlays: list[Overlays] = []
        self._choosing = threading.Lock()
        self._closing = threading.Event()

    def overlays_of(self, base: LoadedBundle) -> Overlays:
        """Those over a bundle."""
        with self._choosing:
            found = self._find(base)
            if found is None:
                found = Overlays(base)
                self._overlays = [*self._overlays, found]
            return found

    def seen_from(self, loaded: LoadedBundle) -> Overlays:
        """Those by which a request that holds a bundle tells what items are to it; that bundle may be gone by now."""
        return self._find(loaded.base) or Overlays(loaded.base)

    def _find(self, base: LoadedBundle) -> Overlays | None:
        return next((overlays for overlays in self._overlays if overlays.base is base), None)

    def over(self, base: LoadedBundle, *, serving: bool) -> LoadedBundle:
        """What is to be served of a bundle that has just been loaded; new items are encoded for it before.

        Args:
            base: the bundle.
            serving: whether another one is served, so that there is time to compute vectors that nobody has.
        """
        if not self.known.items or self._link is None:
            return base
        overlays = self.overlays_of(base)
        try:
            while overlays.read_vectors(self.known, self._link.queries) and serving and not self._closing.is_set():
                if not overlays.encode_some(self.known, self._link.queries):
                    self._closing.wait(OTHERS_S)
        except RecsysError as error:
            logger.warning("New items are not in lists until the store has told their vectors. %s", error)
        return self.made(overlays) or base

    def made(self, overlays: Overlays) -> LoadedBundle | None:
        """The overlay of what is known by now, ready to be served; None: it is made already."""
        started = time.perf_counter()
        loaded = overlays.make(self.known)
        if loaded is not None:
            try:
                self._prepare(loaded)
            except Exception:
                overlays.discard()
                raise
            self._metrics.overlaid(time.perf_counter() - started)
        return loaded

    def let_go_but(self, in_use: Collection[LoadedBundle]) -> None:
        """Forget the overlays of bundles that were in use and are no longer; others are about to be served."""
        with self._choosing:
            for overlays in self._overlays:
                overlays.used = overlays.used or overlays.base in in_use
            self._overlays = [one for one in self._overlays if one.base in in_use or not one.used]

    def close(self) -> None:
        """Wait for no vectors any more."""
        self._closing.set()
