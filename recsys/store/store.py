"""The store as the server and the preparation of data see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from recsys.store import blurbs, event_log, forgetting, item_search, searched_items, served_log
from recsys.store import list_events as list_event_log
from recsys.store.database import Database
from recsys.store.errors import StoreError
from recsys.store.experiments import Experiments
from recsys.store.item_searches import FoundItems, ItemSearch
from recsys.store.list_outcomes import ListOutcomes
from recsys.store.live_items import LiveItems
from recsys.store.live_users import LiveUsers
from recsys.store.records import (
    Appended,
    BlurbKey,
    Event,
    ItemRow,
    ListEvent,
    Page,
    Served,
    StoreStats,
    UserRow,
    UserTotals,
)
from recsys.store.rules import Rules
from recsys.store.tables import BLURBS, EVENTS, LIST_EVENTS, SCHEMA_VERSION, SERVED, TEXT_VECTORS
from recsys.store.text_vectors import TextVectors


class Store:
    """Events and their users, items that search finds, served lists, blurbs, a shop's rules, experiments, live items.

    Safe to use from any number of threads and processes. Every method may raise `StoreUnavailable`: the database is
    down, locked, full or does not answer in time; the next call tries anew, with new connections where need be.

    Attributes:
        rules: of the shop.
        experiments: on the shop's lists.
        items: live ones, with what was said of them since a bundle was made.
        text_vectors: of the texts of live items.
        live_users: what the shop says of users: attributes, whom to forget, which ids are one person's.
        outcomes: what came of served lists.
    """

    def __init__(self, database: Database) -> None:
        self._database, self.rules, self.experiments = database, Rules(database), Experiments(database)
        self.items, self.text_vectors = LiveItems(database), TextVectors(database)
        self.live_users = LiveUsers(database)
        self.outcomes = ListOutcomes(database)

    @classmethod
    def open(cls, url: str, *, timeout_s: float = 2.0, pool_size: int = 4) -> Store:
        """Get ready to use the database at `url`; it is neither connected nor migrated yet.

        Args:
            url: sqlite:///PATH, postgresql://USER@HOST/DATABASE, or the path of an SQLite file.
            timeout_s: longest that a call waits for the database. To connect, PostgreSQL gets 2 s at least.
            pool_size: most connections; further calls wait for a free one.

        Raises:
            StoreError: the URL is wrong, the folder of an SQLite file is missing, or the driver is.
        """
        return cls(Database(url, timeout_s, pool_size))

    def upgrade(self, *, create: bool = True) -> None:
        """Create the tables, or bring them to this version, in one transaction.

        Processes that start at once wait for each other, up to a minute.

        Args:
            create: make the file of an SQLite store where there is none; otherwise that is `StoreUnavailable`.

        Raises:
            StoreError: the tables are of a newer version; a PostgreSQL database is not in UTF-8.
        """
        if create:
            self._database.create()
        if not self._is_current():
            from recsys.store import migrate  # noqa: PLC0415 - Alembic takes 10 MB where nothing is left to do

            migrate.upgrade(self._database)
            self._database.close()  # what was known of the file before

    def _is_current(self) -> bool:
        try:
            with self._database.read() as connection:
                version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        except StoreError:  # no tables
            return False
        return bool(version == SCHEMA_VERSION)

    def close(self) -> None:
        """Close the connections; a call that is under way ends first, and a later one opens new ones."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ping(self) -> None:
        """Ask the database for a sign of life; returns if there is one."""
        with self._database.read() as connection:
            connection.execute(sa.text("SELECT count(*) FROM alembic_version"))

    def probe(self) -> None:
        """Write something that changes nothing: returns if the database takes events."""
        self._database.probe()

    def try_out(self) -> None:
        """Find out whether `upgrade` would find, or could make, a database that takes changes; changes nothing.

        Raises:
            StoreError: it would not: a folder or a database that may not be written.
        """
        self._database.try_out()

    def open_to_others(self) -> str | None:
        """The SQLite file, if its mode lets other users than its owner read or write it; None otherwise."""
        return self._database.backend.open_to_others()

    def look(self) -> None:
        """Find out at little cost whether the files are those that were opened; raises `StoreDamaged` if not."""
        self._database.look()

    def abandon(self) -> None:
        """After `StoreDamaged`: close the connections, and let all calls fail until `reopen`.

        Stores of one process that use one file share what SQLite knows of it: abandon all before the first is reopened.

        Raises:
            StoreDamaged: another process still uses what is to be let go; try again.
        """
        self._database.abandon()

    def reopen(self, *, verify: bool = True) -> None:
        """Begin anew with what is there now.

        Args:
            verify: read all of it before, which takes its time; another store of the process has done so, if not.

        Raises:
            StoreDamaged: it is no sound store.
        """
        self._database.reopen(verify=verify)

    def append(self, events: Sequence[Event], list_events: Sequence[ListEvent] = ()) -> Appended:
        """Store events, and what is told of lists, in one transaction: on disk when it returns, all or none.

        An event whose id is in the store, or earlier in the batch, is a duplicate and changes nothing, so a call may
        be repeated after any error. Events and list events have their ids apart.

        Raises:
            InvalidRecord: an event holds what cannot be stored, see `Event` and `ListEvent`.
        """
        return event_log.append(self._database, events, list_events)

    def events_of(self, user_ids: Sequence[str], *, until: float | None = None, limit: int) -> dict[str, list[Event]]:
        """The latest events of users, oldest first; at equal times in the order of arrival.

        Args:
            user_ids: any texts.
            until: leave out what happened after this time, in seconds since 1970.
            limit: most events of each user.

        Returns:
            An entry for each user id; an empty one for a user without events.
        """
        return event_log.events_of(self._database, user_ids, until, limit)

    def item_events_of(
        self, user_ids: Sequence[str], *, until: float | None = None, limit: int
    ) -> dict[str, list[Event]]:
        """The events of the latest items of users, oldest first: what matters to a history that has each item once.

        Args:
            user_ids: any texts.
            until: leave out what happened after this time, in seconds since 1970.
            limit: most items of each user; they are looked for among the latest `DEPTH` times as many events.

        Returns:
            An entry for each user id. Of a user with more than `limit` events, those of an item that add nothing to it
            may be missing: earlier ones of the same type, of which rated and unrated ones count apart.
        """
        return event_log.item_events_of(self._database, user_ids, until, limit)

    def all_events(self) -> Iterator[list[Event]]:
        """All events in the order of arrival, as of the start of the call, in lists of up to 10,000."""
        return event_log.all_events(self._database)

    def users(self, cursor: str | None, limit: int, prefix: str = "") -> Page[UserRow]:
        """Users with events, ordered by id (code points).

        Args:
            cursor: of the page before; None for the first page.
            limit: most rows, at least 1.
            prefix: what their ids begin with.

        Raises:
            InvalidCursor: see there.
        """
        return event_log.users(self._database, cursor, limit, prefix)

    def user_totals(self, user_id: str) -> UserTotals | None:
        """The events of a user, summed up; None if there are none."""
        return event_log.user_totals(self._database, user_id)

    def put_items(self, items: Iterable[ItemRow], version: str) -> None:
        """Replace the items that search finds; does nothing if they are of this `version` already.

        The change is seen whole or not at all; events can be appended while it is prepared. Of two calls at the
        same time the one that began later stays.

        Args:
            items: in the order in which search lists them, for example by popularity.
            version: of the bundle that they are from.

        Raises:
            InvalidRecord: an item id or the version cannot be stored, or an item id occurs twice.
        """
        searched_items.put_items(self._database, items, version)

    def items_version(self) -> str | None:
        """`version` of the items that search finds; None before the first `put_items`."""
        return searched_items.items_version(self._database)

    def search_items(self, search: ItemSearch, cursor: str | None, limit: int) -> FoundItems:
        """A page of the items that match, and how many there are.

        Args:
            search: which items, in which order.
            cursor: of the page before, for the same order; None for the first page. If other items have been put since,
                the next page goes on after the last item shown.
            limit: most rows, at least 1.

        Raises:
            InvalidCursor: see there.
        """
        return item_search.search_items(self._database, search, cursor, limit)

    def add_served(self, rows: Sequence[Served]) -> None:
        """Record served lists, in one transaction. Characters that no database can hold become U+FFFD.

        A list whose recommendation_id is in the store changes nothing, so a call may be repeated after any error.
        """
        served_log.add_served(self._database, rows)

    def served(self, since: float, until: float) -> Iterator[Served]:
        """The lists served from `since` to before `until`, in seconds since 1970, ordered by time."""
        return served_log.served(self._database, since, until)

    def latest_served(self, limit: int) -> Sequence[float]:
        """Times of the lists that were recorded last, the latest record first."""
        return forgetting.latest_times(self._database, SERVED, limit)

    def latest_events(self, limit: int) -> Sequence[float]:
        """Times of the events that arrived last, the latest arrival first."""
        return forgetting.latest_times(self._database, EVENTS, limit)

    def forget_served(self, before: float, limit: int, *, until: float | None = None) -> int:
        """Remove up to `limit` records of lists served before a time, the oldest first; returns how many.

        With `until`, in the order of their arrival: see `forget_events`.
        """
        return served_log.forget_served(self._database, before, limit, until)

    def forget_events(self, before: float, limit: int, *, until: float | None = None) -> int:
        """Remove, of the `limit` events that arrived first, those of before a time; returns how many.

        An event that arrived late is therefore removed late, and no index on the time is needed. The counts of users
        are corrected; a user without events left is removed. The id of a removed event is no duplicate any more.

        Args:
            before: seconds since 1970.
            limit: how many are looked at.
            until: with it, those alone go that arrived before any that stays, since a clock may have been behind when
                it gave an event its time; times after `until` are of one that was ahead, and say nothing.
        """
        return event_log.forget_events(self._database, before, limit, until)

    def latest_list_events(self, limit: int) -> Sequence[float]:
        """Times of the list events that arrived last, the latest arrival first."""
        return forgetting.latest_times(self._database, LIST_EVENTS, limit)

    def forget_list_events(self, before: float, limit: int, *, until: float | None = None) -> int:
        """As `forget_events`, of list events."""
        return list_event_log.forget_list_events(self._database, before, limit, until)

    def blurb(self, key: BlurbKey) -> str | None:
        """The text kept under a key; None if there is none."""
        return blurbs.blurb(self._database, key)

    def keep_blurb(self, key: BlurbKey, text: str, timestamp: float) -> None:
        """Keep a text, unless there is one under its key; a key that no database can hold is let go."""
        blurbs.keep_blurb(self._database, key, text, timestamp)

    def latest_blurbs(self, limit: int) -> Sequence[float]:
        """Times of the blurbs that were kept last, the latest first."""
        return forgetting.latest_times(self._database, BLURBS, limit)

    def forget_blurbs(self, before: float, limit: int, *, until: float | None = None) -> int:
        """Remove up to `limit` blurbs of before a time, the first kept first; `until` and answer as `forget_served`."""
        return blurbs.forget_blurbs(self._database, before, limit, until)

    def latest_text_vectors(self, limit: int) -> Sequence[float]:
        """Times of the vectors of texts that were kept last, the latest first."""
        return forgetting.latest_times(self._database, TEXT_VECTORS, limit)

    def stats(self) -> StoreStats:
        """Number of events, users and items, and the time of the latest event."""
        events, users, last = event_log.totals(self._database)
        return StoreStats(events, users, searched_items.count_items(self._database), last)
