"""The users' histories as each of the bundles in use sees them."""

from __future__ import annotations

import threading
from typing import NamedTuple
from weakref import WeakKeyDictionary, ref

from recsys.core.persons import Persons
from recsys.histories.live_histories import LiveHistories
from serve.bundles.loaded import LoadedBundle
from serve.persons.known import KnownPersons
from serve.store.link import StoreLink


class _Seen(NamedTuple):
    """The histories as the latest overlay of a bundle sees them, or the bundle itself."""

    loaded: ref[LoadedBundle]
    live: LiveHistories


class UserHistories:
    """The users' histories as the bundles of the moment see them: each of them once. For any number of threads.

    Attributes:
        persons: who is forgotten, and which ids are one person's.
    """

    def __init__(self, link: StoreLink | None, limit: int, persons: KnownPersons) -> None:
        """As of `LiveHistories`."""
        self._link, self._limit, self.persons = link, limit, persons
        self._seen: WeakKeyDictionary[LoadedBundle, _Seen] = WeakKeyDictionary()  # by the bundles without live items
        self._persons = persons.now
        self._making = threading.Lock()

    def of(self, loaded: LoadedBundle) -> LiveHistories:
        """The histories as that bundle sees them."""
        seen, persons = self._seen.get(loaded.base), self.persons.now
        if seen is not None and seen.loaded() is loaded and persons is self._persons:
            return seen.live
        with self._making:
            self._follow(persons)
            return self._made(loaded, persons)

    def _follow(self, persons: Persons) -> None:
        """Let no bundle's histories go by other persons: whom they hide must not stay in memory."""
        if persons is not self._persons:
            for base, (seen_by, live) in list(self._seen.items()):
                self._seen[base] = _Seen(seen_by, live.with_persons(persons))
            self._persons = persons

    def _made(self, loaded: LoadedBundle, persons: Persons) -> LiveHistories:
        seen = self._seen.get(loaded.base)
        if seen is None:
            live = LiveHistories(loaded.bundle, self._link, self._limit, persons)
        elif seen.loaded() is loaded:
            return seen.live
        else:
            live = seen.live.over(loaded.bundle)
        self._seen[loaded.base] = _Seen(ref(loaded), live)
        return live
