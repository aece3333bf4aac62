"""The users' histories as the bundle of the moment sees them."""

from __future__ import annotations

from recsys.histories.live_histories import LiveHistories
from serve.bundles.loaded import LoadedBundle
from serve.persons.known import KnownPersons
from serve.store.link import StoreLink


class UserHistories:
    """The users' histories as the bundle of the moment sees them.

    Attributes:
        persons: who is forgotten, and which ids are one person's.
    """

    def __init__(self, link: StoreLink | None, limit: int, persons: KnownPersons) -> None:
        """As of `LiveHistories`."""
        self._link, self._limit, self.persons = link, limit, persons
        self._latest: tuple[LoadedBundle, LiveHistories] | None = None

    def of(self, loaded: LoadedBundle) -> LiveHistories:
        """The histories as that bundle sees them."""
        latest, persons = self._latest, self.persons.now
        if latest is None or latest[0].base is not loaded.base:
            latest = self._latest = loaded, LiveHistories(loaded.bundle, self._link, self._limit, persons)
        elif latest[0] is not loaded:
            latest = self._latest = loaded, latest[1].over(loaded.bundle)
        if latest[1].ownership.persons is not persons:
            latest = self._latest = loaded, latest[1].with_persons(persons)
        return latest[1]
