"""Events and users: append once, read the latest, list, count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from recsys.core.prefixes import end_of_prefix
from recsys.store import list_events, paging
from recsys.store.database import Database
from recsys.store.event_checks import check_events, check_list_events
from recsys.store.forgetting import note_removed, of_first_arrivals
from recsys.store.persons import owned, persons_of
from recsys.store.records import (
    Appended,
    Event,
    ListEvent,
    Page,
    UserRow,
    UserTotals,
    is_storable,
)
from recsys.store.tables import EVENTS, USERS

Named = TypeVar("Named", Event, ListEvent)
ROWS_AT_ONCE = 10_000
DEPTH = 10  # times as many events as items wanted are looked at; more would hold up the requests of others
_E, _U = EVENTS.c, USERS.c
_EVENT = sa.select(*[_E[name] for name in Event._fields])


def append(database: Database, events: Sequence[Event], of_lists: Sequence[ListEvent]) -> Appended:
    """See `Store.append`."""
    check_events(events)
    check_list_events(of_lists)
    first, first_of_lists = _first_of_ids(events), _first_of_ids(of_lists)
    if not first and not first_of_lists:
        return Appended(0, 0)
    with database.write() as connection:
        persons = persons_of(database, connection, [*_users(first), *_users(first_of_lists)])
        kept, kept_of_lists = owned(persons, first), owned(persons, first_of_lists)
        forgotten = len(first) + len(first_of_lists) - len(kept) - len(kept_of_lists)
        new = _insert(database, connection, kept) + list_events.insert(connection, kept_of_lists)
    return Appended(new, len(events) + len(of_lists) - new - forgotten, forgotten)


def _users(events: Sequence[Event] | Sequence[ListEvent]) -> list[str]:
    return [event.user_id for event in events]


def _first_of_ids(events: Sequence[Named]) -> list[Named]:
    first: dict[str, Named] = {}
    for event in events:
        first.setdefault(event.event_id, event)
    return list(first.values())


def _insert(database: Database, connection: sa.Connection, events: Sequence[Event]) -> int:
    """Insert those that are not there yet; returns how many."""
    if not events:
        return 0
    rows = [event._asdict() for event in events]
    database.backend.order_events(connection, rows)
    insert = database.backend.insert(EVENTS).on_conflict_do_nothing(index_elements=[_E.event_id])
    new = connection.execute(insert.returning(_E.user_id, _E.timestamp), rows).all()
    if new:
        _count_users(database, connection, [(user_id, timestamp) for user_id, timestamp in new])
    return len(new)


def _count_users(database: Database, connection: sa.Connection, new: list[tuple[str, float]]) -> None:
    """Add new events, given as user id and timestamp, to the counts and times of their users."""
    counts: dict[str, dict[str, Any]] = {}
    for user_id, timestamp in sorted(new):
        row = counts.setdefault(
            user_id, {"user_id": user_id, "event_count": 0, "first_timestamp": timestamp, "last_timestamp": timestamp}
        )
        row["event_count"] += 1
        row["last_timestamp"] = timestamp  # `new` is sorted, so the last one is the latest
    insert = database.backend.insert(USERS)
    added = insert.excluded
    update = insert.on_conflict_do_update(
        index_elements=[_U.user_id],
        set_={
            "event_count": _U.event_count + added.event_count,
            "first_timestamp": sa.case(
                (added.first_timestamp < _U.first_timestamp, added.first_timestamp), else_=_U.first_timestamp
            ),
            "last_timestamp": sa.case(
                (added.last_timestamp > _U.last_timestamp, added.last_timestamp), else_=_U.last_timestamp
            ),
        },
    )
    connection.execute(update, list(counts.values()))


def forget_events(database: Database, before: float, limit: int, until: float | None) -> int:
    """See `Store.forget_events`."""
    old = of_first_arrivals(EVENTS, before, until, limit)
    with database.write() as connection:
        database.backend.lock_persons(connection, shared=True)
        removal = sa.delete(EVENTS).where(_E.seq.in_(old)).returning(_E.user_id, _E.timestamp)
        removed = connection.execute(removal).all()
        if removed:
            _discount_users(connection, Counter(row.user_id for row in removed))
        note_removed(database, connection, EVENTS, [row.timestamp for row in removed], before)
    return len(removed)


def _discount_users(connection: sa.Connection, removed: Mapping[str, int]) -> None:
    """Correct the counts and times of users; `removed` is the number of removed events of each user id."""
    user: sa.BindParameter[str] = sa.bindparam("user")

    def of_remaining(function: Any) -> sa.ScalarSelect[Any]:
        return sa.select(function(_E.timestamp)).where(_E.user_id == user).scalar_subquery()

    update = (
        sa.update(USERS)
        .where(_U.user_id == user, _U.event_count > sa.bindparam("count"))
        .values(
            event_count=_U.event_count - sa.bindparam("count"),
            first_timestamp=of_remaining(sa.func.min),
            last_timestamp=of_remaining(sa.func.max),
        )
    )
    delete = sa.delete(USERS).where(_U.user_id == user, _U.event_count <= sa.bindparam("count"))
    # Sorted, because writers that lock rows in one order cannot wait for each other in a circle.
    for user_id, count in sorted(removed.items()):
        values = {"user": user_id, "count": count}
        if not connection.execute(update, values).rowcount:
            connection.execute(delete, values)


def events_of(database: Database, user_ids: Sequence[str], until: float | None, limit: int) -> dict[str, list[Event]]:
    """See `Store.events_of`."""
    values = {"until": float("inf") if until is None else until, "limit": limit}
    return _events(database, database.backend.latest_events, user_ids, values)


def item_events_of(
    database: Database, user_ids: Sequence[str], until: float | None, limit: int
) -> dict[str, list[Event]]:
    """See `Store.item_events_of`."""
    histories = events_of(database, user_ids, until, limit)
    # Fewer than `limit` events are all that there are; only repeats leave room for more items.
    cut = [
        user_id
        for user_id, events in histories.items()
        if len(events) >= limit > len({event.item_id for event in events})
    ]
    if cut:
        values = {"until": float("inf") if until is None else until, "limit": limit, "depth": limit * DEPTH}
        histories |= _events(database, database.backend.latest_items, cut, values)
    return histories


def _events(
    database: Database, statement: str, user_ids: Sequence[str], values: dict[str, Any]
) -> dict[str, list[Event]]:
    histories: dict[str, list[Event]] = {user_id: [] for user_id in user_ids}
    asked = [user_id for user_id in histories if is_storable(user_id)]
    if asked and values["limit"] > 0:
        for row in database.rows_of(statement, {**values, "users": database.backend.users_value(asked)}):
            histories[row[1]].append(Event._make(row))
    return histories


def all_events(database: Database) -> Iterator[list[Event]]:
    """See `Store.all_events`."""
    statement = _EVENT.order_by(_E.seq).execution_options(yield_per=ROWS_AT_ONCE)
    with database.stream() as connection:
        for rows in connection.execute(statement).partitions():
            yield [Event._make(row) for row in rows]
            database.limit(connection)


def users(database: Database, cursor: str | None, limit: int, prefix: str = "") -> Page[UserRow]:
    """See `Store.users`."""
    statement = sa.select(USERS).order_by(_U.user_id).limit(limit + 1)
    if cursor is not None:
        (after,) = paging.decode("users", cursor, str)
        # No id holds NUL, the lowest character: the ids after a text with NUL are those after the part before the NUL.
        statement = statement.where(_U.user_id > after.partition("\0")[0])
    if not is_storable(prefix):
        return Page([])
    if prefix:
        statement = statement.where(_U.user_id >= prefix)
        if (end := end_of_prefix(prefix)) is not None:
            statement = statement.where(_U.user_id < end)
    with database.read() as connection:
        rows = [UserRow(*row) for row in connection.execute(statement)]
    return paging.page("users", rows, limit, lambda row: [row.user_id])


def user_totals(database: Database, user_id: str) -> UserTotals | None:
    """See `Store.user_totals`."""
    if not is_storable(user_id):
        return None
    bought = _E.event_type == "purchase"
    pieces = sa.func.coalesce(_E.quantity, 1.0)
    statement = sa.select(
        _E.event_type,
        sa.func.count(),
        sa.func.min(_E.timestamp),
        sa.func.max(_E.timestamp),
        sa.func.coalesce(sa.func.sum(sa.case((bought, pieces))), 0.0),
        sa.func.coalesce(sa.func.sum(sa.case((bought, pieces * _E.price))), 0.0),
    )
    of_user = _E.user_id == user_id
    with database.read() as connection:
        by_type = connection.execute(statement.where(of_user).group_by(_E.event_type).order_by(_E.event_type)).all()
        items = connection.execute(sa.select(sa.func.count(_E.item_id.distinct())).where(of_user)).scalar_one()
    if not by_type:
        return None
    kinds, counts, firsts, lasts, quantities, amounts = zip(*by_type, strict=True)
    return UserTotals(
        user_id=user_id,
        events=sum(counts),
        first_timestamp=min(firsts),
        last_timestamp=max(lasts),
        by_type=dict(zip(kinds, counts, strict=True)),
        items=items,
        quantity=sum(quantities),
        spent=sum(amounts),
    )


def totals(database: Database) -> tuple[int, int, float | None]:
    """Number of events and of users, and the latest time. A row for each user is read, not one for each event."""
    statement = sa.select(
        sa.func.coalesce(sa.func.sum(_U.event_count), 0), sa.func.count(), sa.func.max(_U.last_timestamp)
    )
    with database.read() as connection:
        events, users, last = connection.execute(statement.select_from(USERS)).one()
    return int(events), users, last
