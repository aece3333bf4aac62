"""Whether an experiment itself is sound: what forbids any verdict, however clear its numbers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from recsys.experiments.experiment import Experiment
from recsys.experiments.findings import Reason
from recsys.experiments.statistics.split import p_of_evidence, split_evidence
from recsys.experiments.statistics.totals import Totals

SPLIT_P: Final = 0.001
"""One sound experiment in a thousand is blocked for its split by chance, over all looks."""
SEVERAL_SHARE: Final = 0.01
"""Of users in several variants, that a verdict bears: they are excluded, and rather those who come often."""
UNDELIVERED_SHARE: Final = 0.1
"""Of the lists of a variant made as without the experiment, that a verdict bears: it would be of something else."""


class SplitLooks:
    """Looks at how users are split among the variants, day after day.

    Attributes:
        p: anytime-valid p-value of the weights; None of interleaved lists, whose users have both variants.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.weights = [variant.weight for variant in experiment.variants]
        self.p: float | None = None if experiment.mode == "interleaved" else 1.0

    def look(self, totals: Sequence[Totals]) -> list[Reason]:
        """The reason that blocks, if there is one now or was one before."""
        if self.p is None:
            return []
        evidence = split_evidence([len(of_variant.sums) for of_variant in totals], self.weights)
        self.p = min(self.p, p_of_evidence(evidence))
        if self.p > SPLIT_P:
            return []
        return [Reason("uneven_split", {"p": self.p, "allowed": SPLIT_P}, blocks=True)]


def users_in_several(users: int, excluded: int) -> list[Reason]:
    """What users in several variants mean, `excluded` of `users` in all."""
    if not excluded:
        return []
    share = excluded / users
    numbers = {"users": excluded, "share": share, "allowed": SEVERAL_SHARE}
    return [Reason("users_in_several_variants", numbers, blocks=share > SEVERAL_SHARE)]


def short_log(experiment: Experiment, kept_since: float | None) -> list[Reason]:
    """What it means that the log of lists is not whole from the beginning."""
    if kept_since is None or experiment.started_at is None or kept_since < experiment.started_at:
        return []
    return [Reason("log_too_short", {"started_at": experiment.started_at, "kept_since": kept_since}, blocks=True)]


def undelivered(experiment: Experiment, totals: Sequence[Totals]) -> list[Reason]:
    """What lists made as without the experiment mean."""
    reasons = []
    for variant, of_variant in zip(experiment.variants, totals, strict=True):
        lists, missed = (float(of_variant.of(field).sum()) for field in ("lists", "undelivered"))
        if missed:
            share = missed / lists
            numbers: dict[str, float | str] = {
                "variant": variant.name,
                "lists": missed,
                "share": share,
                "allowed": UNDELIVERED_SHARE,
            }
            reasons.append(Reason("undelivered", numbers, blocks=share > UNDELIVERED_SHARE))
    return reasons
