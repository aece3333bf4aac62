"""Which items of a catalogue a filter lets through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

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
    def of(cls, items: Iterable[tuple[str | None, tuple[str, ...], float | None]]) -> Self:
        """Collect the brand, categories and price of items 0, 1, ..."""
        prices: list[float] = []
        brands: dict[str, list[int]] = defaultdict(list)
        paths: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, (brand, categories, price) in enumerate(items):
            prices.append(np.nan if price is None else price)
            paths[categories].append(row)
            if brand:
                brands[brand].append(row)
        by_category: dict[str, list[int]] = defaultdict(list)
        for path, rows in paths.items():
            for category in dict.fromkeys(path):  # in the same order in every process
                by_category[category] += rows
        return cls(np.array(prices, np.float32), _as_rows(brands), _as_rows(by_category))

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


def _as_rows(rows: dict[str, list[int]]) -> dict[str, Int32Array]:
    return {name: np.array(listed, np.int32) for name, listed in rows.items()}
