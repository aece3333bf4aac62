"""What items are filtered by, a column each: read from the catalogue once, for all that want to know it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recsys.core.attributes import NO_NAME, Names, TextColumn, TextsColumn
from recsys.core.types import Float32Array, Int32Array, Int64Array


@dataclass(frozen=True)
class FacetColumns:
    """Brand, categories and price of N items.

    Attributes:
        brand: int32 [N], place of the brand in `brands`; `NO_NAME` where there is none.
        brands: distinct names, in the order of the first items that bear them.
        path: int32 [N], place of the list of categories in `paths`.
        paths: distinct lists, in the order of the first items that have them. Few lists serve many items.
        prices: float32 [N], NaN where unknown.
    """

    brand: Int32Array
    brands: tuple[str, ...]
    path: Int32Array
    paths: tuple[tuple[str, ...], ...]
    prices: Float32Array

    @classmethod
    def of(cls, items: Iterable[tuple[str | None, tuple[str, ...], float | None]]) -> Self:
        """Collect what is said of items 0, 1, ..."""
        brands: dict[str, int] = {}
        paths: dict[tuple[str, ...], int] = {}
        brand: list[int] = []
        path: list[int] = []
        prices: list[float] = []
        for name, categories, price in items:
            brand.append(brands.setdefault(name, len(brands)) if name else NO_NAME)
            path.append(paths.setdefault(categories, len(paths)))
            prices.append(np.nan if price is None else price)
        columns = np.array(brand, np.int32), tuple(brands), np.array(path, np.int32), tuple(paths)
        return cls(*columns, np.array(prices, np.float32))

    @cached_property
    def first_of_brands(self) -> Int64Array:
        """int64, of each of `brands` the first item that bears it."""
        return _firsts(self.brand)

    @cached_property
    def first_of_paths(self) -> Int64Array:
        """int64, of each of `paths` the first item that has it."""
        return _firsts(self.path)

    def rows_of_brands(self) -> dict[str, Int32Array]:
        """The items that bear each brand, in the order of their rows."""
        return dict(zip(self.brands, _rows_of(self.brand, len(self.brands)), strict=True))

    def rows_of_categories(self) -> dict[str, Int32Array]:
        """The items that bear each category, those of one list of categories after those of another."""
        parts: dict[str, list[Int32Array]] = {}
        for path, rows in zip(self.paths, _rows_of(self.path, len(self.paths)), strict=True):
            for category in dict.fromkeys(path):
                parts.setdefault(category, []).append(rows)
        return {name: rows[0] if len(rows) == 1 else np.concatenate(rows) for name, rows in parts.items()}

    def brand_column(self) -> TextColumn:
        """The brands as a column of an attribute."""
        names, places = _sorted(self.brands)
        return TextColumn(np.append(places, np.int32(NO_NAME))[self.brand], names)

    def category_column(self) -> TextsColumn:
        """The lists of categories as a column of an attribute."""
        known = tuple(dict.fromkeys(name for path in self.paths for name in path))
        names, places = _sorted(known)
        place_of = dict(zip(known, places.tolist(), strict=True))
        codes = np.array([place_of[name] for path in self.paths for name in path], np.int32)
        lengths = np.array([len(path) for path in self.paths], np.int64)
        of_items = lengths[self.path] if len(lengths) else np.zeros(0, np.int64)
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(of_items)])
        starts = (np.cumsum(lengths) - lengths)[self.path] if len(lengths) else of_items
        # The n-th category of all items lies as far behind the first of its item as it does in the item's list.
        places_in_paths = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], of_items)
        return TextsColumn(indptr, codes[places_in_paths], names)


def _firsts(codes: Int32Array) -> Int64Array:
    """int64, the first place of each code; codes are numbered in the order in which they come first."""
    known, firsts = np.unique(codes, return_index=True)
    return np.asarray(firsts[known != NO_NAME], np.int64)


def _rows_of(codes: Int32Array, size: int) -> Iterator[Int32Array]:
    """For each of so many codes the places where it stands, rising."""
    order = np.argsort(codes, kind="stable").astype(np.int32)
    ends = np.searchsorted(codes[order], np.arange(size + 1))
    return (order[start:end] for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))


def _sorted(names: tuple[str, ...]) -> tuple[Names, Int32Array]:
    """The names by code point, and the place of each among them: int32 [V]."""
    order = sorted(range(len(names)), key=names.__getitem__)
    places = np.empty(len(names), np.int32)
    places[order] = np.arange(len(names), dtype=np.int32)
    return np.array([names[place] for place in order], np.dtypes.StringDType()), places
