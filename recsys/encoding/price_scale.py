"""Prices as the item tower reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float32Array

_LEAST_SPREAD = 1e-6  # of logarithms: less is rounding errors around one price


@dataclass(frozen=True)
class PriceScale:
    """Mean and standard deviation of log(1 + price) over the items with a price; the latter is 1 without a spread."""

    mean: float
    std: float

    @classmethod
    def fit(cls, prices: NDArray[np.floating]) -> PriceScale:
        """Fit to prices [N], NaN where unknown."""
        logs = np.log1p(prices[np.isfinite(prices)].astype(np.float64))
        if not len(logs):
            return cls(0.0, 1.0)
        spread = float(logs.std())
        return cls(float(logs.mean()), spread if spread > _LEAST_SPREAD else 1.0)

    def apply(self, prices: NDArray[np.floating]) -> Float32Array:
        """float32 [N, 2]: standardised log price (0 where there is none), and 1 where there is one."""
        has_price = np.isfinite(prices)
        scaled = (np.log1p(np.where(has_price, prices, 0.0)) - self.mean) / self.std
        return np.stack([np.where(has_price, scaled, 0.0), has_price], axis=1).astype(np.float32)
