"""Contradictions: rules that work against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from recsys.rules.columns import NO_NAME
from recsys.rules.findings.case import Case
from recsys.rules.findings.finding import Finding
from recsys.rules.rule import Boost, Bury, Cap, Hide, Pin, Promote, Require

_FORWARD = (Pin, Promote, Boost)
_LEAST = 0.5  # share of its items that another rule must take from one; less is how rules are meant to work together


def contradictions(case: Case) -> Iterator[Finding]:
    """All of them, by kind."""
    yield from _hidden(case)
    yield from _not_required(case)
    yield from _both_ways(case)
    yield from _same_slot(case)
    yield from _same_item(case)
    yield from _pinned_beyond_cap(case)


def _hidden(case: Case) -> Iterator[Finding]:
    """Items that one rule hides and another wants."""
    for hide, other, sample in case.pairs(case.of(Hide), case.of(*_FORWARD, Require)):
        wanted = case.items(other)
        hidden, whole = int((wanted & case.items(hide)).sum()), int(wanted.sum())
        required = isinstance(case.rule(other).action, Require)
        if not hidden or hidden < whole * (1 if required else _LEAST):
            continue
        ids = case.rule(hide).id, case.rule(other).id
        message = f"{ids[0]} hides {_of(hidden, whole)} that {ids[1]} {_verb(case, other)}"
        yield Finding("contradiction", ids, message, "take them out of one of both; hiding wins", sample)


def _not_required(case: Case) -> Iterator[Finding]:
    """Items of which a list may hold none."""
    requires = case.of(Require)
    for one, other, sample in case.pairs(requires):
        if not (case.items(one) & case.items(other)).any() and case.items(one).any() and case.items(other).any():
            ids = case.rule(one).id, case.rule(other).id
            message = "no item meets both, so that every list is empty"
            yield Finding("contradiction", ids, message, "join them in one rule with ||, or part them by when", sample)
    for require, other, sample in case.pairs(requires, case.of(*_FORWARD)):
        wanted = case.items(other)
        kept = int((wanted & case.items(require)).sum())
        if wanted.any() and not kept:
            ids = case.rule(require).id, case.rule(other).id
            message = f"{ids[0]} leaves none of the {int(wanted.sum())} items that {ids[1]} {_verb(case, other)}"
            yield Finding("contradiction", ids, message, "widen where of the one, or part them by when", sample)


def _both_ways(case: Case) -> Iterator[Finding]:
    """Items that are boosted and buried."""
    for boost, bury, sample in case.pairs(case.of(Boost), case.of(Bury)):
        wanted, buried = case.items(boost), case.items(bury)
        both = int((wanted & buried).sum())
        if both and both >= _LEAST * min(wanted.sum(), buried.sum()):
            ids = case.rule(boost).id, case.rule(bury).id
            message = f"{ids[1]} buries {_of(both, int(wanted.sum()))} that {ids[0]} boosts"
            yield Finding("contradiction", ids, message, "take them out of one of both; burying wins", sample)


def _same_slot(case: Case) -> Iterator[Finding]:
    for one, other, sample in case.pairs(case.of(Pin)):
        winner, loser = case.rule(one), case.rule(other)
        if isinstance(winner.action, Pin) and winner.action == loser.action and winner.action.slot <= case.k:
            message = (
                f"both pin slot {winner.action.slot}; where both act, {winner.id} wins and {loser.id} does nothing"
            )
            remedy = "give one of them another slot, or part them by when, scenario or time"
            yield Finding("contradiction", (winner.id, loser.id), message, remedy, sample)


def _same_item(case: Case) -> Iterator[Finding]:
    """Pins of one item alone to several slots: it is pinned once."""
    single = [pin for pin in case.of(Pin) if case.items(pin).sum() == 1]
    for one, other, sample in case.pairs(single):
        first, second = case.rule(one).action, case.rule(other).action
        if not isinstance(first, Pin) or not isinstance(second, Pin) or first.slot == second.slot:
            continue
        if max(first.slot, second.slot) <= case.k and (case.items(one) & case.items(other)).any():
            ids = case.rule(one).id, case.rule(other).id
            message = f"both pin the same item; where both act, {ids[0]} wins and {ids[1]} does nothing"
            remedy = "widen where of one of them, or part them by when, scenario or time"
            yield Finding("contradiction", ids, message, remedy, sample)


def _pinned_beyond_cap(case: Case) -> Iterator[Finding]:
    """Pins of one group, more than a cap lets in."""
    pins_asked = [pin for pin in case.of(Pin) if case.asked(pin)]
    for cap in case.of(Cap):
        if not case.asked(cap) and not any(_single_groups(case, cap, pins_asked)):
            continue
        action = case.rule(cap).action
        assert isinstance(action, Cap)  # noqa: S101
        width = action.window or case.k
        for _, pins in groupby(sorted(_single_groups(case, cap, case.of(Pin))), key=lambda pin: pin[0]):
            by_slot = {slot: column for _, slot, column in pins}
            slots = sorted(by_slot)
            for first in slots:
                near = [slot for slot in slots if first <= slot < first + width]
                if len(near) > action.most:
                    ids = (case.rule(cap).id, *(case.rule(by_slot[slot]).id for slot in near))
                    message = f"{len(near)} pins are of one {action.by}, of which {ids[0]} allows {action.most}"
                    yield Finding("contradiction", ids, message, "pin fewer; pins are placed whatever caps say")
                    break


def _single_groups(case: Case, cap: int, pins: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Those of the pins that act at once with a cap and put forward one of its groups alone: group, slot, column."""
    action = case.rule(cap).action
    assert isinstance(action, Cap)  # noqa: S101
    groups = np.where(case.items(cap), case.compiled.base.groups(action.by).codes, NO_NAME)
    for pin in pins:
        if case.together(cap, pin) != "always":
            continue
        found = np.unique(groups[case.items(pin)])
        pinned = case.rule(pin).action
        if len(found) == 1 and found[0] != NO_NAME and isinstance(pinned, Pin) and pinned.slot <= case.k:
            yield int(found[0]), pinned.slot, pin


def _of(part: int, whole: int) -> str:
    return f"all {whole} items" if part == whole else f"{part} of {whole} items"


def _verb(case: Case, column: int) -> str:
    return {"pin": "pins", "promote": "promotes", "boost": "boosts", "require": "requires"}[
        case.rule(column).action.type
    ]
