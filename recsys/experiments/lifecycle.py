"""The life of an experiment: drafted, started, changed while it runs, stopped; and what keeps it from starting.

draft ─ start ─► running ─ stop ─► stopped ─ start, or other variants ─► the next version
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from recsys.core.errors import RecsysError
from recsys.experiments.experiment import BUCKETS, Experiment, ExperimentTerms

ASSIGNING: Final = ("variants", "salt", "layer", "traffic", "mode")
"""Terms that decide who gets what: where one of them changes, what came of lists before says nothing of those after."""


class ExperimentConflict(RecsysError):  # noqa: N818 - says it all
    """An experiment is in no state for what is wanted, or another one stands in its way; nothing was changed."""

    exit_code = 2


def assign_alike(one: ExperimentTerms, other: ExperimentTerms) -> bool:
    """Whether users get the same by both."""
    return all(getattr(one, name) == getattr(other, name) for name in ASSIGNING)


def defined(
    key: str,
    terms: ExperimentTerms,
    before: Experiment | None,
    others: Iterable[Experiment],
    now: float,
    *,
    last_version: int = 0,
) -> Experiment:
    """An experiment of these terms.

    Where it is running and users are to get other things, it is a new version from now on; where it was stopped, it is
    the draft of one. Titles, metrics, guardrails and the numbers of verdicts change what is read out of lists, and no
    version.

    Args:
        key: names it.
        terms: what it is to be.
        before: what it is; None: there is none.
        others: all other experiments.
        now: seconds since 1970.
        last_version: where there is none, the last one that was started of those of its key that were deleted; 0: none
            was. The log of lists still holds theirs, which are none of the new one's.

    Raises:
        ExperimentConflict: it is running, and cannot be as is wanted beside the others.
    """
    said = dict(terms)
    if before is None:
        return Experiment(key=key, version=last_version + 1, **said)
    wanted = before.model_copy(update=said)
    if assign_alike(before, wanted) or before.status == "draft":
        return wanted
    version = before.version + 1
    if before.status == "running":
        moved = (before.layer, before.traffic) != (wanted.layer, wanted.traffic)
        return _running(wanted, version, others, now, keep_buckets=not moved)
    draft = {"version": version, "status": "draft", "first_bucket": 0, "end_bucket": 0}
    return wanted.model_copy(update={**draft, "started_at": None, "stopped_at": None})


def started(experiment: Experiment, others: Iterable[Experiment], now: float) -> Experiment:
    """The experiment as it is from now on; one that was stopped begins anew, as its next version.

    Arguments as of `defined`.

    Raises:
        ExperimentConflict: it is running already; its layer has no room; another one overrides the same thing.
    """
    if experiment.status == "running":
        raise ExperimentConflict(
            f"an experiment that is not running as {experiment.key!r}", "one that is", "nothing needs to be done"
        )
    version = experiment.version + (experiment.status == "stopped")
    return _running(experiment, version, others, now, keep_buckets=False)


def stopped(experiment: Experiment, now: float) -> Experiment:
    """The experiment, which nobody is in from now on.

    Raises:
        ExperimentConflict: it is not running.
    """
    if experiment.status != "running":
        raise ExperimentConflict(
            f"an experiment that is running as {experiment.key!r}",
            "a draft" if experiment.status == "draft" else "one that was stopped",
            "nothing needs to be done",
        )
    return experiment.model_copy(update={"status": "stopped", "stopped_at": now})


def require_not_running(experiment: Experiment) -> None:
    """Stop where an experiment is running, and cannot be deleted.

    Raises:
        ExperimentConflict: it is.
    """
    if experiment.status == "running":
        raise ExperimentConflict(
            "a draft, or an experiment that was stopped", f"{experiment.key!r}, which is running", "stop it first"
        )


def _running(
    experiment: Experiment, version: int, others: Iterable[Experiment], now: float, *, keep_buckets: bool
) -> Experiment:
    beside = [other for other in others if other.status == "running" and other.key != experiment.key]
    _require_own_overrides(experiment, beside)
    first, end = experiment.first_bucket, experiment.end_bucket
    if not keep_buckets:
        first, end = _free_buckets(experiment, [other for other in beside if other.layer == experiment.layer])
    state = {"status": "running", "version": version, "first_bucket": first, "end_bucket": end}
    return experiment.model_copy(update={**state, "started_at": now, "stopped_at": None})


def _free_buckets(experiment: Experiment, taken_by: Sequence[Experiment]) -> tuple[int, int]:
    """The first run of buckets of the layer that no other experiment has, half open."""
    wanted = max(1, round(experiment.traffic * BUCKETS))
    first, largest = 0, 0
    for taken, end in [*sorted((other.first_bucket, other.end_bucket) for other in taken_by), (BUCKETS, BUCKETS)]:
        if taken - first >= wanted:
            return first, first + wanted
        largest, first = max(largest, taken - first), max(first, end)
    names = ", ".join(sorted(other.key for other in taken_by))
    raise ExperimentConflict(
        f"room for {wanted / BUCKETS:.2%} of the users in the layer {experiment.layer!r}",
        f"at most {largest / BUCKETS:.2%} beside {names}",
        "stop one of them, ask for less traffic, or use another layer",
    )


def _require_own_overrides(experiment: Experiment, beside: Sequence[Experiment]) -> None:
    """Of different layers a user may be in several experiments: each must have something of its own to change."""
    for other in beside:
        both = _overridden(experiment) & _overridden(other)
        if other.layer != experiment.layer and both:
            raise ExperimentConflict(
                f"experiments of different layers that override different things as {experiment.key!r}",
                f"{', '.join(sorted(both))}, which {other.key!r} of the layer {other.layer!r} overrides, too",
                f"put it into the layer {other.layer!r}, or stop the other one",
            )


def _overridden(experiment: Experiment) -> frozenset[str]:
    """What an experiment changes; teams that draft a list make all of it, whatever they differ in."""
    return experiment.overrides | (frozenset({"model", "bundle"}) if experiment.mode == "interleaved" else frozenset())
