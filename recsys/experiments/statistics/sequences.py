"""Intervals and p-values that hold at all looks together, however often one looks and whenever one stops.

Asymptotic confidence sequences by Robbins' normal mixture: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024,
Time-uniform central limit theory and asymptotic confidence sequences (Annals of Statistics 52).

They need a clock, `tau`: the variance of the sum that an estimate is made of, in a unit that is chosen once. Sums over
users grow in two ways, by new users and by what known users do again. New users are independent of those before, as the
theory has it. A user who did more before does rather more later, so that a sum at a later look is at least as
correlated with that of an earlier one as for independent increments, and by Slepian's inequality a bound is then
crossed at most as often.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

TIGHTEST: Final = 7.0
"""An interval is tightest once the clock stands at so many times its first value: after about a week of equal days."""


def best_tau(level: float) -> float:
    """Where on its clock the sequence of a level is tightest."""
    # Section 2.2 of the paper has it by Lambert's W; its series is within a thousandth here.
    return -(level**2) - 2 * math.log(level) + math.log(-2 * math.log(level) + 1 - level**2)


def first_tau(level: float) -> float:
    """What the clock shows at the first look."""
    return best_tau(level) / TIGHTEST


def multiplier(tau: float, level: float) -> float:
    """Standard errors from the estimate to either end of an interval."""
    return math.sqrt((1 + 1 / tau) * (math.log1p(tau) - 2 * math.log(level)))


def p_value(z: float, tau: float) -> float:
    """The least level whose interval does not hold zero, `z` standard errors from the estimate."""
    return math.exp(min(0.0, (math.log1p(tau) - z * z * tau / (1 + tau)) / 2))


def fixed_multiplier(level: float) -> float:
    """As `multiplier`, of an interval that is looked at once, at a time chosen beforehand."""
    return NormalDist().inv_cdf(1 - level / 2)
