"""The histories of users at this moment: those of the bundle and the events of the store, merged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.event_weights import purchases_in
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.store import Event, StoreUnavailable
from serve.bundles.event_types import BOUGHT, RATED, EventTypes
from serve.bundles.loaded import LoadedBundle
from serve.cache import BoundedCache
from serve.histories.merging import ENTRY_SIZE, merge, merge_repeats
from serve.histories.purchases import last_purchases
from serve.store.link import StoreLink, StoreState

Subject = str | tuple[str, ...]
MAX_ROWS = 20_000


@dataclass(frozen=True)
class LiveQueries:
    """Users to recommend for, and where their histories came from.

    Attributes:
        queries: B users.
        known: whether the bundle or the store knows each of them.
        live_events: number of events of each that the store gave; those of an item that change nothing may be missing.
        store: whether the store was read.
        subjects: the B users and sessions.
        events: of each user that the store has any of, oldest first.
    """

    queries: Queries
    known: list[bool]
    live_events: list[int]
    store: StoreState
    subjects: Sequence[Subject]
    events: Mapping[str, Sequence[Event]]

    @property
    def named(self) -> Queries:
        """The queries with the ids of their users, for whoever asks for these."""
        return replace(self.queries, ids=tuple(one if isinstance(one, str) else None for one in self.subjects))


class LiveHistories:
    """Merges the histories of one bundle with the store's events.

    An item is in a history once, at the time of its latest event, with the weight of its strongest one and its latest
    rating; so the bundle's interactions and the same ones read again from the store count once. Where the bundle was
    trained on repeats, an item is there as often as it was chosen, see `merge_repeats`. Events of items that the bundle
    does not know, or of types that it does not know, are left out. One that takes another back does so among the events
    of the store; what the bundle holds stays until the next one.
    """

    def __init__(self, bundle: Bundle, link: StoreLink | None, limit: int) -> None:
        """`limit`: most recent items of each user whose events are read; no `link`: there is no store."""
        self._bundle, self._link, self._limit = bundle, link, limit
        self._types = EventTypes.of(bundle)
        self._merge = merge_repeats if bundle.manifest.config.get("data", {}).get("repeats") == "all" else merge
        catalogue = bundle.catalogue
        self._user_rows = BoundedCache(partial(_rows, catalogue.user_rows), MAX_ROWS)
        self._item_rows = BoundedCache(partial(_rows, catalogue.item_rows), MAX_ROWS)

    def of(
        self, subjects: Sequence[Subject], now: float, as_of: float | None = None, *, purchases: bool = False
    ) -> LiveQueries:
        """Queries of users and sessions.

        Args:
            subjects: B of them: the id of a user, in the bundle or not, or the item ids of a session, oldest first.
            now: seconds since 1970.
            as_of: leave out what happened after this time, which replaces `now`; None: read everything.
            purchases: tell what was bought, see `Queries.bought`.
        """
        moment = now if as_of is None else as_of
        user_ids = [subject for subject in subjects if isinstance(subject, str)]
        rows = self._user_rows(user_ids)
        users = [rows[subject] if isinstance(subject, str) else NO_ITEM for subject in subjects]
        events, state = self._events(user_ids, as_of)
        if events or as_of is not None or len(user_ids) < len(subjects):
            counts, added = self._added(subjects, events, moment, self._types.weights, 1.0)
            histories = self._merge(self._bundle.histories, users, counts, added, as_of, self._bundle.n_items)
        else:
            histories = self._bundle.histories.select(users)
        bought = self._bought(subjects, users, events, moment, as_of) if purchases else None
        return LiveQueries(
            Queries(histories, np.array(users, np.int32), np.full(len(users), int(moment), np.int64), bought),
            [user != NO_ITEM or subject in events for user, subject in zip(users, subjects, strict=True)],
            [len(events.get(subject, ())) if isinstance(subject, str) else 0 for subject in subjects],
            state,
            subjects,
            events,
        )

    def types_of(self, events: Sequence[Event]) -> Mapping[int, str]:
        """By item row, the type of a user's strongest event with the item, the latest of equally strong ones."""
        return self.types_of_users([events])[0]

    def types_of_users(self, events_of_users: Sequence[Sequence[Event]]) -> list[dict[int, str]]:
        """The same of several users."""
        rows = self._item_rows([event.item_id for events in events_of_users for event in events])
        weights, of_users = self._types.weights, []
        for events in events_of_users:
            types: dict[int, str] = {}
            for _, _, item_id, kind, *_ in self._types.standing(events):
                row = rows[item_id]
                if row not in types or weights[kind] >= weights[types[row]]:
                    types[row] = kind
            of_users.append(types)
        return of_users

    def _events(self, user_ids: Sequence[str], as_of: float | None) -> tuple[Mapping[str, list[Event]], StoreState]:
        """Events of those users who have any."""
        if self._link is None:
            return {}, "off"
        if not user_ids:
            return {}, "live"
        try:
            events_of_users = self._link.events_of(user_ids, as_of, self._limit)
        except StoreUnavailable:
            return {}, "unavailable"
        return {user_id: events for user_id, events in events_of_users.items() if events}, "live"

    def _bought(
        self,
        subjects: Sequence[Subject],
        users: Sequence[int],
        events: Mapping[str, list[Event]],
        moment: float,
        as_of: float | None,
    ) -> Histories:
        """What was bought, and when last, see `last_purchases`."""
        counts, added = self._added(subjects, events, moment, self._types.purchases, 0.0)
        if as_of is None and self._merge is merge and not any(added[ENTRY_SIZE - 1 :: ENTRY_SIZE]):
            return self._bundle_purchases.select(users)  # each item is there once already
        return last_purchases(self._bundle_purchases, users, counts, added, as_of)

    @cached_property
    def _bundle_purchases(self) -> Histories:
        """The purchases of the bundle, weighed as those of the store: a rating stands there for what it rates."""
        bought = purchases_in(self._bundle.histories, self._bundle.manifest.config)
        return replace(bought, weights=np.where(np.isnan(bought.ratings), BOUGHT, RATED).astype(np.float32))

    def _added(
        self,
        subjects: Sequence[Subject],
        events: Mapping[str, list[Event]],
        moment: float,
        weights: Mapping[str, float],
        of_session: float,
    ) -> tuple[list[int], list[float]]:
        """Events of the catalogue's items, or a session's items, all seen at that moment, as `merge` takes them.

        The weight of an event is that of its type, of a session's item `of_session`.
        """
        item_ids = [event.item_id for events_of_user in events.values() for event in events_of_user]
        item_ids += [item_id for subject in subjects if not isinstance(subject, str) for item_id in subject]
        rows = self._item_rows(item_ids)
        counts: list[int] = []
        added: list[float] = []
        for subject in subjects:
            before = len(added)
            if isinstance(subject, str):
                for _, _, item_id, kind, timestamp, rating, _, _ in self._types.standing(events.get(subject, ())):
                    row = rows[item_id]
                    if row != NO_ITEM:
                        added += row, timestamp, math.nan if rating is None else rating, weights[kind]
            else:
                for item_id in subject:
                    row = rows[item_id]
                    if row != NO_ITEM:
                        added += row, moment, math.nan, of_session
            counts.append((len(added) - before) // ENTRY_SIZE)
        return counts, added


class UserHistories:
    """The users' histories as the bundle of the moment sees them."""

    def __init__(self, link: StoreLink | None, limit: int) -> None:
        """As of `LiveHistories`."""
        self._link, self._limit = link, limit
        self._latest: tuple[LoadedBundle, LiveHistories] | None = None

    def of(self, loaded: LoadedBundle) -> LiveHistories:
        """The histories as that bundle sees them."""
        latest = self._latest
        if latest is None or latest[0] is not loaded:
            latest = self._latest = loaded, LiveHistories(loaded.bundle, self._link, self._limit)
        return latest[1]


def _rows(find: Callable[[Sequence[str]], Mapping[str, int]], ids: Sequence[str]) -> dict[str, int]:
    """The rows of ids; `NO_ITEM` for an unknown one."""
    return {**dict.fromkeys(ids, NO_ITEM), **find(ids)}


def times_of_last(histories: Histories) -> list[int | None]:
    """Time of the last interaction of each history; None for an empty one."""
    bounds, timestamps = histories.indptr.tolist(), histories.timestamps
    return [int(timestamps[end - 1]) if end > start else None for start, end in pairwise(bounds)]
