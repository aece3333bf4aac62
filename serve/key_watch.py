"""Looks at the file of API keys while the server runs, and says in log and metrics what it finds."""

from __future__ import annotations

import logging
import threading
from typing import Literal

from serve.key_file import KeyFile
from serve.metrics import Metrics

logger = logging.getLogger(__name__)

KeysState = Literal["live", "stale", "off"]

LOOK_S = 0.5


class KeyWatch:
    """A thread that looks time and again: what the file says holds within a second in every worker."""

    def __init__(self, keys: KeyFile, metrics: Metrics) -> None:
        self.keys, self._metrics = keys, metrics
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keys", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        if self.keys.open_to_others():
            logger.warning("Every user of this machine may read or write the API keys in %s: chmod 600", self.keys.path)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def request_look(self) -> None:
        """Look soon."""
        self._wake.set()

    def look(self) -> None:
        """Look now."""
        changed = self.keys.look()
        fault = self.keys.fault
        self._metrics.api_keys_stale.set(fault is not None)
        if not changed:
            return
        if fault is None:
            logger.info("%d API keys are in force, those of %s", len(self.keys), self.keys.path)
        else:
            logger.error("The API keys from before stay in force: %s cannot be used. %s", self.keys.path, fault)

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                self.look()
            except Exception:
                logger.exception("The look at the API keys failed; there will be others")
            self._wake.wait(LOOK_S)
            self._wake.clear()
