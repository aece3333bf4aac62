"""What a shop says of its items after a bundle was made. Changes come one by one, and each has a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import sqlalchemy as sa

from recsys.core.item_changes import CATEGORIES, PRICE, TEXT_FIELDS, FieldValue, ItemChange
from recsys.store import paging, searched_items
from recsys.store.database import Database
from recsys.store.errors import ItemConflict
from recsys.store.live_item_records import (
    MISSING,
    UNCHANGED,
    ItemWrite,
    LiveItem,
    WrittenItem,
    as_text,
    check_write,
    fields_of,
)
from recsys.store.records import Page, is_storable, storable
from recsys.store.tables import LIVE_ITEMS, LIVE_ITEMS_VERSION

_L, _V = LIVE_ITEMS.c, LIVE_ITEMS_VERSION.c
_NO_FIELDS: Final = dict.fromkeys((*TEXT_FIELDS, CATEGORIES, PRICE))
_LISTING: Final = "live items"
_IDS_AT_ONCE = 500
ROWS_AT_ONCE = 2000


class LiveItems:
    """The live items of a store. Errors as of `Store`.

    Who changes items locks their number of changes first: one at a time does, whatever the database, and a reader who
    knows that number knows all changes before it. Of an item that was changed several times the last state is kept:
    stock changes all the time, and a trail of that would outgrow everything else. What search finds changes with it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """How many changes there have been; a single row is read, so ask as often as you like."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(_V.version)).scalar_one())

    def changes_since(self, version: int = 0) -> Iterator[list[LiveItem]]:
        """Items whose last change has a greater number, in the order of these numbers, in parts.

        Whoever has read all parts knows every change up to `version()` as it was at the start of the call: an item
        that changes meanwhile moves behind those that are still to come.
        """
        while True:
            statement = sa.select(LIVE_ITEMS).where(_L.version > version).order_by(_L.version).limit(ROWS_AT_ONCE)
            with self._database.read() as connection:
                items = [_item(row) for row in connection.execute(statement)]
            if items:
                yield items
            if len(items) < ROWS_AT_ONCE:
                return
            version = items[-1].change.version

    def read(self) -> list[ItemChange]:
        """All live items, in the order of their last changes: what a preparation makes of them is the same again."""
        return [item.change for part in self.changes_since() for item in part]

    def find(self, item_ids: Sequence[str]) -> dict[str, LiveItem]:
        """Those of the items that are live, deleted ones among them, by id."""
        with self._database.read() as connection:
            return _current(connection, item_ids)

    def page(self, cursor: str | None, limit: int) -> Page[LiveItem]:
        """A page of all live items, the last changed first.

        Args:
            cursor: of the page before; None for the first page.
            limit: most rows, at least 1.

        Raises:
            InvalidCursor: see there.
        """
        statement = sa.select(LIVE_ITEMS).order_by(_L.version.desc()).limit(limit + 1)
        if cursor is not None:
            (before,) = paging.decode(_LISTING, cursor, int)
            statement = statement.where(_L.version < before)
        with self._database.read() as connection:
            items = [_item(row) for row in connection.execute(statement)]
        return paging.page(_LISTING, items, limit, lambda item: [item.change.version])

    def write(self, writes: Sequence[ItemWrite], *, who: str | None, timestamp: float) -> list[WrittenItem]:
        """Change items, in one transaction: all of them, or none.

        Args:
            writes: what is to be done, in this order; an item may be named more than once.
            who: who does this, if that is known. Characters that no database can hold become U+FFFD.
            timestamp: seconds since 1970.

        Returns:
            For each of them the item as it is then, and what was done. What says the same as before is no change.

        Raises:
            ItemConflict: some are not of the expected version, or there is no such item to patch or to delete.
            InvalidRecord: an id or a field cannot be stored.
        """
        for write in writes:
            check_write(write)
        with self._database.write() as connection:
            counted = connection.execute(sa.select(_V.version).with_for_update()).scalar_one()
            items = _current(connection, [write.item_id for write in writes])
            writer = _Writer(items, int(counted), None if who is None else storable(who), timestamp)
            written = [writer.write(place, write) for place, write in enumerate(writes)]
            if writer.faults:
                raise ItemConflict(writer.faults, writer.missing)
            self._keep(connection, writer)
        return written

    def put(
        self, item_id: str, fields: Mapping[str, FieldValue], *, who: str | None = None, timestamp: float
    ) -> WrittenItem:
        """Let an item have these fields, and None for others that any item may have; rest as of `write`."""
        return self.write([ItemWrite("put", item_id, fields)], who=who, timestamp=timestamp)[0]

    def patch(
        self,
        item_id: str,
        fields: Mapping[str, FieldValue],
        *,
        known: bool = True,
        who: str | None = None,
        timestamp: float,
    ) -> WrittenItem:
        """Change some fields of an item, None: it has none; arguments and errors as of `write`."""
        return self.write([ItemWrite("patch", item_id, fields, known)], who=who, timestamp=timestamp)[0]

    def delete(self, item_id: str, *, known: bool = True, who: str | None = None, timestamp: float) -> WrittenItem:
        """Take an item away; that is remembered. Arguments and errors as of `write`."""
        return self.write([ItemWrite("delete", item_id, known=known)], who=who, timestamp=timestamp)[0]

    def _keep(self, connection: sa.Connection, writer: _Writer) -> None:
        changed = [writer.items[item_id] for item_id in writer.changed]
        if not changed:
            return
        insert = self._database.backend.insert(LIVE_ITEMS)
        later = ("fields", "deleted", "version", "updated_at", "updated_by")
        upsert = insert.on_conflict_do_update(
            index_elements=[_L.item_id], set_={name: insert.excluded[name] for name in later}
        )
        connection.execute(upsert, [_row(item) for item in changed])
        connection.execute(sa.update(LIVE_ITEMS_VERSION).values(version=writer.version))
        searched_items.change_current(connection, [item.change for item in changed])


@dataclass
class _Writer:
    """Who changes items, in one transaction.

    Attributes:
        items: all that are named, as they are at the moment, by id.
        version: number of the last change.
        who, timestamp: of the changes.
        changed: ids of the items that are other ones than before, in the order of their changes.
        faults: what is wrong with changes, by their places.
        missing: places of changes of items that there are not.
    """

    items: dict[str, LiveItem]
    version: int
    who: str | None
    timestamp: float
    changed: dict[str, None] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)

    def write(self, place: int, write: ItemWrite) -> WrittenItem:
        """Change an item, or note what is wrong with that."""
        before = self.items.get(write.item_id)
        exists = write.known if before is None else not before.change.deleted
        if self._unexpected(place, write, before, exists):
            return WrittenItem(_nothing(write), "nothing")
        if write.action == "delete":
            wanted, done = ItemChange(write.item_id, {}, deleted=True), "deleted"
        elif write.action == "patch":
            fields = {} if before is None else before.change.fields
            wanted, done = ItemChange(write.item_id, {**fields, **write.fields}), "patched"
        else:
            wanted = ItemChange(write.item_id, {**_NO_FIELDS, **write.fields})
            done = "replaced" if exists else "created"
        if before is not None and _says_the_same(before.change, wanted):
            return WrittenItem(before, "nothing")
        return WrittenItem(self._changed(wanted, before), done)  # type: ignore[arg-type]

    def _unexpected(self, place: int, write: ItemWrite, before: LiveItem | None, exists: bool) -> bool:
        """Whether the item is not what the change expects; notes why."""
        if write.action != "put" and not exists:
            self.missing.add(place)
            self.faults[place] = f"there is no item {write.item_id!r}"
        elif write.expected == MISSING:
            if exists:
                self.faults[place] = f"there is an item {write.item_id!r}"
        elif write.expected is not None:
            version = UNCHANGED if before is None else before.change.version
            if version != write.expected:
                self.faults[place] = f"item {write.item_id!r} is of version {version}, not of {write.expected}"
        return place in self.faults

    def _changed(self, wanted: ItemChange, before: LiveItem | None) -> LiveItem:
        self.version += 1
        change = replace(wanted, version=self.version, timestamp=self.timestamp)
        first, since = (self.version, self.timestamp) if before is None else (before.first_version, before.since)
        self.items[change.item_id] = item = LiveItem(change, first, since, self.who)
        self.changed.pop(change.item_id, None)
        self.changed[change.item_id] = None
        return item


def _says_the_same(one: ItemChange, other: ItemChange) -> bool:
    return one.deleted == other.deleted and as_text(one.fields) == as_text(other.fields)


def _nothing(write: ItemWrite) -> LiveItem:
    return LiveItem(ItemChange(write.item_id), 0, 0.0)


def _current(connection: sa.Connection, item_ids: Sequence[str]) -> dict[str, LiveItem]:
    asked = [item_id for item_id in dict.fromkeys(item_ids) if is_storable(item_id)]
    found: dict[str, LiveItem] = {}
    for start in range(0, len(asked), _IDS_AT_ONCE):
        statement = sa.select(LIVE_ITEMS).where(_L.item_id.in_(asked[start : start + _IDS_AT_ONCE]))
        for row in connection.execute(statement):
            found[row.item_id] = _item(row)
    return found


def _item(row: Any) -> LiveItem:
    change = ItemChange(row.item_id, fields_of(row.fields), bool(row.deleted), row.version, row.updated_at)
    return LiveItem(change, row.first_version, row.since, row.updated_by)


def _row(item: LiveItem) -> dict[str, Any]:
    change = item.change
    return {
        "item_id": change.item_id,
        "fields": as_text(change.fields),
        "deleted": int(change.deleted),
        "version": change.version,
        "first_version": item.first_version,
        "since": item.since,
        "updated_at": change.timestamp,
        "updated_by": item.updated_by,
    }
