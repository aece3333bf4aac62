"""The parts of a running server, and how they start and stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import subprocess
import threading

from recsys.core.errors import RecsysError
from serve.bundles.loaded import LoadedBundle
from serve.experiments.queue import ResultsQueue
from serve.explanations.queue import ExplanationQueue
from serve.explanations.warm_up import warm_up as warm_up_explanations
from serve.items import search_index
from serve.live_items.warm_up import with_new_item
from serve.outcomes.queue import OutcomesQueue
from serve.parts import Parts
from serve.recommendations.queue import RecommendationQueue
from serve.recommendations.warm_up import warm_up
from serve.rules.queue import PreviewQueue
from serve.settings import Settings
from serve.shared import Shared
from serve.shop_rules.warm_up import warm_up as warm_up_rules
from serve.signals import take_hangups
from serve.store.link import StoreLink
from serve.store.retention import Retention

logger = logging.getLogger(__name__)

# A batch of answers makes about a thousand objects that may hold others, and lets them go without the garbage
# collector, which by default looks through new ones at every 700, and through all at every hundredth time.
NEW_OBJECTS = 10_000


class Server:
    """Composes what routes use, starts and stops it.

    Attributes:
        parts: what several subjects share.
        recommendations: takes requests for lists.
        explanations: takes requests for what is said of the items in them.
        previews: takes requests for what rules would do.
        outcomes: takes questions for what came of lists.
        results: takes requests for what came of experiments.
        buckets: what each caller has asked for lately; None: nobody counts.
    """

    def __init__(self, settings: Settings, shared: Shared | None = None) -> None:
        """Compose the parts; nothing runs before `start`. `shared`: with other processes of the server, if any.

        Raises:
            ConfigError: the file of API keys is not in order.
            StoreError: the store's URL is wrong.
        """
        shared = shared or Shared.of(settings)
        self.buckets = shared.buckets
        self.parts = Parts.compose(settings, shared, self._prepare, self._follow, self._prepare_overlay)
        self.recommendations = RecommendationQueue(self.parts)
        self.explanations = ExplanationQueue(self.parts)
        self.previews = PreviewQueue(self.parts)
        self.outcomes = OutcomesQueue(self.parts)
        self.results = ResultsQueue(self.parts)
        link = self.parts.link
        self._retention = Retention(link.store, settings, self.parts.metrics) if link else None
        self._indexing: subprocess.Popen[bytes] | None = None
        self._indexing_lock, self._closed = threading.Lock(), False
        self._collecting = gc.get_threshold()

    def start(self) -> None:
        """Begin to open the store and to load the bundle, and to take requests."""
        if self.parts.keys:
            self.parts.keys.start()
        if self.parts.link:
            self.parts.link.start()
        for watch in self.parts.watches:
            watch.start()
        self.recommendations.start()
        if self._retention:
            self._retention.start()
        self.parts.bundles.start()
        self.parts.held.start()

    @staticmethod
    def end_with_parent() -> None:
        """In a worker: stop, in good order, when the process that started it is gone; nobody would replace it."""
        parent = multiprocessing.parent_process()
        if parent is not None:

            def wait() -> None:
                parent.join()
                os.kill(os.getpid(), signal.SIGTERM)

            threading.Thread(target=wait, name="parent", daemon=True).start()

    def reload_on_hangup(self, loop: asyncio.AbstractEventLoop) -> None:
        """Load the bundle and read the keys again at SIGHUP."""
        if threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGHUP, self._request_reload)
            take_hangups()

    def _request_reload(self) -> None:
        self.parts.bundles.request_reload()
        if self.parts.keys:
            self.parts.keys.request_look()

    def close(self) -> None:
        """Finish what is under way and end every thread."""
        self.parts.bundles.close()
        self.parts.held.close()
        with self._indexing_lock:
            self._closed = True
            self._end_indexing()
        if self._retention:
            self._retention.close()
        self.recommendations.close()
        self.explanations.close()
        self.previews.close()
        self.outcomes.close()
        self.results.close()
        for watch in self.parts.watches:
            watch.close()
        if self.parts.link:
            self.parts.link.close()
        if self.parts.keys:
            self.parts.keys.close()
        gc.unfreeze()
        gc.set_threshold(*self._collecting)

    def _prepare(self, loaded: LoadedBundle) -> None:
        """Make a bundle ready to be served."""
        if self.parts.rules_watch:
            self.parts.rules_watch.wait()
        if self.parts.persons_watch:
            self.parts.persons_watch.wait()
        if self.parts.experiments_watch:
            self.parts.experiments_watch.wait()
        rules = self.parts.rules.of(loaded)
        warm_up(loaded)
        if self.parts.live_items_watch and loaded.bundle.item_encoder is not None:
            warm_up(with_new_item(loaded))  # or what is sold out would wait until the loops of new items are compiled
        warm_up_explanations(loaded)
        if rules.ready:
            self._warm_up_rules(loaded)
        if self.parts.bundles.info is not None:
            return
        self.parts.held.begin(loaded)
        # Requests would wait for the garbage collector to look through all this time and again, 60 ms each time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(NEW_OBJECTS, *self._collecting[1:])

    def _prepare_overlay(self, overlay: LoadedBundle) -> None:
        """Make live items over a bundle ready to be served: one whose lists cannot be made must not replace another."""
        self.parts.rules.of(overlay)
        warm_up(overlay)

    def _follow(self, loaded: LoadedBundle) -> None:
        """What is done for a bundle while it is served: a shop without rules does not wait for those it may have."""
        if self.parts.live_items_watch:
            self.parts.live_items_watch.request_look()  # what changed while its overlay was made
        self._index_items(loaded)
        if not self.parts.rules.of(loaded).ready:
            self._warm_up_rules(loaded)

    @staticmethod
    def _warm_up_rules(loaded: LoadedBundle) -> None:
        try:
            warm_up_rules(loaded)
        except Exception:  # the shop's own rules may be others
            logger.exception("Lists of %s were not made by rules of every kind", loaded.bundle.path)

    def _index_items(self, loaded: LoadedBundle) -> None:
        """Let search find the items of a bundle, unless it does already."""
        link, settings = self.parts.link, self.parts.settings
        if link is None or not settings.index_items:
            return
        link.wait()
        with self._indexing_lock:
            if not self._closed:  # meanwhile
                self._begin_indexing(link, loaded)

    def _begin_indexing(self, link: StoreLink, loaded: LoadedBundle) -> None:
        bundle = loaded.bundle
        try:
            if link.store.items_version() == search_index.catalogue_version(bundle.name, bundle.version):
                return
        except RecsysError:  # the process waits for the store
            pass
        self._end_indexing()
        try:
            self._indexing = search_index.start(bundle.path, self.parts.settings)
        except OSError as error:
            logger.error("Search does not find the items of the bundle: no process for that. %s", error)

    def _end_indexing(self) -> None:
        if self._indexing is not None and self._indexing.poll() is None:
            self._indexing.terminate()
            self._indexing.wait()
