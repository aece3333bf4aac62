"""How much users spend, compared with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from recsys.core.histories import Histories
from recsys.core.types import Float32Array

Segment = Literal["small", "low_average", "average", "high"]
SEGMENTS: tuple[Segment, ...] = ("small", "low_average", "average", "high")


@dataclass(frozen=True)
class PriceSegments:
    """The distribution of users' mean prices.

    Attributes:
        quartiles: the three bounds between the quarters of users by mean price; empty if no item has a price. They are
            as precise as prices, so that means of one price do not differ by rounding errors.
    """

    quartiles: tuple[float, ...]

    @classmethod
    def of(cls, histories: Histories, prices: Float32Array) -> Self:
        """Compare all users of `histories` by the mean price of their items; `prices` [N] may hold NaN (no price)."""
        users = histories.rows
        paid = prices[histories.items].astype(np.float64)
        has_price = np.isfinite(paid)
        counts = np.bincount(users[has_price], minlength=len(histories))
        sums = np.bincount(users[has_price], paid[has_price], minlength=len(histories))
        means = (sums[counts > 0] / counts[counts > 0]).astype(np.float32)
        return cls(tuple(np.quantile(means, (0.25, 0.5, 0.75)).tolist()) if len(means) else ())

    def segment(self, mean_price: float | None) -> Segment | None:
        """The quarter of users that a mean price lies in, its upper bound included; None without prices."""
        if mean_price is None or not self.quartiles:
            return None
        return SEGMENTS[int(np.searchsorted(self.quartiles, float(np.float32(mean_price)), side="left"))]


def mean_price(prices: Sequence[float | None]) -> float | None:
    """Mean of the prices that are not None; None if there is none."""
    given = [price for price in prices if price is not None]
    return sum(given) / len(given) if given else None
