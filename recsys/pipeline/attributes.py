"""What the ranker knows of each item beside its vectors: price, brand, categories, popularity and its trend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import mapped
from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.kernels import write_attributes
from recsys.sources.lending import Loans

NO_VALUE = 0  # brand or category row of an item that has none
_ARRAYS = ("log_price", "brand", "categories", "log_count", "trend")
OF_ATTRIBUTES = {
    "popularity": ("log_count", "trend"),
    "price": ("price_known", "price_difference", "price_distance"),
    "brand": ("brand_share", "brand_of_last_item"),
    "category": ("category_share", "category_of_last_item"),
    "history": ("log_history_length",),
}
"""Names of features by group, in the order in which `ItemAttributes.write` gives them."""
HABIT_DECAY = 0.8  # weight of a step back in the history, in the user's habits of price, brand and category
RECENT_SHARE = 0.1  # the last tenth of the interactions is what a trend looks at


@dataclass(frozen=True)
class ItemAttributes:
    """Attributes of N items.

    Attributes:
        log_price: float32 [N], NaN where unknown.
        brand: int32 [N], row of the brand; `NO_VALUE` where unknown.
        categories: int32 [N, C], rows of the categories, padded with `NO_VALUE`.
        log_count: float32 [N], log(1 + interactions).
        trend: float32 [N], log of the item's share among recent interactions over its share among all, damped.
        loans: items without interactions borrow these two, and scores that retrievers have none of.
    """

    log_price: Float32Array
    brand: Int32Array
    categories: Int32Array
    log_count: Float32Array
    trend: Float32Array
    loans: Loans

    @classmethod
    def fit(
        cls,
        histories: Histories,
        prices: NDArray[np.floating],
        brands: Sequence[str | None],
        categories: Sequence[Sequence[str] | None],
        text: Float32Array | None = None,
    ) -> Self:
        """Collect the attributes of a catalogue; what is counted is counted in `histories`.

        Args:
            histories: the interactions that are known.
            prices: float [N], NaN or not positive where unknown.
            brands: N names; None or empty where unknown.
            categories: names for each of the N items; their order says nothing.
            text: float32 [N, E], embeddings of the items' texts; None: nothing is borrowed.
        """
        n_items = len(prices)
        counts = np.bincount(histories.items, minlength=n_items)
        known = np.isfinite(prices) & (np.nan_to_num(prices) > 0)
        log_price = np.full(n_items, np.nan, np.float32)
        log_price[known] = np.log(prices[known])
        loans = Loans.none(n_items) if text is None else Loans.of(text, counts > 0)
        return cls(
            log_price,
            _rows([[brand] if brand else [] for brand in brands])[:, 0],
            _rows([list(names) if names is not None else [] for names in categories]),
            loans.lend(np.log1p(counts).astype(np.float32)),
            loans.lend(_trend(histories, counts)),
            loans,
        )

    def write(self, histories: Histories, items: Int32Array, features: Float32Array, first: int) -> None:
        """Fill in the features `OF_ATTRIBUTES` of candidates, the first of them at place `first`.

        Popularity and its trend. Whether user and item have a known price; log price against the user's habit, signed
        and absolute. Share of the habit that has the item's brand; whether the last item has it. Mean share of the
        item's categories in the habit; the same for the last item alone. log(1 + length of the history).

        Args:
            histories: of B queries.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
            features: float32 [B, C, F], 0 in those places.
            first: see above.
        """
        arrays = self.log_price, self.brand, self.categories, self.log_count, self.trend
        shares = np.zeros(self._n_brands), np.zeros(self._n_categories)
        write_attributes(histories.indptr, histories.items, HABIT_DECAY, items, *arrays, *shares, features, first)

    @cached_property
    def _n_brands(self) -> int:
        return int(self.brand.max(initial=NO_VALUE)) + 1

    @cached_property
    def _n_categories(self) -> int:
        return int(self.categories.max(initial=NO_VALUE)) + 1

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        self.loans.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; memory-mapped."""
        arrays = {name: mapped(folder / f"{name}.npy") for name in _ARRAYS}
        return cls(**arrays, loans=Loans.load(folder, len(arrays["brand"])))


def _rows(names: list[list[str]]) -> Int32Array:
    """int32 [N, max(1, longest)], a row number from 1 for each distinct name, padded with `NO_VALUE`."""
    number: dict[str, int] = {}
    width = max((len(row) for row in names), default=0)
    matrix = np.full((len(names), max(width, 1)), NO_VALUE, np.int32)
    for place, row in enumerate(names):
        distinct = [number.setdefault(name, len(number) + 1) for name in dict.fromkeys(row)]
        matrix[place, : len(distinct)] = distinct
    return matrix


def _trend(histories: Histories, counts: NDArray[np.integer]) -> Float32Array:
    times = histories.timestamps
    if not len(times):
        return np.zeros(len(counts), np.float32)
    recent = times >= np.quantile(times, 1 - RECENT_SHARE)
    recent_counts = np.bincount(histories.items[recent], minlength=len(counts))
    expected = counts * recent.mean()
    trend: Float32Array = np.log((recent_counts + 1) / (expected + 1)).astype(np.float32)
    return trend
