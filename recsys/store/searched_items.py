"""The items that search finds: those of the served bundle, replaced as a whole, and changed as the shop says."""

from __future__ import annotations

import json
import time
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from recsys.core.item_changes import CATEGORIES, PRICE, ItemChange
from recsys.core.words import title_key, words_of
from recsys.store.database import Database
from recsys.store.errors import InvalidRecord
from recsys.store.item_conditions import CURRENT
from recsys.store.item_keys import Kind, keys_of
from recsys.store.live_item_records import fields_of
from recsys.store.records import ItemRow, check_key, finite, storable
from recsys.store.tables import CATALOGUES, ITEM_KEYS, ITEMS, LIVE_ITEMS, LIVE_ITEMS_VERSION

# SQLite has one writer at a time: events wait for the end of such a part, some tens of milliseconds.
ROWS_AT_ONCE = 500
KEYS_AT_ONCE = 5_000  # short rows, one beside the other
PAUSE_S = 0.01  # between parts
MAX_WORDS = 500  # of an item

T = TypeVar("T")

_SHOWN = ("title", "brand", CATEGORIES, PRICE, "image")

_C, _I, _K, _L = CATALOGUES.c, ITEMS.c, ITEM_KEYS.c, LIVE_ITEMS.c
_ITEM = sa.select(_I.item_id, _I.title, _I.brand, _I.categories, _I.price, _I.image, _I.position)


def put_items(database: Database, items: Iterable[ItemRow], version: str) -> None:
    """See `Store.put_items`."""
    check_key(version, "version of the items")
    if items_version(database) == version:
        return
    with database.write() as connection:
        begun = sa.insert(CATALOGUES).values(version=version, item_count=0, complete=0).returning(_C.catalogue)
        catalogue = connection.execute(begun).scalar_one()
    count = 0
    positions: dict[tuple[Kind, str], array[int]] = defaultdict(lambda: array("q"))
    for part in _parts(items, ROWS_AT_ONCE):
        rows = _rows(part, catalogue, count)
        for position, item in enumerate(part, count):
            for key in keys_of(item):
                positions[key].append(position)
        count += len(rows)
        with database.write() as connection:
            try:
                connection.execute(sa.insert(ITEMS), rows)
            except IntegrityError:
                raise InvalidRecord(
                    "items with an id each", "an id that occurs twice", "put each item once; the old ones stay"
                ) from None
        time.sleep(PAUSE_S)
    _put_keys(database, catalogue, positions)
    changed, more = _follow_changes(database, catalogue)
    count += more
    with database.write() as connection:
        # Whoever changes an item waits until it can be changed in these items, too.
        connection.execute(sa.select(LIVE_ITEMS_VERSION.c.version).with_for_update())
        count += _take_changes(connection, catalogue, _changes_since(connection, changed, None))
        done = sa.update(CATALOGUES).where(_C.catalogue == catalogue).values(complete=1, item_count=count)
        # If a call that began later is through, it has removed this row, and its items stay.
        connection.execute(done)
        connection.execute(sa.delete(CATALOGUES).where(_C.catalogue < catalogue))
    _remove_left_over(database)


def _put_keys(database: Database, catalogue: int, positions: Mapping[tuple[Kind, str], Sequence[int]]) -> None:
    """Put the keys of all items in their order, in parts: pages are written once, and not for every few items again."""
    keys = ((kind, key, position) for kind, key in sorted(positions) for position in positions[kind, key])
    for part in _parts(keys, KEYS_AT_ONCE):
        with database.write() as connection:
            connection.execute(
                sa.insert(ITEM_KEYS),
                [{"catalogue": catalogue, "kind": kind, "key": key, "position": at} for kind, key, at in part],
            )
        time.sleep(PAUSE_S)


def change_current(connection: sa.Connection, changes: Sequence[ItemChange]) -> None:
    """Let search find items as they are changed, within the transaction that keeps the changes."""
    catalogue = connection.execute(sa.select(CURRENT)).scalar_one()
    if catalogue is None:  # nothing is searched yet; the first items come with their changes
        return
    more = _take_changes(connection, catalogue, changes)
    if more:
        statement = sa.update(CATALOGUES).where(_C.catalogue == catalogue)
        connection.execute(statement.values(item_count=_C.item_count + more))


def items_version(database: Database) -> str | None:
    """See `Store.items_version`."""
    with database.read() as connection:
        return connection.execute(sa.select(_C.version).where(_C.catalogue == CURRENT)).scalar()


def count_items(database: Database) -> int:
    """Number of items that search finds."""
    with database.read() as connection:
        return connection.execute(sa.select(_C.item_count).where(_C.catalogue == CURRENT)).scalar() or 0


