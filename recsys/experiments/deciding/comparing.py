"""A variant against the control, day after day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recsys.experiments.deciding.guarding import guarded
from recsys.experiments.deciding.states import Decision, state, too_early
from recsys.experiments.experiment import Experiment
from recsys.experiments.findings import Estimate, Look, MetricName, Reason, State, VariantVerdict
from recsys.experiments.statistics.estimates import MetricLooks, Sides
from recsys.experiments.statistics.metrics import METRICS, Cut
from recsys.experiments.statistics.totals import Totals


@dataclass(slots=True)
class Comparison:
    """The looks at one variant.

    Attributes:
        experiment: that it is of.
        variant: its name.
        metrics: the looks at each metric, the primary one first, then those of guardrails.
        decision: upon the primary metric.
        broken: days on which guardrails were first broken.
        looks: until now.
    """

    experiment: Experiment
    variant: str
    metrics: dict[MetricName, MetricLooks]
    decision: Decision | None = None
    broken: dict[MetricName, int] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)

    @property
    def p(self) -> float:
        """The anytime-valid p-value of the primary metric."""
        return self.metrics[self.experiment.primary].p

    def estimates(
        self, day: int, control: Totals, variant: Totals, cuts: Mapping[MetricName, Cut | None]
    ) -> list[Estimate]:
        """What a look at each metric says."""
        return [looks.look(day, Sides(control, variant, cuts.get(metric))) for metric, looks in self.metrics.items()]

    def decide(self, day: int) -> None:
        """The primary metric is found to differ; the first day on which it is counts."""
        if self.decision is None:
            self.decision = Decision(day, self.metrics[self.experiment.primary].sign > 0)

    def look(self, estimates: Sequence[Estimate], blockers: Sequence[Reason]) -> None:
        """Keep what a look says, and what forbids a verdict on that day."""
        primary, of_metric = estimates[0], {estimate.metric: estimate for estimate in estimates}
        guardrails = tuple(
            guarded(guardrail, of_metric[guardrail.metric], paired=is_paired(self.experiment))
            for guardrail in self.experiment.guardrails
        )
        for guardrail in guardrails:
            if guardrail.state == "broken":
                self.broken.setdefault(guardrail.metric, primary.day)
        control = self.experiment.control.name
        early = too_early(control, self.variant, primary, self.experiment.least_users)
        now: State = "too_early"
        reasons = early
        if self.decision or not early:
            now, reasons = state(primary, self.decision, guardrails, self.broken)
        now = "blocked" if blockers else now
        self.looks.append(Look(primary.day, now, (*blockers, *reasons), tuple(estimates), guardrails))

    def verdict(self) -> VariantVerdict:
        """What the last look says."""
        last = self.looks[-1] if self.looks else Look(0, "too_early", (), ())
        return VariantVerdict(
            self.variant, last.state, last.reasons, self.decision.day if self.decision else None, tuple(self.looks)
        )


def comparisons(experiment: Experiment, level: float) -> list[Comparison]:
    """One for each variant beside the control, before the first look; `level`: of intervals."""
    metrics = dict.fromkeys([experiment.primary, *(guardrail.metric for guardrail in experiment.guardrails), *METRICS])
    return [
        Comparison(
            experiment,
            variant.name,
            {metric: MetricLooks(metric, level, is_paired(experiment), experiment.least_users) for metric in metrics},
        )
        for variant in experiment.variants[1:]
    ]


def is_paired(experiment: Experiment) -> bool:
    """Whether its variants are teams of the same lists."""
    return experiment.mode == "interleaved"
