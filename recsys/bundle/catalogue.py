"""Items and users of a bundle by id and by row: a read-only SQLite file."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.bundle.read_only_sqlite import ReadOnlySqlite
from recsys.core.errors import BundleError, DamagedBundleError
from recsys.core.prefixes import end_of_prefix
from recsys.core.stored_arrays import REMEDY

_SCHEMA = """
CREATE TABLE items (
    row INTEGER PRIMARY KEY,
    item_id TEXT NOT NULL UNIQUE,
    title TEXT,
    brand TEXT,
    categories TEXT NOT NULL,  -- JSON list of strings, from general to specific
    price REAL,
    image TEXT,
    description TEXT
);
CREATE TABLE users (row INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE);
"""
_SOUND_USER = "typeof(user_id) = 'text'"
_SOUND_ITEM = " AND ".join(
    (
        "typeof(item_id) = 'text' AND typeof(categories) = 'text'",
        "(price IS NULL OR typeof(price) IN ('real', 'integer') AND abs(price) < 1e12)",
        *(f"typeof({name}) IN ('text', 'null')" for name in ("title", "brand", "image", "description")),
    )
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_PARAMETERS = 500
_ITEM_COLUMNS = "items.row, item_id, title, brand, categories, price, image, description"


@dataclass(frozen=True)
class ItemRecord:
    """An item of a bundle's catalogue; None (or no categories) where the prepared dataset has nothing."""

    row: int
    item_id: str
    title: str | None = None
    brand: str | None = None
    categories: tuple[str, ...] = ()
    price: float | None = None
    image: str | None = None
    description: str | None = None


class ItemCard(NamedTuple):
    """What a list shows of an item."""

    item_id: str
    title: str | None
    brand: str | None
    price: float | None


def write_catalogue(path: Path, items: Iterable[ItemRecord], user_ids: Iterable[str]) -> None:
    """Write the catalogue to the new file `path`.

    Args:
        path: must not exist.
        items: item rows 0..N-1, each once.
        user_ids: original ids; the n-th belongs to user row n.

    Raises:
        BundleError: an id or a row occurs twice.
        OSError: the file cannot be written.
    """
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(_SCHEMA)
            connection.executemany(
                "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (i.row, i.item_id, i.title, i.brand, json.dumps(i.categories), i.price, i.image, i.description)
                    for i in items
                ),
            )
            connection.executemany("INSERT INTO users VALUES (?, ?)", enumerate(user_ids))
    except sqlite3.IntegrityError as error:
        raise BundleError("distinct item and user ids", str(error), "prepare the dataset again") from error
    except sqlite3.OperationalError as error:  # SQLite's own word for a full disk
        raise OSError(f"{path}: {error}") from error
    finally:
        connection.close()


