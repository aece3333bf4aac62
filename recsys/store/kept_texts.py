"""Texts by key, with a trail of all changes. Changes come one by one, and each has a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from recsys.store import paging
from recsys.store.database import Database
from recsys.store.errors import TextConflict, TooManyTexts
from recsys.store.kept_text_records import StoredText, StoredTexts, TextAction, TextChange, check_body
from recsys.store.records import Page, check_key, is_storable, storable

ABSENT: Final = 0  # the version of a text that does not exist
Put = tuple[StoredText, Literal["created", "replaced"] | None]
"""A text as it is now, and what was done; None: it said the same before, nothing was changed."""


@dataclass(frozen=True)
class TextTables:
    """Where one kind of texts is kept.

    Attributes:
        noun: what one of them is called, with its article.
        listing: name of the listing of changes, by which its cursors are known.
        texts: key, body, version, updated_at, updated_by.
        changes: version, key, action, who, timestamp, before, after.
        version: of one row, the number of changes.
    """

    noun: str
    listing: str
    texts: sa.Table
    changes: sa.Table
    version: sa.Table

    @property
    def name(self) -> str:
        """What one of them is called."""
        return self.noun.partition(" ")[2]

    @property
    def key(self) -> sa.Column[Any]:
        """Of the texts."""
        return self.texts.primary_key.columns[0]

    @property
    def changed(self) -> sa.Column[Any]:
        """The key in the trail of changes."""
        return self.changes.c[self.key.name]


class KeptTexts:
    """Texts of a store, with all that was ever done with them. Errors as of `Store`.

    Who changes texts locks their number of changes first: one at a time does, whatever the database, and a reader who
    knows that number knows all changes before it.
    """

    def __init__(self, database: Database, tables: TextTables) -> None:
        self._database, self._tables = database, tables

    def version(self) -> int:
        """How many changes there have been; a single row is read, so ask as often as you like."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(self._tables.version.c.version)).scalar_one())

    def read(self) -> StoredTexts:
        """All texts, and how many changes made them; one statement reads both, as of one moment."""
        version, texts = self._tables.version, self._tables.texts
        everything = version.join(texts, sa.true(), isouter=True)
        statement = sa.select(version.c.version, texts).select_from(everything).order_by(self._tables.key)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return StoredTexts(rows[0][0], tuple(StoredText(*row[1:]) for row in rows if row[1] is not None))

    def put(
        self,
        key: str,
        body: str,
        *,
        who: str | None,
        timestamp: float,
        expected: int | None = None,
        most: int,
    ) -> Put:
        """Create or replace a text, and note that in the trail of changes, in one transaction.

        Args:
            key: its name.
            body: what it says, any text.
            who: who does this, if that is known. Characters that no database can hold become U+FFFD.
            timestamp: seconds since 1970.
            expected: version that the text must be of, `ABSENT`: it must not exist; None: whatever it is.
            most: texts that there may be.

        Raises:
            TextConflict: it is not of the expected version.
            TooManyTexts: there are as many as may be.
            InvalidRecord: key or body cannot be stored.
        """
        check_body(body, self._tables.noun)
        with self._writer(who, timestamp) as writer:
            return writer.write(key, lambda: body, expected, most)

    def revise(
        self,
        key: str,
        revised: Callable[[Mapping[str, StoredText]], str],
        *,
        who: str | None,
        timestamp: float,
        expected: int | None = None,
        most: int,
    ) -> Put:
        """As `put`, of a body that follows from all texts of the moment, by key: nobody changes one in between.

        What `revised` raises leaves everything as it was. It is called in the transaction, and is to be quick.
        """
        with self._writer(who, timestamp) as writer:
            return writer.write(key, lambda: revised(writer.texts()), expected, most)

    def delete(
        self,
        key: str,
        *,
        who: str | None,
        timestamp: float,
        expected: int | None = None,
        check: Callable[[StoredText], None] | None = None,
    ) -> StoredText | None:
        """Remove a text, which the trail of changes keeps; arguments and errors as of `put`.

        Args:
            key, who, timestamp, expected: as of `put`.
            check: what it raises of the text keeps it.

        Returns:
            The text that is no more; None: there was none.
        """
        if not is_storable(key):
            return None
        with self._writer(who, timestamp) as writer:
            before = writer.current(key, expected)
            if before is None:
                return None
            if check is not None:
                check(before)
            writer.connection.execute(sa.delete(self._tables.texts).where(self._tables.key == key))
            writer.note(key, "deleted", before.body, None)
            self._deleted(writer.connection, key)
        return before

    def seed(self, bodies: Mapping[str, str], *, who: str | None, timestamp: float, most: int) -> bool:
        """Create texts, given as bodies by key, if there has never been one; returns whether any were created.

        Other arguments and errors as of `put`.
        """
        for key, body in bodies.items():
            check_key(key, f"the id of {self._tables.noun}")
            check_body(body, self._tables.noun)
        with self._writer(who, timestamp) as writer:
            if writer.version:
                return False
            writer.require_room(len(bodies), most)
            for key, body in bodies.items():
                writer.put(key, body, None)
        return bool(bodies)

    def changes(self, key: str | None, cursor: str | None, limit: int) -> Page[TextChange]:
        """Changes of all texts, or of one that may not exist any more, the latest first.

        Args:
            key: of the one; None: of all.
            cursor: of the page before; None for the first page.
            limit: most rows, at least 1.

        Raises:
            InvalidCursor: see there.
        """
        number, listing = self._tables.changes.c.version, self._tables.listing
        statement = sa.select(self._tables.changes).order_by(number.desc()).limit(limit + 1)
        if cursor is not None:
            (before,) = paging.decode(listing, cursor, int)
            statement = statement.where(number < before)
        if key is not None:
            if not is_storable(key):
                return Page([])
            statement = statement.where(self._tables.changed == key)
        with self._database.read() as connection:
            changes = [TextChange(*row) for row in connection.execute(statement)]
        return paging.page(listing, changes, limit, lambda change: [change.version])

    def _deleted(self, connection: sa.Connection, key: str) -> None:
        """What else goes with a text, in the same transaction."""

    @contextmanager
    def _writer(self, who: str | None, timestamp: float) -> Iterator[_Writer]:
        """A transaction in which nobody else changes texts."""
        with self._database.write() as connection:
            statement = sa.select(self._tables.version.c.version).with_for_update()
            version = int(connection.execute(statement).scalar_one())
            yield _Writer(connection, self._tables, None if who is None else storable(who), timestamp, version)


