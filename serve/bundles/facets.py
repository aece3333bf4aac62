"""Which items of a catalogue a filter lets through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from recsys.bundle.facet_columns import FacetColumns
from recsys.core.types import BoolArray, Float32Array, Int32Array


@dataclass(frozen=True, slots=True)
class Filter:
    """What restricts the items of a list; None: this does not.

    Attributes:
        min_price, max_price: bounds, both included; an item without a price passes neither.
        categories, brands: names as in the catalogue, of which an item bears any; empty: this does not restrict.
    """

    min_price: float | None = None
    max_price: float | None = None
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()


class ItemFacets(NamedTuple):
    """What one item can be filtered by."""

    brand: str | None = None
    categories: tuple[str, ...] = ()
    price: float | None = None


NO_ROWS: Int32Array = np.empty(0, np.int32)


@dataclass(frozen=True)
class Facets:
    """What the items of a catalogue can be filtered by.

    Attributes:
        prices: float32 [N], NaN where unknown.
        brands, categories: rows of the items that bear each name.
    """

    prices: Float32Array
    brands: dict[str, Int32Array]
    categories: dict[str, Int32Array]

    @classmethod
    def of(cls, columns: FacetColumns) -> Self:
        """Those of a catalogue's columns."""
        return cls(columns.prices, columns.rows_of_brands(), columns.rows_of_categories())

    def changed(self, now: Mapping[int, ItemFacets], before: Mapping[int, ItemFacets], n_items: int) -> Self:
        """Those of a catalogue in which some items have others; what did not change is shared.

        Args:
            now: of the items that have others, and of new ones, by row.
            before: of the former, as they are here.
            n_items: how many items the catalogue has, the new ones behind those that it had.
        """
        none, prices = ItemFacets(), np.full(n_items, np.nan, np.float32)
        prices[: len(self.prices)] = self.prices
        prices[list(now)] = [np.nan if one.price is None else one.price for one in now.values()]
        pairs = [(row, before.get(row, none), one) for row, one in now.items()]
        brands = [(row, _named(old.brand), _named(new.brand)) for row, old, new in pairs if old.brand != new.brand]
        categories = [
            (row, old.categories, new.categories) for row, old, new in pairs if old.categories != new.categories
        ]
        return type(self)(prices, _moved(self.brands, brands), _moved(self.categories, categories))

    def mask(self, wanted: Filter) -> BoolArray:
        """The items that a filter lets through, bool [N]."""
        allowed = np.ones(len(self.prices), bool)
        if wanted.min_price is not None:
            allowed &= self.prices >= _bound(wanted.min_price)
        if wanted.max_price is not None:
            allowed &= self.prices <= _bound(wanted.max_price)
        for names, rows in ((wanted.categories, self.categories), (wanted.brands, self.brands)):
            if names:
                allowed &= _bearing(names, rows, len(allowed))
        return allowed


def _bearing(names: Sequence[str], rows: Mapping[str, Int32Array], n_items: int) -> BoolArray:
    """The items that bear any of the names, bool [N]."""
    bearing = np.zeros(n_items, np.bool_)
    for name in names:
        bearing[rows.get(name, NO_ROWS)] = True
    return bearing


def _bound(price: float) -> np.float32:
    """A bound as prices are, in float32, or 9.99 would be no item's price; one beyond all prices is infinite."""
    with np.errstate(over="ignore"):
        return np.float32(price)


def _named(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()


def _moved(
    rows_of: dict[str, Int32Array], items: Sequence[tuple[int, tuple[str, ...], tuple[str, ...]]]
) -> dict[str, Int32Array]:
    """Rows by name, after each of some rows has others than the names that it had before; the same for no rows."""
    if not items:
        return rows_of
    lost: dict[str, list[int]] = defaultdict(list)
    got: dict[str, list[int]] = defaultdict(list)
    for row, before, now in items:
        for name in set(before) - set(now):
            lost[name].append(row)
        for name in (name for name in dict.fromkeys(now) if name not in before):
            got[name].append(row)
    moved = dict(rows_of)
    for name, rows in lost.items():
        moved[name] = moved[name][~np.isin(moved[name], rows)]
    for name, rows in got.items():
        moved[name] = np.concatenate([moved.get(name, NO_ROWS), np.array(rows, np.int32)])
    return {name: rows for name, rows in moved.items() if len(rows)}