def _parts(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(rows)
    while part := list(islice(rest, size)):
        yield part


def _rows(items: Sequence[ItemRow], catalogue: int, first: int) -> list[dict[str, Any]]:
    """Rows of `items`."""
    rows = []
    for position, item in enumerate(items, first):
        check_key(item.item_id, f"item_id of item {position}")
        names = [storable(name) for name in item.categories]
        title, brand = storable(item.title or ""), storable(item.brand or "")
        rows.append(
            {
                "catalogue": catalogue,
                "position": position,
                "item_id": item.item_id,
                "title": title or None,
                "title_key": title_key(title),
                "brand": brand or None,
                "categories": json.dumps(names),
                "price": finite(item.price),
                "image": storable(item.image) if item.image else None,
                "words": " ".join(words_of(title, brand, *names, item.item_id)[:MAX_WORDS]),
            }
        )
    return rows


def _follow_changes(database: Database, catalogue: int) -> tuple[int, int]:
    """Change new items as the live ones are changed, in parts; the last change, and how many more items there are."""
    changed, more, last = 0, 0, ROWS_AT_ONCE
    while last == ROWS_AT_ONCE:
        with database.write() as connection:
            changes = _changes_since(connection, changed, ROWS_AT_ONCE)
            more += _take_changes(connection, catalogue, changes)
        last = len(changes)
        changed = changes[-1].version if changes else changed
        time.sleep(PAUSE_S)
    return changed, more


def _changes_since(connection: sa.Connection, version: int, limit: int | None) -> list[ItemChange]:
    columns = (_L.item_id, _L.fields, _L.deleted, _L.version, _L.updated_at)
    statement = sa.select(*columns).where(_L.version > version).order_by(_L.version).limit(limit)
    return [
        ItemChange(item_id, fields_of(fields), bool(deleted), number, timestamp)
        for item_id, fields, deleted, number, timestamp in connection.execute(statement)
    ]


def _take_changes(connection: sa.Connection, catalogue: int, changes: Sequence[ItemChange]) -> int:
    """Change, add and remove items of a catalogue; returns how many more there are."""
    ids = [change.item_id for change in changes]
    found: dict[str, Any] = {}
    for start in range(0, len(ids), ROWS_AT_ONCE):
        part = _I.item_id.in_(ids[start : start + ROWS_AT_ONCE])
        found.update((row.item_id, row) for row in connection.execute(_ITEM.where(_I.catalogue == catalogue, part)))
    last = connection.execute(sa.select(sa.func.max(_I.position)).where(_I.catalogue == catalogue)).scalar()
    position, more = 0 if last is None else last + 1, 0
    for change in changes:
        row = found.get(change.item_id)
        if change.deleted:
            if row is not None:
                _remove(connection, catalogue, row)
                more -= 1
        elif row is not None:
            _change(connection, catalogue, row, change)
        else:
            item = _changed(ItemRow(change.item_id), change)
            connection.execute(sa.insert(ITEMS), _rows([item], catalogue, position))
            _change_keys(connection, catalogue, position, frozenset(), frozenset(keys_of(item)))
            position, more = position + 1, more + 1
    return more


def _change(connection: sa.Connection, catalogue: int, row: Any, change: ItemChange) -> None:
    """Change an item where it stands."""
    before = item_of(row)
    after = _changed(before, change)
    if after == before:
        return
    (values,) = _rows([after], catalogue, row.position)
    if _found_by(before) == _found_by(after):
        values = {"price": values["price"], "image": values["image"]}
    connection.execute(sa.update(ITEMS).where(_I.catalogue == catalogue, _I.item_id == row.item_id).values(values))
    _change_keys(connection, catalogue, row.position, frozenset(keys_of(before)), frozenset(keys_of(after)))


def _remove(connection: sa.Connection, catalogue: int, row: Any) -> None:
    _change_keys(connection, catalogue, row.position, frozenset(keys_of(item_of(row))), frozenset())
    connection.execute(sa.delete(ITEMS).where(_I.catalogue == catalogue, _I.item_id == row.item_id))


def _change_keys(
    connection: sa.Connection,
    catalogue: int,
    position: int,
    before: frozenset[tuple[Kind, str]],
    after: frozenset[tuple[Kind, str]],
) -> None:
    """Let an item be listed by others than the keys that it had before."""
    at = (_K.catalogue == catalogue, _K.position == position)
    for kind, key in sorted(before - after):
        connection.execute(sa.delete(ITEM_KEYS).where(*at, _K.kind == kind, _K.key == key))
    for kind, key in sorted(after - before):
        row = {"catalogue": catalogue, "kind": kind, "key": key, "position": position}
        connection.execute(sa.insert(ITEM_KEYS), row)


def item_of(row: Any) -> ItemRow:
    """The item of a row of its columns."""
    return ItemRow(row.item_id, row.title, row.brand, tuple(json.loads(row.categories)), row.price, row.image)


def _changed(item: ItemRow, change: ItemChange) -> ItemRow:
    """An item of the catalogue with what a change says of the fields that search shows."""
    given: dict[str, Any] = {name: change.fields[name] for name in _SHOWN if name in change.fields}
    if CATEGORIES in given:
        given[CATEGORIES] = tuple(given[CATEGORIES] or ())
    return replace(item, **given)


def _found_by(item: ItemRow) -> tuple[object, ...]:
    return item.title, item.brand, item.categories


def _remove_left_over(database: Database) -> None:
    """Remove the items of catalogues that are gone, in parts."""
    before = sa.select(sa.func.min(_C.catalogue)).scalar_subquery()
    for table, at_once in ((ITEMS, ROWS_AT_ONCE), (ITEM_KEYS, KEYS_AT_ONCE)):
        key = sa.tuple_(*table.primary_key.columns)
        part = sa.select(*table.primary_key.columns).where(table.c.catalogue < before).limit(at_once)
        removed = at_once
        while removed:
            with database.write() as connection:
                removed = connection.execute(sa.delete(table).where(key.in_(part))).rowcount
            time.sleep(PAUSE_S)
