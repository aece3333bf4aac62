"""What came of served lists: each with the events that name it, and the events that belong to none.

An event belongs to a list that it names, that the log holds, and that was served at most an attribution window before
it. Times of shops are often of whole seconds, cut off, and their clocks some milliseconds apart: what seems to be of up
to `EARLY_S` before its list is taken for of the same moment. All such events lie between just before the start of the
time of lists and a window after its end, so that one look along the times of events finds them; no index of the lists
that events name is kept, which would be written at random places.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from recsys.store.database import Database
from recsys.store.forgetting import removed_until
from recsys.store.records import Served, mark_of
from recsys.store.served_log import served_of
from recsys.store.tables import EVENTS, LIST_EVENTS, SERVED

EARLY_S: Final = 1.0
"""An event that seems to precede its list by at most this is of the list's own time."""
ROWS_AT_ONCE: Final = 1000
IDS_AT_ONCE: Final = 500
PATIENCE_S: Final = 60.0
"""Longest that the database may take until the first rows come: it puts them in the order of their lists."""
_E, _S = EVENTS.c, SERVED.c
_BOTH: Final = (EVENTS, LIST_EVENTS)


class ListFollower(NamedTuple):
    """An event that belongs to a list.

    Attributes:
        timestamp: as of `Event`, and never before the list.
        item_id, event_type, price, quantity: as of `Event`.
        value: as of `ListEvent`.
    """

    timestamp: float
    item_id: str
    event_type: str
    price: float | None
    quantity: float | None
    value: str | None


