"""What is known of an experiment by what became of its users' lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from recsys.experiments.deciding.comparing import Comparison, comparisons, is_paired
from recsys.experiments.deciding.soundness import SplitLooks, short_log, undelivered, users_in_several
from recsys.experiments.experiment import Experiment
from recsys.experiments.findings import MetricName, Reason, State, VariantVerdict, Verdict
from recsys.experiments.observations import UnitDay
from recsys.experiments.statistics.metrics import METRICS, Cut, cut_of
from recsys.experiments.statistics.several import holm
from recsys.experiments.statistics.totals import Totals, read_days

_BEST_FIRST: Final[tuple[State, ...]] = ("better", "no_worse", "undecided", "too_early", "worse")


def verdict(
    experiment: Experiment,
    days: Sequence[UnitDay],
    before: Mapping[str, float] | None = None,
    *,
    kept_since: float | None = None,
) -> Verdict:
    """The verdict of one version of an experiment.

    It looks at the end of each day for which there is an observation. The chance that any of these looks calls a
    variant better or worse whose primary metric is the control's is at most `experiment.alpha`, over all variants.

    Args:
        experiment: the version.
        days: of its users, in any order; a unit, variant and day that come again are added up.
        before: of users what they did before the experiment began (clicks, for example): it explains part of what they
            do in it (CUPED). Who is not named did nothing.
        kept_since: time since which the log of lists is whole, in seconds since 1970; None: it is.

    Raises:
        ValueError: an observation is of a variant that the experiment has not.
    """
    names = [variant.name for variant in experiment.variants]
    rows = read_days(days, names, before, paired=is_paired(experiment))
    level = experiment.alpha / (len(names) - 1)
    compared, split = comparisons(experiment, level), SplitLooks(experiment)
    reasons = [
        *short_log(experiment, kept_since),
        *users_in_several(rows.included + rows.excluded, rows.excluded),
    ]
    users = dict.fromkeys(names, 0)
    for day, totals in rows.by_day():
        blockers = split.look(totals)
        users = {name: len(of_variant.sums) for name, of_variant in zip(names, totals, strict=True)}
        if day == rows.last_day:
            reasons += [*blockers, *undelivered(experiment, totals)]
            blockers = [reason for reason in reasons if reason.blocks]
        _look(experiment, compared, day, totals, blockers)
    if not any(users.values()):
        reasons.append(Reason("no_users"))
    variants = tuple(comparison.verdict() for comparison in compared)
    return Verdict(
        experiment=experiment.key,
        version=experiment.version,
        state=_state(variants, reasons),
        winner=_winner(variants),
        reasons=tuple(reasons),
        users=users,
        excluded=rows.excluded,
        split_p=split.p,
        alpha=experiment.alpha,
        level=level,
        variants=variants,
    )


def _look(
    experiment: Experiment,
    compared: Sequence[Comparison],
    day: int,
    totals: Sequence[Totals],
    blockers: Sequence[Reason],
) -> None:
    """One look at all variants."""
    cuts: dict[MetricName, Cut | None] = {
        metric: cut_of(totals, sums.numerator, experiment.winsorised) for metric, sums in METRICS.items() if sums.cut
    }
    estimates = [
        comparison.estimates(day, totals[0], variant, cuts)
        for comparison, variant in zip(compared, totals[1:], strict=True)
    ]
    differs = holm([comparison.p for comparison in compared], experiment.alpha)
    for comparison, found, of_variant in zip(compared, differs, estimates, strict=True):
        if found:
            comparison.decide(day)
        comparison.look(of_variant, blockers)


def _state(variants: Sequence[VariantVerdict], reasons: Sequence[Reason]) -> State:
    if any(reason.blocks for reason in reasons):
        return "blocked"
    states = {variant.state for variant in variants}
    return next(state for state in _BEST_FIRST if state in states)


def _winner(variants: Sequence[VariantVerdict]) -> str | None:
    better = {
        variant.variant: variant.latest.metrics[0].difference or 0.0
        for variant in variants
        if variant.state == "better" and variant.latest
    }
    return max(better, key=better.__getitem__, default=None)
