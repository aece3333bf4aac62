"""The parts of a running server, and how they start and stop."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from recsys.core.errors import RecsysError
from serve import search_index
from serve.batching import Batcher
from serve.bundles import Bundles
from serve.loaded import Loaded
from serve.metrics import Metrics
from serve.retention import Retention
from serve.served_log import ServedLog
from serve.service import Answer, RecommendationRequest, RecommendationService
from serve.settings import Settings
from serve.store_link import open_link

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger(__name__)


class Server:
    """Everything that routes use.

    Attributes:
        settings: of the server.
        metrics: what it counts.
        link: to the store; None: there is none.
        bundles: which bundle is served.
        service: recommends.
        batcher: hands requests to the service.
        served_log: what was shown; None: not kept.
    """

    batcher: Batcher[RecommendationRequest, list[Answer]]

    def __init__(self, settings: Settings) -> None:
        """Compose the parts; nothing runs before `start`.

        Raises:
            StoreError: the store's URL is wrong.
        """
        self.settings = settings
        self.metrics = Metrics()
        self.link = open_link(settings, self.metrics)
        self.bundles = Bundles(settings, self.metrics, self._index_items)
        self.service = RecommendationService(self.bundles, self.link, settings.live_events, self.metrics)
        keeps_log = self.link is not None and settings.served_log
        self.served_log = ServedLog(self.link.store, self.metrics) if self.link and keeps_log else None
        self._retention = Retention(self.link.store, settings) if self.link else None
        self.started = time.time()
        self._indexing: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Open the store and load the bundle; returns when both have succeeded or failed once."""
        self.batcher = Batcher(
            self.service.recommend, self.settings.max_batch, self.settings.max_queue, lambda request: request.size
        )
        if self.link:
            self.link.start()
        if self.served_log:
            self.served_log.start()
        if self._retention:
            self._retention.start()
        self.bundles.start()
        if self.link:
            self.link.wait()

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
        """Load the bundle again at SIGHUP."""
        if threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGHUP, self.bundles.request_reload)

    def close(self) -> None:
        """Finish what is under way and end every thread."""
        self.bundles.close()
        self.batcher.close()
        if self._indexing is not None and self._indexing.poll() is None:
            self._indexing.terminate()
            self._indexing.wait()
        if self._retention:
            self._retention.close()
        if self.served_log:
            self.served_log.close()
        if self.link:
            self.link.close()

    def _index_items(self, loaded: Loaded) -> None:
        """Let search find the items of a bundle, unless it does already."""
        if self.link is None or not self.settings.index_items:
            return
        self.link.wait()
        bundle = loaded.bundle
        try:
            if self.link.store.items_version() == search_index.catalogue_version(bundle.name, bundle.version):
                return
        except RecsysError:  # the process waits for the store
            pass
        if self._indexing is not None and self._indexing.poll() is None:
            self._indexing.terminate()
            self._indexing.wait()
        try:
            self._indexing = search_index.start(bundle.path, self.settings)
        except OSError as error:
            logger.error("Search does not find the items of the bundle: no process for that. %s", error)