@dataclass
class _Writer:
    """Who changes texts, in one transaction; `version`: number of changes so far."""

    connection: sa.Connection
    tables: TextTables
    who: str | None
    timestamp: float
    version: int

    def texts(self) -> dict[str, StoredText]:
        """All of them as they are now."""
        rows = self.connection.execute(sa.select(self.tables.texts).order_by(self.tables.key))
        return {row[0]: StoredText(*row) for row in rows}

    def current(self, key: str, expected: int | None) -> StoredText | None:
        """A text as it is now, which must be of the `expected` version."""
        row = self.connection.execute(sa.select(self.tables.texts).where(self.tables.key == key)).one_or_none()
        current = None if row is None else StoredText(*row)
        version = ABSENT if current is None else current.version
        if expected is not None and expected != version:
            raise TextConflict(
                f"{self.tables.name} {key!r} {_state(expected)}",
                f"one {_state(version)}",
                "read it again and decide anew; nothing was changed",
            )
        return current

    def require_room(self, more: int, most: int) -> None:
        """Stop where there would be too many."""
        statement = sa.select(sa.func.count()).select_from(self.tables.texts)
        count = int(self.connection.execute(statement).scalar_one()) + more
        if count > most:
            raise TooManyTexts(f"{most} {self.tables.name}s at most", f"{count}", "delete some; nothing was changed")

    def write(self, key: str, said: Callable[[], str], expected: int | None, most: int) -> Put:
        """See `KeptTexts.put`."""
        check_key(key, f"the id of {self.tables.noun}")
        before = self.current(key, expected)
        body = said()
        check_body(body, self.tables.noun)
        if before is not None and before.body == body:
            return before, None
        if before is None:
            self.require_room(1, most)
        return self.put(key, body, before), "created" if before is None else "replaced"

    def put(self, key: str, body: str, before: StoredText | None) -> StoredText:
        """Write a text in the place of what was there before."""
        text = StoredText(key, body, self.version + 1, self.timestamp, self.who)
        row = dict(zip(self.tables.texts.c.keys(), text, strict=True))
        if before is None:
            self.connection.execute(sa.insert(self.tables.texts), row)
        else:
            self.connection.execute(sa.update(self.tables.texts).where(self.tables.key == key).values(row))
        self.note(key, "created" if before is None else "replaced", before and before.body, body)
        return text

    def note(self, key: str, action: TextAction, before: str | None, after: str | None) -> None:
        """Write what happens into the trail, and count it."""
        self.version += 1
        change = TextChange(self.version, key, action, self.who, self.timestamp, before, after)
        row = dict(zip(self.tables.changes.c.keys(), change, strict=True))
        self.connection.execute(sa.insert(self.tables.changes), row)
        self.connection.execute(sa.update(self.tables.version).values(version=self.version))


def _state(version: int) -> str:
    return "that does not exist" if version == ABSENT else f"of version {version}"
