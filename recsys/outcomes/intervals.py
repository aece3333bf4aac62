"""Intervals of rates: by users, since what one user does at many items is no independent evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from recsys.core.types import Float64Array
from recsys.experiments.statistics.contrasts import error_of, mean_by_user
from recsys.experiments.statistics.sequences import fixed_multiplier

LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its interval of 95%; None where users do not differ, so that nothing tells how much chance does."""

    value: float
    low: float | None = None
    high: float | None = None


def rate(numerators: Float64Array, denominators: Float64Array) -> Rate | None:
    """A ratio of two sums, with its interval for one look (`recsys.experiments.statistics.contrasts`).

    Args:
        numerators, denominators: [units] sums of independent units: of users, or of groups into which chance has put
            users (Chamandy et al. 2012, Estimating Uncertainty for Massive Data Streams). Those without either do not
            count.

    Returns:
        None where the denominators are all 0. The interval's ends are not below 0.
    """
    present = (denominators != 0) | (numerators != 0)
    mean = mean_by_user(numerators[present], denominators[present])
    if mean is None:
        return None
    reach = fixed_multiplier(LEVEL) * error_of(mean)
    return Rate(mean.value, max(0.0, mean.value - reach), mean.value + reach) if reach > 0 else Rate(mean.value)
