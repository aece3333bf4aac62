"""Which state a variant is in, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from recsys.experiments.findings import (
    Estimate,
    Guarded,
    GuardrailState,
    Interval,
    MetricName,
    Reason,
    ReasonCode,
    State,
)
from recsys.experiments.statistics.estimates import FEWEST_CASES

_GUARDRAIL_CODES: Final[Mapping[GuardrailState, ReasonCode]] = {
    "open": "guardrail_open",
    "kept": "guardrail_kept",
    "broken": "guardrail_broken",
    "none_seen": "guardrail_none_seen",
    "not_comparable": "guardrail_not_comparable",
}


class Decision(NamedTuple):
    """That the primary metric differs from the control's: since which look, and in favour of whom.

    Attributes:
        day: of the look, in days since 1970.
        better: whether the variant is the better one.
    """

    day: int
    better: bool


def too_early(control: str, variant: str, primary: Estimate, least_users: int) -> list[Reason]:
    """Why there is no interval of the primary metric yet; nothing where there is one."""
    users = {control: primary.control_users, variant: primary.users}
    reasons = [
        Reason("few_users", {"variant": name, "users": count, "least": least_users})
        for name, count in users.items()
        if count < least_users
    ]
    if primary.cases < FEWEST_CASES:
        numbers = {"metric": primary.metric, "users": primary.cases, "least": FEWEST_CASES}
        reasons.append(Reason("few_cases", numbers))
    return reasons


def state(
    primary: Estimate, decision: Decision | None, guardrails: Sequence[Guarded], broken: Mapping[MetricName, int]
) -> tuple[State, list[Reason]]:
    """The state of a variant after a look, and the reasons for it.

    Args:
        primary: the look at the primary metric.
        decision: what this look or an earlier one decided upon it; it stays, whatever later looks say.
        guardrails: as of this look.
        broken: days on which guardrails were first broken.
    """
    turned = decision is not None and _excludes(primary.interval, decision.better)
    reasons = [_of_primary(primary, decision), *_of_later_looks(primary, decision, turned)]
    reasons += [_of_guardrail(guardrail) for guardrail in guardrails]
    reasons += [
        Reason("guardrail_was_broken", {"metric": guardrail.metric, "day": broken[guardrail.metric]})
        for guardrail in guardrails
        if guardrail.metric in broken and guardrail.state != "broken"
    ]
    states = {guardrail.state for guardrail in guardrails}
    if "broken" in states or (decision and not decision.better and not turned):
        return "worse", reasons
    if "open" in states or turned:
        return "undecided", reasons
    if decision:
        return "better", reasons
    own = any(guardrail.metric == primary.metric and guardrail.state == "kept" for guardrail in guardrails)
    return "no_worse" if own else "undecided", reasons


def _excludes(interval: Interval | None, better: bool) -> bool:
    """Whether an interval contradicts a decision."""
    return interval is not None and (interval.high < 0 if better else interval.low > 0)


def _of_primary(primary: Estimate, decision: Decision | None) -> Reason:
    numbers = {"metric": primary.metric, "p": primary.p, **_difference(primary)}
    if decision is None:
        return Reason("primary_open", numbers)
    return Reason("primary_better" if decision.better else "primary_worse", {**numbers, "day": decision.day})


def _of_later_looks(primary: Estimate, decision: Decision | None, turned: bool) -> list[Reason]:
    """What would otherwise make a verdict look as if it had changed without a word."""
    if decision is None or primary.interval is None or decision.day == primary.day:
        return []
    numbers = {"metric": primary.metric, "day": decision.day, **_difference(primary)}
    if turned:
        return [Reason("primary_turned", numbers)]
    holds_zero = primary.interval.low <= 0 <= primary.interval.high
    return [Reason("interval_open_again", numbers)] if holds_zero else []


def _difference(estimate: Estimate) -> dict[str, float | str]:
    numbers: dict[str, float | str] = {}
    if estimate.difference is not None:
        numbers["difference"] = estimate.difference
    if estimate.interval is not None:
        numbers |= {"low": estimate.interval.low, "high": estimate.interval.high}
    return numbers


def _of_guardrail(guardrail: Guarded) -> Reason:
    numbers: dict[str, float | str] = {"metric": guardrail.metric, "most": guardrail.most}
    if guardrail.worse_by is not None:
        numbers["worse_by"] = guardrail.worse_by
    if guardrail.interval is not None:
        numbers |= {"low": guardrail.interval.low, "high": guardrail.interval.high}
    return Reason(_GUARDRAIL_CODES[guardrail.state], numbers)