class ListOutcomes:
    """What came of the lists of a store. Errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lists(
        self, since: float, until: float, window_s: float, *, followed_until: float | None = None, variants_of: str = ""
    ) -> Iterator[tuple[Served, list[ListFollower]]]:
        """Named lists in the order of their times, each with the events that belong to it in the order of theirs.

        Args:
            since: the lists are those served from this time on, in seconds since 1970.
            until: and before this one.
            window_s: longest time from a list to an event that belongs to it.
            followed_until: events of this time and later are left out; None: none is.
            variants_of: key of an experiment: lists of others may be left out. Empty: none is.

        Yields:
            Lists and events as of about the start of the call: lists are read after events, so that no event is without
            its list. At equal times events are in the order of their arrival, list events behind the others.
        """
        of_time = [_S.timestamp >= since, _S.timestamp < until, _S.recommendation_id.is_not(None)]
        if variants_of:
            of_time.append(_S.details.contains(mark_of(variants_of), autoescape=True))
        last = until + window_s if followed_until is None else min(followed_until, until + window_s)
        both = [_followers(table).where(*_followed(table, since, last, window_s), *of_time) for table in _BOTH]
        followers = sa.union_all(*both).order_by("list_time", "list_seq", "event_time", "behind", "event_seq")
        lists = sa.select(SERVED).where(*of_time).order_by(_S.timestamp, _S.seq)
        with closing(self._rows(followers)) as events, closing(self._rows(lists)) as rows:
            groups = _by_list(events)
            first, followed = next(groups)
            for row in rows:
                place = (row.timestamp, row.seq)
                while first < place:  # of a list that has just been removed
                    first, followed = next(groups)
                yield served_of(row), followed if first == place else []

    def unnamed(self, since: float, until: float) -> int:
        """Lists of a time that no event can name, of before events could; times as of `lists`."""
        statement = sa.select(sa.func.count()).where(
            _S.timestamp >= since, _S.timestamp < until, _S.recommendation_id.is_(None)
        )
        return int(self._all(statement)[0][0])

    def without_list(self, since: float, until: float, window_s: float) -> dict[tuple[str, str], int]:
        """How many events of a time belong to no list, by cause and type.

        Causes: `no_list_named`, `unknown_list` (the log does not hold it), `before_list`, `after_window`.

        Args:
            since: the events are those from this time on, in seconds since 1970.
            until: and before this one.
            window_s: as of `lists`.
        """
        found: dict[tuple[str, str], int] = {}
        for table in _BOTH:
            columns = table.c
            cause = sa.case(
                (columns.recommendation_id.is_(None), "no_list_named"),
                (_S.seq.is_(None), "unknown_list"),
                (columns.timestamp - _S.timestamp < -EARLY_S, "before_list"),
                (columns.timestamp - _S.timestamp > window_s, "after_window"),
                else_="",
            ).label("cause")
            joined = table.outerjoin(SERVED, _S.recommendation_id == columns.recommendation_id)
            statement = (
                sa.select(cause, columns.event_type, sa.func.count())
                .select_from(joined)
                .where(columns.timestamp >= since, columns.timestamp < until)
                .group_by(cause, columns.event_type)
            )
            for why, kind, count in self._all(statement):
                if why:
                    found[why, kind] = found.get((why, kind), 0) + int(count)
        return found

    def events_before(self, moments: Mapping[str, float], length_s: float) -> dict[str, int]:
        """Of each of some users, how many events there are in a time before a moment.

        Args:
            moments: of each user, in seconds since 1970.
            length_s: of the time, which ends just before the moment.
        """
        counts = dict.fromkeys(moments, 0)
        users = sorted(moments, key=lambda user: (moments[user], user))  # those of one statement are of about one time
        for start in range(0, len(users), IDS_AT_ONCE):
            part = users[start : start + IDS_AT_ONCE]
            statement = sa.select(_E.user_id, _E.timestamp).where(
                _E.user_id.in_(part),
                _E.timestamp >= moments[part[0]] - length_s,
                _E.timestamp < moments[part[-1]],
            )
            for user, timestamp in self._rows(statement):
                counts[user] += moments[user] - length_s <= timestamp < moments[user]
        return counts

    def removed_until(self) -> float | None:
        """The latest time of a list or an event that was removed since it had been kept for long enough.

        None: none was. Those of users who were forgotten do not count.
        """
        return removed_until(self._database)

    def _all(self, statement: sa.Select[Any]) -> list[Any]:
        return list(self._rows(statement))

    def _rows(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Generator[Any]:
        with self._database.stream() as connection:
            self._database.backend.allow(connection, PATIENCE_S)
            self._database.limit(connection, limit_s=PATIENCE_S)
            for rows in connection.execute(statement.execution_options(yield_per=ROWS_AT_ONCE)).partitions():
                yield from rows
                self._database.limit(connection, limit_s=PATIENCE_S)


def _by_list(events: Iterable[Any]) -> Iterator[tuple[tuple[float, int], list[ListFollower]]]:
    """Time and number of each list with the events of it, and in the end one behind all lists."""
    place, found = (-math.inf, 0), list[ListFollower]()
    for list_time, list_seq, timestamp, item_id, event_type, price, quantity, value, _, _ in events:
        if place != (list_time, list_seq):
            yield place, found
            place, found = (list_time, list_seq), []
        found.append(ListFollower(max(timestamp, list_time), item_id, event_type, price, quantity, value))
    yield place, found
    yield (math.inf, 0), []


def _followers(table: sa.Table) -> sa.Select[Any]:
    """Events of a table with the lists that they name, in the order of the fields of `ListFollower`."""
    columns = table.c
    nothing, number, behind = sa.cast(sa.null(), sa.String), sa.cast(sa.null(), sa.Double), table is LIST_EVENTS
    return sa.select(
        _S.timestamp.label("list_time"),
        _S.seq.label("list_seq"),
        columns.timestamp.label("event_time"),
        columns.item_id,
        columns.event_type,
        columns.get("price", number).label("price"),
        columns.get("quantity", number).label("quantity"),
        columns.get("value", nothing).label("value"),
        sa.literal_column(str(int(behind))).label("behind"),
        columns.seq.label("event_seq"),
    ).join_from(table, SERVED, _S.recommendation_id == columns.recommendation_id)


def _followed(table: sa.Table, since: float, last: float, window_s: float) -> list[sa.ColumnElement[bool]]:
    # The difference, and not the time compared with the list's: no index can be asked for it list by list.
    late = table.c.timestamp - _S.timestamp
    times = [table.c.timestamp >= since - EARLY_S, table.c.timestamp < last]
    return [*times, late >= -EARLY_S, late <= window_s]
