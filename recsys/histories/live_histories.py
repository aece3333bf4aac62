"""The histories of users at this moment: those of the bundle and the events of the store, merged."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.event_weights import purchases_in
from recsys.core.bounded_cache import BoundedCache
from recsys.core.histories import Histories
from recsys.core.persons import Persons
from recsys.core.queries import NO_ITEM, Queries
from recsys.histories.event_types import BOUGHT, RATED, EventTypes
from recsys.histories.live_profiles import LiveProfiles
from recsys.histories.merging import ENTRY_SIZE, merge, merge_repeats
from recsys.histories.ownership import Owned, Ownership
from recsys.histories.purchases import last_purchases
from recsys.histories.reading import HistoryReader, StoreState
from recsys.store import Event, StoreUnavailable

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
    of the store; what the bundle holds stays until the next one. What the bundle holds of a forgotten person is in no
    history, and what it holds of an id that became a user's is in the user's.
    """

    def __init__(
        self, bundle: Bundle, reader: HistoryReader | None, limit: int, persons: Persons | None = None
    ) -> None:
        """Get ready.

        Args:
            bundle: that answers.
            reader: of the store; None: there is none.
            limit: most recent items of each user whose events are read.
            persons: who is forgotten, and which ids are one person's; None: nobody.
        """
        self._bundle, self._reader, self._limit = bundle, reader, limit
        self._types = EventTypes.of(bundle)
        self._merge = merge_repeats if bundle.manifest.config.get("data", {}).get("repeats") == "all" else merge
        catalogue = bundle.catalogue
        self._user_rows = BoundedCache(partial(_rows, catalogue.user_rows), MAX_ROWS)
        self._item_rows = BoundedCache(partial(_rows, catalogue.item_rows), MAX_ROWS)
        read = bundle.two_tower().profiles
        self._profiles = (
            LiveProfiles(read.profiles.vocabulary, reader) if read is not None and reader is not None else None
        )
        self.ownership = Ownership.of(bundle, persons or Persons(), partial(_rows, catalogue.user_rows))

    def with_persons(self, persons: Persons) -> LiveHistories:
        """The same with other persons. Ids of those who were forgotten since are not kept in memory."""
        other = copy(self)
        other.ownership = replace(self.ownership, persons=persons)
        if persons.tombstones is not self.ownership.persons.tombstones:
            other._user_rows = BoundedCache(partial(_rows, self._bundle.catalogue.user_rows), MAX_ROWS)
        return other

    def over(self, overlay: Bundle) -> LiveHistories:
        """The same of the bundle with other live items over it: what is known of its users stays."""
        other = copy(self)
        other._bundle = overlay
        other._item_rows = BoundedCache(partial(_rows, overlay.catalogue.item_rows), MAX_ROWS)
        return other

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
        owned = self._owned(self._bundle.histories, subjects, users)
        if owned or events or as_of is not None or len(user_ids) < len(subjects):
            counts, added = self._added(subjects, events, moment, self._types.weights, 1.0, owned)
            bases = _without(users, owned)
            histories = self._merge(self._bundle.histories, bases, counts, added, as_of, self._bundle.n_items)
        else:
            histories = self._bundle.histories.select(users)
        bought = self._bought(subjects, users, events, moment, as_of) if purchases else None
        known = [user != NO_ITEM or subject in events for user, subject in zip(users, subjects, strict=True)]
        for place, one in owned.items():
            known[place] = bool(one.entries) or subjects[place] in events
            users[place] = users[place] if one.own else NO_ITEM
        profiles = None
        if self._profiles is not None:
            profiles = self._profiles.of([subject if isinstance(subject, str) else None for subject in subjects])
        moments = np.full(len(users), int(moment), np.int64)
        return LiveQueries(
            Queries(histories, np.array(users, np.int32), moments, bought, profiles=profiles),
            known,
            [len(events.get(subject, ())) if isinstance(subject, str) else 0 for subject in subjects],
            state,
            subjects,
            events,
        )

    def in_bundle(self, user_id: str) -> Histories | None:
        """What the bundle holds of a user, as one history [1]; None: nothing that is not to be forgotten."""
        row = self._user_rows([user_id])[user_id]
        owned = self._owned(self._bundle.histories, [user_id], [row])
        if not owned:
            return None if row == NO_ITEM else self._bundle.histories.select([row])
        entries = owned[0].entries
        counts = [len(entries) // ENTRY_SIZE]
        return (
            self._merge(self._bundle.histories, [NO_ITEM], counts, entries, None, self._bundle.n_items)
            if entries
            else None
        )

    def _owned(self, histories: Histories, subjects: Sequence[Subject], users: Sequence[int]) -> dict[int, Owned]:
        """By the places of users whose part of the bundle is another than their row, what it is."""
        if not self.ownership.persons:
            return {}
        found = {
            place: self.ownership.of_user(histories, subject, user)
            for place, (subject, user) in enumerate(zip(subjects, users, strict=True))
            if isinstance(subject, str)
        }
        return {place: owned for place, owned in found.items() if owned is not None}

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
        if self._reader is None:
            return {}, "off"
        if not user_ids:
            return {}, "live"
        try:
            events_of_users = self._reader.events_of(user_ids, as_of, self._limit)
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
        owned = self._owned(self._bundle_purchases, subjects, users)
        counts, added = self._added(subjects, events, moment, self._types.purchases, 0.0, owned)
        users = _without(users, owned)
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
        owned: Mapping[int, Owned],
    ) -> tuple[list[int], list[float]]:
        """Events of the catalogue's items, or a session's items, all seen at that moment, as `merge` takes them.

        The weight of an event is that of its type, of a session's item `of_session`. What is `owned` at a place comes
        first.
        """
        item_ids = [event.item_id for events_of_user in events.values() for event in events_of_user]
        item_ids += [item_id for subject in subjects if not isinstance(subject, str) for item_id in subject]
        rows = self._item_rows(item_ids)
        counts: list[int] = []
        added: list[float] = []
        for place, subject in enumerate(subjects):
            before = len(added)
            if place in owned:
                added += owned[place].entries
            if isinstance(subject, str):
                for _, _, item_id, kind, timestamp, rating, *_ in self._types.standing(events.get(subject, ())):
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


def _without(users: Sequence[int], owned: Collection[int]) -> Sequence[int]:
    """The rows of users, `NO_ITEM` for those at some places."""
    return [NO_ITEM if place in owned else user for place, user in enumerate(users)] if owned else users


def _rows(find: Callable[[Sequence[str]], Mapping[str, int]], ids: Sequence[str]) -> dict[str, int]:
    """The rows of ids; `NO_ITEM` for an unknown one."""
    return {**dict.fromkeys(ids, NO_ITEM), **find(ids)}


def times_of_last(histories: Histories) -> list[int | None]:
    """Time of the last interaction of each history; None for an empty one."""
    bounds, timestamps = histories.indptr.tolist(), histories.timestamps
    return [int(timestamps[end - 1]) if end > start else None for start, end in pairwise(bounds)]
