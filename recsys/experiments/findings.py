"""What a verdict says: states, numbers and reasons as data. Whoever shows them finds the words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["too_early", "blocked", "undecided", "no_worse", "better", "worse"]
"""Of a variant against the control:

too_early: too few users, or too few of whom anything is known, for any interval.
blocked: something is wrong with the experiment itself; no number of it is to be trusted.
undecided: the intervals allow for both, or a guardrail is open.
no_worse: not shown to be better, but the primary metric's own guardrail and all others are kept.
better: the primary metric is better, and all guardrails are kept.
worse: the primary metric is worse, or a guardrail is broken.
"""
GuardrailState = Literal["open", "kept", "broken", "none_seen", "not_comparable"]
"""open: the interval allows for both. none_seen: neither variant had one such case, so nothing is kept or broken;
it stands in no variant's way. not_comparable: of a whole list, which both teams of an interleaved experiment share."""

ReasonCode = Literal[
    # of the whole experiment
    "no_users",
    "few_users",
    "uneven_split",
    "users_in_several_variants",
    "log_too_short",
    "undelivered",
    # of a variant
    "few_cases",
    "primary_better",
    "primary_worse",
    "primary_open",
    "primary_turned",
    "interval_open_again",
    "guardrail_open",
    "guardrail_kept",
    "guardrail_broken",
    "guardrail_was_broken",
    "guardrail_none_seen",
    "guardrail_not_comparable",
]
MetricName = Literal[
    "ctr",
    "add_to_cart_rate",
    "conversion_rate",
    "clicks_per_user",
    "purchases_per_user",
    "revenue_per_user",
    "latency_ms",
    "fallback_rate",
    "brand_variety",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a state is what it is: a code, and the numbers and names of a sentence about it.

    blocks: whether it forbids a verdict; others are told beside one.

    The numbers of each code:

    no_users; few_users: variant, users, least. uneven_split: p, allowed. users_in_several_variants: users, share,
    allowed. log_too_short: started_at, kept_since. undelivered: variant, lists, share, allowed.
    few_cases: metric, users (with one), least. primary_open, _better, _worse: metric, p, difference, low, high, and, of
    a decision, its day (days since 1970). primary_turned, interval_open_again: that day, and what a later look says:
    metric, difference, low, high. guardrail_was_broken: metric, day. Other guardrail_*: metric, most, and, where there
    is an interval, worse_by, low, high: shares of the control's mean by which the variant is worse.
    """

    code: ReasonCode
    numbers: Mapping[str, float | str] = field(default_factory=dict)
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric of a variant against the control, of all days up to one.

    Attributes:
        metric: of `recsys.experiments.experiment`.
        day: the last day, in days since 1970.
        control_users, users: to whom a list was served.
        control_mean, mean: of the metric; None where it has no denominator yet.
        cases: users of both who have any of the metric.
        difference: of the variant, less the control; with a covariate adjusted by it, see `raw_difference`.
        interval: of the difference, valid however often and whenever one looks; at level alpha / number of comparisons.
            None where too few users have a case.
        fixed: the interval of one look at a time chosen beforehand. Not for decisions that look daily.
        relative: difference / mean of the control; None where that is not above 0.
        relative_interval: as `interval`.
        p: anytime-valid p-value of no difference: the least of all looks until now.
        raw_difference: mean less control_mean.
        variance_saved: share of the variance that the covariate took away; None without a covariate.
        cut_at, cut: where revenue of users was cut, and of how many; None where none is.
    """

    metric: MetricName
    day: int
    control_users: int
    users: int
    control_mean: float | None
    mean: float | None
    cases: int = 0
    difference: float | None = None
    interval: Interval | None = None
    fixed: Interval | None = None
    relative: float | None = None
    relative_interval: Interval | None = None
    p: float = 1.0
    raw_difference: float | None = None
    variance_saved: float | None = None
    cut_at: float | None = None
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guardrail, and whether a variant keeps it.

    Attributes:
        metric, most: of the guardrail.
        state: whether it is kept.
        worse_by: share of the control's mean by which the variant is worse; below 0: better.
        interval: of worse_by, valid at any time; the guardrail is kept where it lies below `most`, broken where above.
    """

    metric: MetricName
    most: float
    state: GuardrailState
    worse_by: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the end of one day would have said of a variant.

    state, reasons: as of that day. metrics: the primary one, those of guardrails, then all others.
    """

    day: int
    state: State
    reasons: tuple[Reason, ...]
    metrics: tuple[Estimate, ...]
    guardrails: tuple[Guarded, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantVerdict:
    """A variant against the control.

    Attributes:
        variant: its name.
        state, reasons: as of the last day.
        decided_on: day on which the primary metric was first decided; None: it is not. What was decided stays so: later
            looks that would say otherwise are told as reasons.
        looks: one for each day, the first day first; the last one is the present.
    """

    variant: str
    state: State
    reasons: tuple[Reason, ...]
    decided_on: int | None
    looks: tuple[Look, ...]

    @property
    def latest(self) -> Look | None:
        """The look of the last day, if there was a day."""
        return self.looks[-1] if self.looks else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one version of an experiment.

    Attributes:
        experiment, version: which one.
        state: blocked or too_early where the whole experiment is; better where any variant is; worse where all are;
            else the best state of a variant.
        winner: the better variant with the largest difference; None: there is no better one.
        reasons: of the whole experiment; those of variants are with them.
        users: to whom a list was served, by variant, the control first.
        excluded: users in several variants, in none of the numbers.
        split_p: anytime-valid p-value of users by variant against the weights; None of an interleaved experiment.
        alpha: chance of a wrong `better` or `worse`, over all looks and variants.
        level: of each interval: alpha / number of variants beside the control.
        variants: one for each variant beside the control.
    """

    experiment: str
    version: int
    state: State
    winner: str | None
    reasons: tuple[Reason, ...]
    users: Mapping[str, int]
    excluded: int
    split_p: float | None
    alpha: float
    level: float
    variants: tuple[VariantVerdict, ...]
