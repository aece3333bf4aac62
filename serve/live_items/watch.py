"""Looks for changes of the store's items, so that every worker follows them soon."""

from __future__ import annotations

import logging
import threading
import time
from weakref import WeakKeyDictionary

from recsys.core.errors import RecsysError
from recsys.store import StoreUnavailable
from serve.bundles.held import HeldBundles
from serve.bundles.loaded import LoadedBundle
from serve.live_items.in_force import LiveItemsInForce
from serve.live_items.known import KnownItems
from serve.metrics import Metrics
from serve.settings import Settings
from serve.store.link import StoreLink
from serve.store.watch import FIRST_LOOK_S

logger = logging.getLogger(__name__)

SOON_S = 1.0  # longest that whoever changes an item waits until this worker follows
RETRY_S = 10.0  # after an overlay that could not be made


class LiveItemsWatch:
    """A thread that asks the store for the number of its changes of items, and follows them where that is another.

    An overlay is made beside the one that answers, and replaces it when it is ready: requests under way keep theirs.
    Changes that come meanwhile are followed together by the next one. Where the store does not answer, what was last
    known stays in force.
    """

    def __init__(
        self, link: StoreLink, items: LiveItemsInForce, bundles: HeldBundles, settings: Settings, metrics: Metrics
    ) -> None:
        """Nothing is read before `start`."""
        self._link, self._items, self._bundles, self._metrics = link, items, bundles, metrics
        self._poll_s = settings.live_items_poll_s
        self._anew = True  # all must be read, not only what has changed
        self._retry_at: WeakKeyDictionary[LoadedBundle, float] = WeakKeyDictionary()
        self._settled: WeakKeyDictionary[LoadedBundle, KnownItems] = WeakKeyDictionary()  # nothing is left to be done
        self._looked, self._wake, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._followed = threading.Condition()
        self._version = 0  # number of the last change that answers know of
        self._texts_wait = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="live-items", daemon=True)
        self._encoding = threading.Thread(target=self._encode, name="live-texts", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()
        self._encoding.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._wake.set()
        self._texts_wait.set()
        self._items.close()
        self._thread.join()
        self._encoding.join()

    def wait(self) -> None:
        """Wait until the store has been asked once, but not for long: a first list is not to show what is sold out."""
        self._looked.wait(FIRST_LOOK_S)

    def soon(self, version: int) -> None:
        """Look now, and wait until answers know of a change, but not for long."""
        self._wake.set()
        with self._followed:
            self._followed.wait_for(lambda: self._version >= version, SOON_S)

    def request_look(self) -> None:
        """Look soon: there is another bundle, for example."""
        self._wake.set()

    def _watch(self) -> None:
        self._link.wait()
        while not self._closing.is_set():
            try:
                self._read()
            except RecsysError as error:
                self._failed(error)
            except Exception:
                logger.exception("The look at the live items failed; there will be others")
            self._looked.set()
            if self._follow():
                self._texts_wait.set()
            self._wake.wait(self._poll_s)
            self._wake.clear()

    def _encode(self) -> None:
        """Encode texts of new items, a few at a time: what is sold out meanwhile is not to wait for them."""
        while self._texts_wait.wait() and not self._closing.is_set():
            self._texts_wait.clear()
            try:
                for base in self._bundles.in_use:
                    if self._items.overlays_of(base).encode_some(self._items.known, self._link.queries):
                        self._wake.set()
            except StoreUnavailable as error:
                logger.debug("Texts of new items wait. %s", error)
            except Exception:  # the bundle's encoder is damaged, for example
                self._metrics.overlay_failed()
                logger.exception("Texts of new items were not encoded; that is tried again")
                self._closing.wait(RETRY_S)

    def _read(self) -> None:
        items = self._link.queries.items
        version = items.version()
        anew = self._anew or version < self._items.known.version
        known = KnownItems() if anew else self._items.known
        if anew or version != known.version:
            for part in items.changes_since(known.version):
                known = known.with_changes(part, version)
            self._items.known = known.with_changes((), version)
            self._anew = False
            self._metrics.items_known(len(known.items), self._items.known.version)
        if self._items.state != "live":
            self._items.state = "live"
            self._metrics.items_stale.set(0)

    def _failed(self, error: RecsysError) -> None:
        self._metrics.items_refresh_failed()
        self._metrics.items_stale.set(1)
        if self._items.state == "live":
            self._items.state = "stale"
            logger.warning("What was last known of live items stays in force. %s", error)
        elif not self._looked.is_set():
            logger.error("The store's live items are not known, and lists go without them. %s", error)
        self._anew = True  # what comes back may be an older state of the store, under the same number

    def _follow(self) -> bool:
        """Let answers know what is known; returns whether there are texts of new items to encode."""
        known, bases = self._items.known, self._bundles.in_use
        waiting = [self._follow_over(base, known) for base in bases]
        self._items.let_go_but(bases)
        if waiting and None not in waiting:
            with self._followed:
                self._version = known.version
                self._followed.notify_all()
        return any(waiting)

    def _follow_over(self, base: LoadedBundle, known: KnownItems) -> bool | None:
        """The same of what is made from one bundle; None: it does not follow. Others do, whatever is wrong with it."""
        if time.monotonic() < self._retry_at.get(base, 0.0):
            return None
        try:
            return self._make(base, known)
        except StoreUnavailable as error:
            logger.debug("Live items wait. %s", error)
        except Exception:  # answers go on without the latest changes
            self._metrics.overlay_failed()
            self._retry_at[base] = time.monotonic() + RETRY_S
            logger.exception("Answers do not follow the latest changes of items; that is tried again")
        return None

    def _make(self, base: LoadedBundle, known: KnownItems) -> bool:
        """Let what is made from a bundle know what is known; returns whether texts of new items wait for vectors."""
        if self._settled.get(base) is known:
            return False
        waiting = 0
        if known.items or self._bundles.has_overlay(base):
            overlays = self._items.overlays_of(base)
            if self._items.state == "live":
                waiting = overlays.read_vectors(known, self._link.store)
            loaded = self._items.made(overlays)
            if loaded is not None and not self._bundles.replace(loaded):
                return False  # it is in use no longer
        if waiting:
            self._settled.pop(base, None)
        else:
            self._settled[base] = known
        return bool(waiting)
