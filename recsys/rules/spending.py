"""How much users spend, compared with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.rules.columns import NO_NAME, Names, TextColumn

Segment = Literal["small", "low_average", "average", "high"]
SEGMENTS: tuple[Segment, ...] = get_args(Segment)
_NAMES: Names = np.array(SEGMENTS, np.dtypes.StringDType())


@dataclass(frozen=True, eq=False)
class Spending:
    """What users pay on average, and in which quarter of all users that is.

    Means are as precise as prices, so that means of one price do not differ by rounding errors.

    Attributes:
        prices: float32 [N], of the items; NaN where unknown.
        quartiles: float64 [3], the bounds between the quarters of users by mean price; [0] where no item has a price.
    """

    prices: Float32Array
    quartiles: Float64Array

    @classmethod
    def of(cls, histories: Histories, prices: Float32Array) -> Self:
        """Compare all users of `histories` by the mean price of their items; `prices` [N] may hold NaN (no price)."""
        means = mean_prices(histories, prices)
        known = means[np.isfinite(means)]
        quartiles = np.quantile(known, (0.25, 0.5, 0.75)) if len(known) else np.empty(0)
        return cls(prices, np.asarray(quartiles, np.float64))

    def mean_prices(self, histories: Histories) -> Float32Array:
        """float32 [B], mean of the known prices in each history; NaN where there is none."""
        return mean_prices(histories, self.prices)

    def segments(self, means: Float32Array) -> TextColumn:
        """The quarter of users that each mean price [B] lies in, its upper bound included; none without prices."""
        if not len(self.quartiles):
            return TextColumn(np.full(len(means), NO_NAME, np.int32), _NAMES)
        codes: Int32Array = np.searchsorted(self.quartiles, means, side="left").astype(np.int32)
        codes[np.isnan(means)] = NO_NAME
        return TextColumn(codes, _NAMES)

    def segment(self, mean: np.float32) -> Segment | None:
        """The quarter of users that one mean price lies in."""
        code = int(self.segments(np.array([mean], np.float32)).codes[0])
        return None if code == NO_NAME else SEGMENTS[code]


def mean_prices(histories: Histories, prices: Float32Array) -> Float32Array:
    """See `Spending.mean_prices`."""
    paid: Float64Array = prices[histories.items].astype(np.float64)
    known = np.isfinite(paid)
    users = histories.rows
    counts = np.bincount(users, known, minlength=len(histories))
    sums = np.bincount(users, np.where(known, paid, 0), minlength=len(histories))
    with np.errstate(invalid="ignore"):  # nothing of nothing
        return (sums / counts).astype(np.float32)
