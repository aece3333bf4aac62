"""The log of what was shown to whom, written to the store by a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence

from recsys.core.errors import RecsysError
from recsys.store import Served, Store
from serve.metrics import Metrics
from serve.recommendations.made_lists import MadeList

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
# Of a transaction. Each writes the pages of indexes that it touches once: the more rows, the fewer pages a row.
MAX_ROWS = 512
# After that long a transaction is begun with fewer rows, too.
INTERVAL_S = 1.0


class ServedLog:
    """Keeps answers until a thread has written them; while the store is down it keeps the first `MAX_WAITING`."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store, self._metrics = store, metrics
        self._waiting: queue.SimpleQueue[Served] = queue.SimpleQueue()
        self._full, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write, name="served-log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def add(self, request_id: str, made: Sequence[MadeList]) -> None:
        """Note answers; returns at once."""
        if self._waiting.qsize() + len(made) > MAX_WAITING:
            self._metrics.served_dropped(len(made))
            return
        now = time.time()
        for one in made:
            answer = one.answer
            items = answer.items
            self._waiting.put(
                Served(
                    request_id=request_id,
                    user_id=answer.user_id or one.visitor_id,
                    timestamp=now,
                    bundle_version=answer.bundle.version,
                    model=answer.primary_model,
                    item_ids=tuple([item.item_id for item in items]),
                    scores=tuple([item.score for item in items]),
                    recommendation_id=answer.recommendation_id,
                    details=one.details(),
                )
            )

        if self._waiting.qsize() >= MAX_ROWS:
            self._full.set()

    def close(self) -> None:
        """Write what waits, if the store takes it, and end the thread."""
        self._closing.set()
        self._full.set()
        self._thread.join()

    def _write(self) -> None:
        rows: list[Served] = []
        closing = False
        while not closing:
            # Rows that are left are what the store did not take: it is not asked again at once.
            (self._closing if rows else self._full).wait(INTERVAL_S)
            self._full.clear()
            closing = self._closing.is_set()
            left = len(rows) + self._waiting.qsize()  # what comes meanwhile has a later transaction
            while left:
                while len(rows) < min(left, MAX_ROWS):
                    rows.append(self._waiting.get())
                if not self._append(rows):
                    break
                left -= len(rows)
                rows = []
        lost = len(rows) + self._waiting.qsize()
        if lost:
            self._metrics.served_dropped(lost)
            logger.warning("The store took %d answers of the served log no more", lost)

    def _append(self, rows: Sequence[Served]) -> bool:
        try:
            self._store.add_served(rows)
        except RecsysError as error:
            logger.debug("The served log waits. %s", error)
            return False
        except Exception:  # without this thread nothing would be written any more
            self._metrics.served_dropped(len(rows))
            logger.exception("The served log lost %d answers that cannot be written", len(rows))
        return True
