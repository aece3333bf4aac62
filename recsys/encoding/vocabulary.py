"""Embedding rows of brands and categories; row 0 stands for every out-of-vocabulary value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from recsys.core.types import Int32Array

UNKNOWN = 0


@dataclass(frozen=True)
class ItemVocabulary:
    """The brands and categories that have a row of their own: the most frequent ones, equally frequent ones by name.

    Attributes:
        brands: brand of rows 1, 2, …; row 0 is every other brand and none.
        categories: category of rows 1, 2, …; row 0 is padding and every other category.
    """

    brands: tuple[str, ...]
    categories: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        brands: Iterable[str | None],
        categories: Iterable[Iterable[str]],
        max_brands: int = 20_000,
        max_categories: int = 5_000,
        min_items: int = 2,
    ) -> Self:
        """Collect the values that at least `min_items` items have, of the brand and the categories of each item."""
        of_brands = Counter(brand for brand in brands if brand)
        of_categories = Counter(category for of_item in categories for category in dict.fromkeys(of_item))
        return cls(
            _most_frequent(of_brands, max_brands, min_items), _most_frequent(of_categories, max_categories, min_items)
        )

    @property
    def n_brands(self) -> int:
        """Number of brand rows, with row 0."""
        return len(self.brands) + 1

    @property
    def n_categories(self) -> int:
        """Number of category rows, with row 0."""
        return len(self.categories) + 1

    def brand_rows(self, brands: Collection[str | None]) -> Int32Array:
        """Row of the brand of each item, int32 [N]."""
        return np.array([self._brand_row.get(brand or "", UNKNOWN) for brand in brands], np.int32)

    def category_rows(self, categories: Iterable[Sequence[str]]) -> Int32Array:
        """Category rows of each item, int32 [N, C]: those in the vocabulary in their order, then 0; C is at least 1."""
        rows = [
            [self._category_row[category] for category in dict.fromkeys(of_item) if category in self._category_row]
            for of_item in categories
        ]
        matrix = np.full((len(rows), max(map(len, rows), default=0) or 1), UNKNOWN, np.int32)
        for position, of_item in enumerate(rows):
            matrix[position, : len(of_item)] = of_item
        return matrix

    @cached_property
    def _brand_row(self) -> dict[str, int]:
        return _rows(self.brands)

    @cached_property
    def _category_row(self) -> dict[str, int]:
        return _rows(self.categories)


def _most_frequent(counts: Counter[str], limit: int, min_count: int) -> tuple[str, ...]:
    frequent = sorted((-count, value) for value, count in counts.items() if count >= min_count)
    return tuple(value for _, value in frequent[:limit])


def _rows(values: Iterable[str]) -> dict[str, int]:
    return {value: row for row, value in enumerate(values, UNKNOWN + 1)}
