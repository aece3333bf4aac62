"""Intervals of rates: by users, since what one user does at many items is no independent evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.core.types import Float64Array

NORMAL_95: Final = 1.959963984540054
LEAST_UNITS: Final = 2


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its interval of 95%; None where users do not differ, so that nothing tells how much chance does."""

    value: float
    low: float | None = None
    high: float | None = None


def rate(numerators: Float64Array, denominators: Float64Array) -> Rate | None:
    """A ratio of two sums, with its interval by the delta method (Deng et al. 2018, Applying the Delta Method).

    Args:
        numerators, denominators: [units] sums of independent units: of users, or of groups into which chance has put
            users (Chamandy et al. 2012, Estimating Uncertainty for Massive Data Streams). Those without either do not
            count.

    Returns:
        None where the denominators are all 0. The interval's ends are not below 0.
    """
    total = float(denominators.sum())
    if total <= 0:
        return None
    value = float(numerators.sum()) / total
    present = (denominators != 0) | (numerators != 0)
    units = int(present.sum())
    if units < LEAST_UNITS:
        return Rate(value)
    residuals = numerators[present] - value * denominators[present]
    variance = units / (units - 1) * float(np.square(residuals).sum()) / total**2
    if variance <= 0:
        return Rate(value)
    reach = NORMAL_95 * math.sqrt(variance)
    return Rate(value, max(0.0, value - reach), value + reach)