class Catalogue:
    """Reads a catalogue; safe to use from any number of threads, and though the file be removed meanwhile.

    Every method raises `DamagedBundleError` where the file cannot be read any more.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            BundleError: no such file, not a catalogue, or one with rows that are none.
        """
        try:
            self._file = ReadOnlySqlite(path)
            self.n_items = self._count("items", _SOUND_ITEM)
            self.n_users = self._count("users", _SOUND_USER)
        except (sqlite3.Error, DamagedBundleError) as error:
            raise BundleError(f"a catalogue in {path}", str(error.__cause__ or error), REMEDY) from error

    def _count(self, table: str, sound: str) -> int:
        """Rows of a table: 0, 1, ... and each of them sound."""
        ((count, first, last, odd),) = self._file.rows(
            f"SELECT count(*), min(row), max(row), min(CASE WHEN {sound} THEN NULL ELSE row END) FROM {table}"
        )
        if count and (first, last) != (0, count - 1):
            raise BundleError(f"{table} 0 to {count - 1} in {self._file.path}", f"{first} to {last}", REMEDY)
        if odd is not None:
            raise BundleError(f"{sound} of all {table} in {self._file.path}", f"others in row {odd}", REMEDY)
        return int(count)

    def item_row(self, item_id: str) -> int | None:
        """Row of an item; None if unknown."""
        return self.item_rows([item_id]).get(item_id)

    def item_rows(self, item_ids: Iterable[str]) -> dict[str, int]:
        """Rows of those items that are in the catalogue."""
        return self._rows("SELECT item_id, row FROM items WHERE item_id", item_ids)

    def user_rows(self, user_ids: Iterable[str]) -> dict[str, int]:
        """Rows of those users who are in the catalogue."""
        return self._rows("SELECT user_id, row FROM users WHERE user_id", user_ids)

    def items(self, rows: Sequence[int] | NDArray[np.integer]) -> list[ItemRecord]:
        """Records of the item rows, in their order.

        Raises:
            KeyError: a row is not in the catalogue (`NO_ITEM` for one).
        """
        records = self._file.rows(
            f"SELECT {_ITEM_COLUMNS} FROM json_each(?) AS chosen JOIN items ON items.row = chosen.value "
            "ORDER BY chosen.key",
            _as_json(rows),
        )
        if len(records) != len(rows):
            raise KeyError(f"rows {sorted(set(map(int, rows)) - {row[0] for row in records})} are not in the catalogue")
        return [
            ItemRecord(row, item_id, title, brand, tuple(json.loads(categories)), *rest)
            for row, item_id, title, brand, categories, *rest in records
        ]

    def cards(self, rows: Sequence[int]) -> dict[int, ItemCard]:
        """What lists show of the item rows; a row that is not in the catalogue is left out."""
        cards = self._file.rows(
            "SELECT items.row, item_id, title, brand, price FROM json_each(?) AS chosen "
            "JOIN items ON items.row = chosen.value",
            _as_json(rows),
        )
        return {row: ItemCard(*rest) for row, *rest in cards}

    def texts(self, column: Literal["item_id", "title", "brand"]) -> Iterator[str | None]:
        """One text of every item, in the order of their rows; None where there is none."""
        with self._file.cursor(f"SELECT {column} FROM items ORDER BY row") as records:
            for (text,) in records:
                yield text

    def facets(self) -> Iterator[tuple[str | None, tuple[str, ...], float | None]]:
        """Brand, categories and price of every item, in the order of their rows.

        Raises:
            BundleError: categories that are none.
        """
        parsed: dict[str, tuple[str, ...]] = {}  # few distinct lists of categories serve many items
        with self._file.cursor("SELECT brand, categories, price FROM items ORDER BY row") as records:
            for brand, categories, price in records:
                if categories not in parsed:
                    parsed[categories] = self._names(categories)
                yield brand, parsed[categories], price

    def _names(self, categories: str) -> tuple[str, ...]:
        try:
            names = json.loads(categories)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"categories in {self._file.path}", str(error), REMEDY) from error
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BundleError(f"lists of categories in {self._file.path}", repr(categories[:80]), REMEDY)
        return tuple(names)

    def users_after(self, user_id: str | None, limit: int, prefix: str = "") -> list[tuple[str, int]]:
        """Ids and rows of up to `limit` users, ordered by code point of the id, from the first after `user_id`.

        `prefix`: what their ids begin with.
        """
        bounds = {">": user_id, ">=": prefix or None, "<": end_of_prefix(prefix)}
        given = {sign: bound for sign, bound in bounds.items() if bound is not None}
        where = " AND ".join(f"user_id {sign} ?" for sign in given) or "true"
        statement = f"SELECT user_id, row FROM users WHERE {where} ORDER BY user_id LIMIT ?"
        return self._file.rows(statement, *given.values(), limit)

    def item_ids(self, rows: Sequence[int] | NDArray[np.integer]) -> list[str]:
        """Original ids of the item rows, in their order; KeyError as `items`."""
        return self._ids("items", "item_id", rows)

    def user_ids(self, rows: Sequence[int] | NDArray[np.integer]) -> list[str]:
        """Original ids of the user rows, in their order; KeyError for an unknown row."""
        return self._ids("users", "user_id", rows)

    def _ids(self, table: str, column: str, rows: Sequence[int] | NDArray[np.integer]) -> list[str]:
        ids = self._file.rows(
            f"SELECT {column} FROM json_each(?) AS chosen JOIN {table} ON {table}.row = chosen.value "
            "ORDER BY chosen.key",
            _as_json(rows),
        )
        if len(ids) != len(rows):
            raise KeyError(f"some of {len(rows)} rows are not in the catalogue's {table}")
        return [row[0] for row in ids]

    def _rows(self, statement: str, ids: Iterable[str]) -> dict[str, int]:
        # Not as JSON, which SQLite cuts off at a NUL. No id of a catalogue holds a lone surrogate, nor can a parameter.
        asked = [text for text in ids if not _SURROGATE.search(text)]
        rows: dict[str, int] = {}
        for start in range(0, len(asked), _MAX_PARAMETERS):
            part = asked[start : start + _MAX_PARAMETERS]
            rows.update(self._file.rows(f"{statement} IN ({','.join('?' * len(part))})", *part))
        return rows


def _as_json(rows: Sequence[int] | NDArray[np.integer]) -> str:
    return json.dumps([int(row) for row in rows])
