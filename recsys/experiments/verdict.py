"""What is known of an experiment by what became of its users' lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsys.experiments.experiment import Experiment
from recsys.experiments.findings import Verdict
from recsys.experiments.observations import UnitDay


def verdict(
    experiment: Experiment,
    days: Sequence[UnitDay],
    before: Mapping[str, float] | None = None,
    *,
    kept_since: float | None = None,
) -> Verdict:
    """The verdict of one version of an experiment.

    Args:
        experiment: the version.
        days: of its users, in any order; a unit, variant and day that come again are added up.
        before: of users what they did before the experiment began (clicks, for example): it explains part of what they
            do in it (CUPED). Who is not named did nothing.
        kept_since: time since which the log of lists is whole, in seconds since 1970; None: it is.
    """
    raise NotImplementedError
