"""The fields of a catalogue's items, as expressions read them: `item.price`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.attributes import column_of
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.queries import Queries
from recsys.core.types import Float32Array, Float64Array, Int64Array
from recsys.rules.columns import NO_NAME, Columns, FieldType, TextColumn, TextsColumn
from recsys.sources.registry import FALLBACK

Column = Float64Array | Float32Array | TextColumn | TextsColumn
AGE = "age"
# An attribute of the catalogue needs no entry: the bundle tells its type, and holds its column as expressions read it.
ITEM_TYPES: dict[str, FieldType] = {
    "id": "text",
    "title": "text",
    "brand": "text",
    "categories": "texts",
    "category": "text",
    "top_category": "text",
    "price": "number",
    "popularity": "number",
    "popularity_rank": "number",
    AGE: "number",
}


class ItemColumns:
    """The fields of all N items of a bundle. Each is read when it is first asked for, and kept.

    Attributes:
        bundle: open.
        size: N.
        types: of every field: those that every item may have, and the attributes of the catalogue.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.size = bundle.n_items
        self.types: Mapping[str, FieldType] = {**bundle.attributes.types, **ITEM_TYPES}
        self._kept: dict[str, Column] = {}

    def on(self, day: int) -> Columns:
        """The fields on a day since 1970, in UTC: with the age of the items."""
        return _ItemsOn(self, day)

    def numbers(self, field: str) -> Float64Array | Float32Array:
        """See `Columns`; the age is a field of `on` alone."""
        return cast(Float64Array | Float32Array, self.column(field))

    def texts(self, field: str) -> TextColumn:
        """See `Columns`."""
        return cast(TextColumn, self.column(field))

    def text_lists(self, field: str) -> TextsColumn:
        """See `Columns`."""
        return cast(TextsColumn, self.column(field))

    @cached_property
    def first_interactions(self) -> Float64Array:
        """float64 [N], when somebody first had to do with each item, in seconds since 1970; NaN where nobody had."""
        histories = self.bundle.histories
        first = np.full(self.size, np.inf)
        np.minimum.at(first, histories.items, histories.timestamps)
        return np.where(np.isinf(first), np.nan, first)

    def column(self, field: str) -> Column:
        """A field, of whatever type it is."""
        if field not in self._kept:
            self._kept[field] = self._read(field)
        return self._kept[field]

    def _read(self, field: str) -> Column:
        reader = _READERS.get(field)
        return self.bundle.attributes.columns[field] if reader is None else reader(self)


@dataclass(frozen=True)
class _ItemsOn:
    """The fields of items on a day.

    Attributes:
        items: what does not change with time.
        day: since 1970.
    """

    items: ItemColumns
    day: int

    @property
    def size(self) -> int:
        return self.items.size

    @property
    def types(self) -> Mapping[str, FieldType]:
        return self.items.types

    def numbers(self, field: str) -> Float64Array | Float32Array:
        if field != AGE:
            return self.items.numbers(field)
        # Since the first moment of the day. What was first seen later that day is new and not without an age; what is
        # first seen on a later day has none, since lists may be asked for as of a past time.
        age = (self.day * SECONDS_PER_DAY - self.items.first_interactions) / SECONDS_PER_DAY
        return np.where(age > -1, np.maximum(age, 0), np.nan)

    def texts(self, field: str) -> TextColumn:
        return self.items.texts(field)

    def text_lists(self, field: str) -> TextsColumn:
        return self.items.text_lists(field)


def _text_column(texts: Iterable[str | None]) -> TextColumn:
    """The column of some texts, of which an empty one says nothing."""
    return cast(TextColumn, column_of("text", [text or None for text in texts]))


def _ends(lists: TextsColumn, *, last: bool) -> TextColumn:
    """The first or last text of each list; `NO_NAME` for an empty one."""
    starts, stops = lists.indptr[:-1], lists.indptr[1:]
    filled = starts < stops
    codes = np.full(len(starts), NO_NAME, np.int32)
    places: Int64Array = (stops - 1 if last else starts)[filled]
    codes[filled] = lists.codes[places]
    return TextColumn(codes, lists.names)


def _popularity(items: ItemColumns) -> Float64Array:
    return np.bincount(items.bundle.histories.items, minlength=items.size).astype(np.float64)


def _ranks(items: ItemColumns) -> Float64Array:
    popular = items.bundle.source(FALLBACK).propose(Queries.nobody(), items.size, exclude_seen=False).items[0]
    ranks = np.empty(items.size)
    ranks[popular] = np.arange(1, items.size + 1)
    return ranks


# Functions of the columns, not methods that each of them holds: an object that holds itself keeps its bundle alive.
_READERS: dict[str, Callable[[ItemColumns], Column]] = {
    "id": lambda items: _text_column(items.bundle.catalogue.texts("item_id")),
    "title": lambda items: _text_column(items.bundle.catalogue.texts("title")),
    "brand": lambda items: items.bundle.facets.brand_column(),
    "categories": lambda items: items.bundle.facets.category_column(),
    "category": lambda items: _ends(items.text_lists("categories"), last=True),
    "top_category": lambda items: _ends(items.text_lists("categories"), last=False),
    "price": lambda items: items.bundle.facets.prices,
    "popularity": _popularity,
    "popularity_rank": _ranks,
}
