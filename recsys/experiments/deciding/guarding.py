"""Whether a variant keeps a guardrail: that it is not worse than the control by more than a share of it."""

from __future__ import annotations

from recsys.experiments.experiment import Guardrail
from recsys.experiments.findings import Estimate, Guarded, GuardrailState, Interval
from recsys.experiments.statistics.metrics import METRICS


def guarded(guardrail: Guardrail, estimate: Estimate, *, paired: bool) -> Guarded:
    """What an estimate of its metric says of a guardrail.

    The interval is the one of the metric: a guardrail is kept where it rules out a loss of `most`, and broken where it
    rules out less. A variant is let through by all its guardrails together, so that no level is split among them.
    """
    if paired and METRICS[guardrail.metric].of_lists:
        return Guarded(guardrail.metric, guardrail.most, "not_comparable")
    worse_by, interval = estimate.relative, estimate.relative_interval
    if METRICS[guardrail.metric].more_is_better:
        worse_by = None if worse_by is None else -worse_by
        interval = interval and Interval(-interval.high, -interval.low)
    return Guarded(guardrail.metric, guardrail.most, _state(guardrail.most, estimate, interval), worse_by, interval)


def _state(most: float, estimate: Estimate, worse_by: Interval | None) -> GuardrailState:
    if estimate.cases == 0 and estimate.mean is not None and estimate.control_mean is not None:
        return "none_seen"
    if worse_by is None:
        return "open"
    if worse_by.high < most:
        return "kept"
    return "broken" if worse_by.low > most else "open"
