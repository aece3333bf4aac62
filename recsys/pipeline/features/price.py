"""Features of an item's price against what the user is used to pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.stored_arrays import read_array
from recsys.core.types import Float32Array
from recsys.pipeline.features.attribute_kernels import write_price
from recsys.pipeline.features.group import CatalogueData, ChangedItems, FeatureGroup, FeatureInput, FeatureParts
from recsys.pipeline.features.names import HABIT_DECAY


@dataclass(frozen=True)
class PriceFeatures(FeatureGroup):
    """Whether user and item have a known price; log price less the user's habit, signed and absolute.

    Attributes:
        log_price: float32 [N], NaN where unknown.
    """

    log_price: Float32Array

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Of the three."""
        return {"price": ("price_known", "price_difference", "price_distance")}

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.log_price)

    @classmethod
    def fit(cls, data: CatalogueData, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Logarithms of the prices."""
        return cls(_log(data.prices))

    def changed(self, items: ChangedItems, parts: FeatureParts) -> Self:  # noqa: ARG002
        """Other prices."""
        if not items.prices:
            return self
        prices = [np.nan if price is None else price for price in items.prices.values()]
        log_price = np.concatenate([self.log_price, np.full(len(items.new), np.nan, np.float32)])
        log_price[list(items.prices)] = _log(np.array(prices))
        return type(self)(log_price)

    def save(self, folder: Path) -> None:
        """Write the array."""
        np.save(folder / "log_price.npy", self.log_price)

    @classmethod
    def load(cls, folder: Path, parts: FeatureParts) -> Self:  # noqa: ARG003
        """Read what `save` wrote."""
        return cls(read_array(folder / "log_price.npy", np.float32, None, nan=True))

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        """Write the three, 0 where a price is unknown."""
        histories = given.histories
        items = given.candidates.items
        write_price(histories.indptr, histories.items, HABIT_DECAY, items, self.log_price, features, first)


def _log(prices: NDArray[np.floating]) -> Float32Array:
    """Logarithms; NaN where a price is unknown or not positive."""
    known = np.isfinite(prices) & (np.nan_to_num(prices) > 0)
    logs = np.full(len(prices), np.nan, np.float32)
    logs[known] = np.log(prices[known])
    return logs
