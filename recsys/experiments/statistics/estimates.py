"""Estimates of one metric of one variant against the control, day after day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from recsys.experiments.findings import Estimate, Interval, MetricName
from recsys.experiments.statistics.contrasts import Contrast, Mean, adjusted, contrast, mean_by_user, relative
from recsys.experiments.statistics.metrics import METRICS, Cut, cut_to
from recsys.experiments.statistics.sequences import first_tau, fixed_multiplier, multiplier, p_value
from recsys.experiments.statistics.totals import Totals

FEWEST_CASES: Final = 40
"""Users of control and variant together who have any of a metric, before there is an interval: sums over fewer are too
far from normal."""


class Sides(NamedTuple):
    """What is compared at the end of a day; `cut` is of the metric, of all variants."""

    control: Totals
    variant: Totals
    cut: Cut | None


@dataclass(slots=True)
class MetricLooks:
    """The looks at one metric of one variant. They remember the clock, the least p-value, and whom that favoured.

    Attributes:
        metric: which one.
        level: of the intervals.
        paired: whether control and variant are teams of the same lists.
        least_users: of each side, before there is an interval.
        p: the least p-value of all looks.
        sign: of the difference at the look that gave `p`: 1 or -1; 0 before there was one.
    """

    metric: MetricName
    level: float
    paired: bool
    least_users: int
    p: float = 1.0
    sign: int = 0
    _first_spread: float | None = None

    def look(self, day: int, sides: Sides) -> Estimate:
        """What a look at the end of a day says; to be taken day after day."""
        (control, control_cases), (variant, variant_cases) = (
            self._mean(totals, sides.cut) for totals in (sides.control, sides.variant)
        )
        estimate = Estimate(
            metric=self.metric,
            day=day,
            control_users=len(sides.control.sums),
            users=len(sides.variant.sums),
            control_mean=control.value if control else None,
            mean=variant.value if variant else None,
            cases=control_cases + variant_cases,
            p=self.p,
            cut_at=sides.cut.at if sides.cut else None,
            cut=sides.cut.users if sides.cut else None,
        )
        return self._compared(estimate, control, variant, sides) if control and variant else estimate

    def _mean(self, totals: Totals, cut: Cut | None) -> tuple[Mean | None, int]:
        """The metric of one side, and how many users have any of it."""
        sums = METRICS[self.metric]
        numerators = cut_to(totals.of(sums.numerator), cut)
        denominators = totals.of(sums.denominator) if sums.denominator else None
        return mean_by_user(numerators, denominators), int(np.count_nonzero(numerators))

    def _compared(self, estimate: Estimate, control: Mean, variant: Mean, sides: Sides) -> Estimate:
        raw, saved = contrast(control, variant, paired=self.paired).value, None
        if sides.control.before is not None and sides.variant.before is not None and not self.paired:
            control, variant, saved = adjusted(control, variant, sides.control.before, sides.variant.before)
        difference = contrast(control, variant, paired=self.paired)
        share = relative(control, variant, paired=self.paired)
        estimate = replace(
            estimate,
            difference=difference.value,
            relative=share.value if share else None,
            raw_difference=raw,
            variance_saved=saved,
        )
        if estimate.cases < FEWEST_CASES or min(estimate.control_users, estimate.users) < self.least_users:
            return estimate
        tau = self._clock(difference.error, sides)
        self._weigh(difference, tau)
        errors = multiplier(tau, self.level)
        return replace(
            estimate,
            interval=_around(difference, errors),
            fixed=_around(difference, fixed_multiplier(self.level)),
            relative_interval=_around(share, errors) if share else None,
            p=self.p,
        )

    def _clock(self, error: float, sides: Sides) -> float:
        """The variance of the sum behind the estimate, in a unit that the first look sets."""
        users, others = len(sides.variant.sums), len(sides.control.sums)
        summed = users if self.paired else users * others / (users + others)
        if field := METRICS[self.metric].denominator:
            summed *= float(np.concatenate([totals.of(field) for totals in (sides.control, sides.variant)]).mean())
        spread = (summed * error) ** 2
        if spread == 0:
            return first_tau(self.level)
        if self._first_spread is None:
            self._first_spread = spread
        return first_tau(self.level) * spread / self._first_spread

    def _weigh(self, difference: Contrast, tau: float) -> None:
        if difference.value == 0:
            return
        p = p_value(difference.value / difference.error, tau) if difference.error > 0 else 0.0
        if p < self.p:
            self.p, self.sign = p, 1 if difference.value > 0 else -1


def _around(of: Contrast, errors: float) -> Interval:
    return Interval(of.value - errors * of.error, of.value + errors * of.error)
