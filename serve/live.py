"""What is known of users at this moment: their histories in the bundle and their events in the store, as one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import Bundle
from recsys.dataset.histories import Histories
from recsys.retrieval.base import NO_ITEM, Queries
from recsys.store import EVENT_WEIGHTS, Event, StoreUnavailable
from serve.schemas.recommendations import StoreState
from serve.store_link import StoreLink

Subject = str | tuple[str, ...]
Entry = tuple[int, float, float, float]  # item row, time in seconds, rating (NaN: none), weight
EVENT_LOG_FORMATS = ("events", "store")
MAX_ROWS = 20_000


@dataclass(frozen=True)
class LiveQueries:
    """Users to recommend for, and where their histories came from.

    Attributes:
        queries: B users.
        known: whether the bundle or the store knows each of them.
        live_events: number of events of each that the store gave.
        store: whether the store was read.
    """

    queries: Queries
    known: list[bool]
    live_events: list[int]
    store: StoreState


class LiveHistories:
    """Merges the histories of one bundle with the store's events.

    An item is in a history once, at the time of its latest event, with the weight of its strongest one and its latest
    rating; so the bundle's interactions and the same ones read again from the store count once. Events of
    items that the bundle does not know are left out.
    """

    def __init__(self, bundle: Bundle, link: StoreLink | None, limit: int) -> None:
        """`limit`: most recent events read of each user; no `link`: there is no store."""
        self._bundle, self._link, self._limit = bundle, link, limit
        self._weights = event_weights(bundle)
        self._rows: dict[str, int | None] = {}

    def of(self, subjects: Sequence[Subject], now: float, as_of: float | None = None) -> LiveQueries:
        """Queries of users and sessions.

        Args:
            subjects: B of them: the id of a user, known or not, or the item ids of a session, oldest first.
            now: seconds since 1970.
            as_of: leave out what happened after this time, which takes the place of `now`; None: read everything.
        """
        moment = now if as_of is None else as_of
        user_ids = [subject for subject in subjects if isinstance(subject, str)]
        known = self._bundle.catalogue.user_rows(user_ids)
        users = np.array([known.get(s, NO_ITEM) if isinstance(s, str) else NO_ITEM for s in subjects], np.int32)
        histories = self._bundle.histories.select(users)
        events, state = self._events(user_ids, as_of)
        if events or as_of is not None or len(user_ids) < len(subjects):
            histories = merge(histories, self._added(subjects, events, moment), as_of)
        return LiveQueries(
            Queries(histories, users, np.full(len(users), int(moment), np.int64)),
            [subject in known or subject in events for subject in subjects],
            [len(events.get(subject, ())) if isinstance(subject, str) else 0 for subject in subjects],
            state,
        )

    def _events(self, user_ids: Sequence[str], as_of: float | None) -> tuple[Mapping[str, list[Event]], StoreState]:
        """Events of those users who have any."""
        if self._link is None:
            return {}, "off"
        if not user_ids:
            return {}, "live"
        try:
            found = self._link.events_of(user_ids, as_of, self._limit)
        except StoreUnavailable:
            return {}, "unavailable"
        return {user_id: events for user_id, events in found.items() if events}, "live"

    def _added(
        self, subjects: Sequence[Subject], events: Mapping[str, list[Event]], moment: float
    ) -> list[list[Entry]]:
        """Of each subject its events of known items, or a session's items, all seen at that moment."""
        visited = {item_id for subject in subjects if not isinstance(subject, str) for item_id in subject}
        rows = self._item_rows(visited.union(*([event.item_id for event in found] for found in events.values())))
        added = []
        for subject in subjects:
            if isinstance(subject, str):
                found = [(rows[event.item_id], event) for event in events.get(subject, ())]
                added.append([self._entry(row, event) for row, event in found if row is not None])
            else:
                places = [rows[item_id] for item_id in subject]
                added.append([(row, moment, math.nan, 1.0) for row in places if row is not None])
        return added

    def _entry(self, row: int, event: Event) -> Entry:
        rating = math.nan if event.rating is None else event.rating
        return row, event.timestamp, rating, self._weights[event.event_type]

    def _item_rows(self, item_ids: set[str]) -> Mapping[str, int | None]:
        """At least the rows of these items, None for an unknown one; those of `MAX_ROWS` items are kept."""
        rows = self._rows
        missing = item_ids - rows.keys()
        if len(rows) + len(missing) > MAX_ROWS:
            rows = self._rows = {}  # a new one: another thread may be reading the old one
            missing = item_ids
        if missing:
            found = self._bundle.catalogue.item_rows(missing)
            rows.update((item_id, found.get(item_id)) for item_id in missing)
        return rows


def event_weights(bundle: Bundle) -> Mapping[str, float]:
    """Weight of each type of event, as the bundle was trained: all alike unless from an event log."""
    data = bundle.manifest["config"].get("data", {})
    if data.get("format") in EVENT_LOG_FORMATS:
        return {**EVENT_WEIGHTS, **data.get("event_weights", {})}
    return dict.fromkeys(EVENT_WEIGHTS, 1.0)


def merge(base: Histories, added: Sequence[Sequence[Entry]], until: float | None) -> Histories:
    """Histories with more interactions: each item once, at its latest time; see `LiveHistories`.

    Args:
        base: of B users.
        added: of each of them, item row, time in seconds, rating (NaN: none) and weight, in the order of arrival.
        until: leave out what is later; None: nothing.
    """
    count = len(base)
    extra = np.array([entry for entries in added for entry in entries], np.float64).reshape(-1, 4)
    users = np.concatenate(
        [np.repeat(np.arange(count), base.lengths), np.repeat(np.arange(count), [len(entries) for entries in added])]
    )
    items = np.concatenate([base.items, extra[:, 0].astype(np.int32)])
    times = np.concatenate([base.timestamps.astype(np.float64), extra[:, 1]])
    ratings = np.concatenate([base.ratings, extra[:, 2].astype(np.float32)])
    weights = np.concatenate([base.weights, extra[:, 3].astype(np.float32)])

    pair = users.astype(np.int64) << 32 | items
    order = np.lexsort((times, pair))  # stable: equal times stay in the order of arrival
    if until is not None:
        order = order[times[order] <= until]
    if not len(order):
        return base.select(np.full(count, NO_ITEM))
    starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
    latest = np.append(starts[1:], len(order)) - 1
    weights = np.maximum.reduceat(weights[order], starts)
    rated = np.maximum.reduceat(np.where(np.isnan(ratings[order]), -1, np.arange(len(order))), starts)
    ratings = np.where(rated < 0, np.float32(np.nan), ratings[order[rated]])
    kept = order[latest]
    by_time = np.lexsort((kept, times[kept], users[kept]))
    kept = kept[by_time]
    return Histories.from_rows(
        count, users[kept], items[kept], times[kept].astype(np.int64), ratings[by_time], weights[by_time]
    )


def timestamps_of_last(histories: Histories) -> NDArray[np.float64]:
    """float64 [B], time of the last interaction of each history; NaN for an empty one."""
    last = np.full(len(histories), np.nan)
    filled = histories.lengths > 0
    last[filled] = histories.timestamps[histories.indptr[1:][filled] - 1]
    return last
