"""The server's link to the store: it may be down or slow at any time, and no request pays for that twice."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from recsys.core.errors import RecsysError
from recsys.store import (
    Appended,
    BlurbKey,
    Event,
    InvalidRecord,
    ListEvent,
    Store,
    StoreDamaged,
    StoreError,
    StoreUnavailable,
    UserAttributes,
)
from serve.metrics import Metrics
from serve.settings import NO_STORE, Settings

logger = logging.getLogger(__name__)

FIRST_ATTEMPT_S = 5.0
LOOK_S = 1.0  # between looks at the store's files, so that what happens to them is told before an event comes
SHARE = 10  # of the time between two looks through a damaged store, that the first takes at most one part of
KINDS = ("read", "append")


class StoreLink:
    """A store whose failures are remembered.

    Once a call of a kind (reading live events, appending) finds the store unavailable, further ones fail at once
    until a thread of this class has done the same with success: it reads, and it writes. That thread also creates the
    tables, at the start or as soon as the store can be reached. A store that is damaged, or whose file is another one,
    is not used at all before it has been found sound as a whole. Nothing needs a restart.

    Attributes:
        store: the store itself, for threads that may wait for it.
    """

    def __init__(self, settings: Settings, metrics: Metrics, *, create: bool = True) -> None:
        """Get ready; nothing is connected before `start`.

        Args:
            settings: of the server.
            metrics: are told whether the store answers.
            create: make an SQLite file where there is none; a worker that takes the place of another does not.

        Raises:
            StoreError: the URL is wrong.
        """
        self._url, self._timeout_s = settings.store, settings.store_timeout_s
        self.store = open_store(self._url, self._timeout_s)
        self._fast = Store.open(settings.store, timeout_s=settings.store_read_timeout_s, pool_size=2)
        self._metrics = metrics
        self._retry_s = self._rest_s = settings.store_retry_s
        self._failures: dict[str, str] = dict.fromkeys(KINDS, "the store is being opened")
        self._create, self._upgraded, self._damaged = create, False, False
        self._wake, self._closing = threading.Event(), threading.Event()
        self._attempted = threading.Event()
        self._patience_ends = math.inf
        self._thread = threading.Thread(target=self._keep, name="store", daemon=True)

    def start(self) -> None:
        """Begin to open the store in the background."""
        self._patience_ends = time.monotonic() + FIRST_ATTEMPT_S
        self._thread.start()

    def wait(self) -> None:
        """Wait until that has succeeded or failed once, but not for long."""
        self._attempted.wait(FIRST_ATTEMPT_S)

    @property
    def attempted(self) -> bool:
        """Whether opening the store has succeeded or failed once, or takes too long to wait for."""
        return self._attempted.is_set() or time.monotonic() > self._patience_ends

    @property
    def reachable(self) -> bool:
        """Whether no kind of call failed the last time."""
        return not self._failures

    @property
    def queries(self) -> Store:
        """The store, for calls beside the two kinds: they may take `store_timeout_s`.

        Raises:
            StoreUnavailable: it was down at the latest call.
        """
        self._check("read")
        return self.store

    def apart(self) -> Store:
        """The store by connections of its own, to be closed: for what takes long, beside which others want theirs.

        Raises:
            StoreUnavailable: it was down at the latest call.
        """
        self._check("read")
        return Store.open(self._url, timeout_s=self._timeout_s, pool_size=2)

    def events_of(self, user_ids: Sequence[str], until: float | None, limit: int) -> dict[str, list[Event]]:
        """As `Store.item_events_of`, in little time: StoreUnavailable at once while the store is known to be down."""
        self._check("read")
        try:
            return self._fast.item_events_of(user_ids, until=until, limit=limit)
        except RecsysError as error:
            raise self._failed("read", error) from error

    def attributes_of(self, user_ids: Sequence[str]) -> dict[str, UserAttributes]:
        """What was said of those users of whom anything was, as fast or failing as `events_of`."""
        self._check("read")
        try:
            return self._fast.live_users.attributes_of_users(user_ids)
        except RecsysError as error:
            raise self._failed("read", error) from error

    def blurb(self, key: BlurbKey) -> str | None:
        """As `Store.blurb`, as fast or failing as `events_of`."""
        self._check("read")
        try:
            return self._fast.blurb(key)
        except RecsysError as error:
            raise self._failed("read", error) from error

    def append(self, events: Sequence[Event], list_events: Sequence[ListEvent] = ()) -> Appended:
        """As `Store.append`; StoreUnavailable at once while the store is known to be down."""
        self._check("append")
        try:
            return self.store.append(events, list_events)
        except InvalidRecord:
            raise
        except RecsysError as error:
            raise self._failed("append", error) from error

    def close(self) -> None:
        """End the thread and close the connections."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._fast.close()
        self.store.close()

    def _check(self, kind: str) -> None:
        reason = self._failures.get(kind)
        if reason is not None:
            raise StoreUnavailable("a store that answers", reason, "try again in a moment; the server looks for it")

    def _failed(self, kind: str, error: RecsysError) -> StoreUnavailable:
        self._metrics.store_failed(kind)
        if kind not in self._failures:
            logger.warning("The store is unavailable (%s). %s", kind, error)
        self._failures[kind] = error.got
        self._note_damage(error)
        self._metrics.store_up.set(0)
        self._wake.set()
        if isinstance(error, StoreUnavailable):
            return error
        return StoreUnavailable(error.expected, error.got, error.remedy)

    def _keep(self) -> None:
        """Reach the store, and again whenever a call has failed; a failing store gets a rest in between."""
        self._reach()
        self._attempted.set()
        while not self._closing.is_set():
            try:
                self._keep_on()
            except Exception:  # without this thread a store that is down would stay so
                logger.exception("The look at the store failed; there will be others")
                self._closing.wait(self._retry_s)

    def _keep_on(self) -> None:
        if self._failures:
            self._closing.wait(self._rest_s)
            self._reach()
        elif not self._wake.wait(LOOK_S):
            self._look()
        self._wake.clear()

    def _look(self) -> None:
        """Find out what has become of the store's files."""
        for store in (self.store, self._fast):
            try:
                store.look()
            except RecsysError as error:
                self._failed("append", error)

    def _reach(self) -> None:
        """Do what calls do, and let those that succeed be made again."""
        self._rest_s = self._retry_s
        try:
            self._open()
            self._fast.item_events_of([""], limit=1)
            if not self._damaged:
                self._failures.pop("read", None)
            self.store.probe()
        except RecsysError as error:
            if not self._attempted.is_set():
                logger.warning("The store cannot be opened; events are refused until it can. %s", error)
            elif error.got != self._failures.get("append"):
                logger.warning("The store is not back yet. %s", error)
            self._failures["append"] = error.got
            self._note_damage(error)
        else:
            if not self._damaged:
                self._failures.clear()
                self._metrics.store_up.set(1)
                logger.info("The store is open")

    def _note_damage(self, error: RecsysError) -> None:
        """Where the store is damaged, nothing of it is used any more."""
        if isinstance(error, StoreDamaged):
            self._damaged = True
            self._failures.update(dict.fromkeys(KINDS, error.got))

    def _open(self) -> None:
        """Bring the store into order."""
        if self._damaged:
            # First all of them: what SQLite knows of a file, its connections in a process share.
            for store in (self.store, self._fast):
                store.abandon()
            started = time.monotonic()
            try:
                self.store.reopen()
            finally:  # to read all of a large damaged store, time and again, is not to take the machine
                self._rest_s = max(self._retry_s, SHARE * (time.monotonic() - started))
            self._fast.reopen(verify=False)
            self._damaged = self._upgraded = False
            logger.warning("The store was found sound, and is used again")
        if not self._upgraded:
            # What was there and is gone is not replaced by an empty store: somebody may bring it back.
            self.store.upgrade(create=self._create)
            self._create, self._upgraded = False, True
            open_to_others = self.store.open_to_others()
            if open_to_others:
                logger.warning("Other users of this machine may read or write the store: chmod 600 %s*", open_to_others)


def open_link(settings: Settings, metrics: Metrics, *, create: bool = True) -> StoreLink | None:
    """The link to the store of the settings; None if there is none. `create`: as of `StoreLink`.

    Raises:
        StoreError: the URL is wrong.
    """
    if settings.store == NO_STORE:
        metrics.no_store()
        return None
    return StoreLink(settings, metrics, create=create)


def open_store(url: str, timeout_s: float = 2.0) -> Store:
    """As `Store.open`; makes the folder that SQLite needs for its file.

    Raises:
        StoreError: the URL is wrong, or the folder cannot be made.
    """
    database = make_url(url).database if url.startswith("sqlite:") else None
    if database:
        try:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"a folder for the store {database}", str(error), "name another with --store, or none"
            ) from None
    return Store.open(url, timeout_s=timeout_s)
