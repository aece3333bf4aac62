"""Dead rules: those that a bundle cannot follow, and those that do nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from recsys.rules.acting import exclusive_kind
from recsys.rules.findings.case import Case
from recsys.rules.findings.finding import Finding
from recsys.rules.ready import does_nothing
from recsys.rules.rule import Pin, Promote, Rule


def dead(case: Case) -> Iterator[Finding]:
    """Of each rule at most one finding: the first that explains why it does nothing."""
    columns = {rule.id: column for column, rule in enumerate(case.everything.rules)}
    for rule in filter(_asked(case), case.rules):
        if rule.id in case.compiled.faults:
            fault = case.compiled.faults[rule.id]
            yield Finding("fault", (rule.id,), str(fault), f"mend {fault.part}; the rule is off until then")
            continue
        finding = _off(case, rule) or (_idle(case, columns[rule.id]) if rule.id in columns else None)
        if finding is not None:
            yield finding


def _asked(case: Case) -> Callable[[Rule], bool]:
    """Whether a rule's finding may name the one that findings are wanted about: as the dead one, or as its winner."""
    winner = next((rule for rule in case.everything.rules if rule.id == case.about), None)
    kind = None if winner is None else exclusive_kind(winner)
    return lambda rule: case.about in (None, rule.id) or (kind is not None and exclusive_kind(rule) == kind)


def _off(case: Case, rule: Rule) -> Finding | None:
    """What its own settings say."""
    if not rule.enabled:
        return Finding("dead", (rule.id,), "it is switched off", "set enabled to true, or delete it")
    if does_nothing(rule):
        return Finding("dead", (rule.id,), f"{rule.action.type} with a weight of 0", "raise its weight, or delete it")
    if rule.valid_to is not None and rule.valid_to.timestamp() <= case.now:
        return Finding("dead", (rule.id,), f"it was valid until {rule.valid_to}", "set valid_to later, or delete it")
    if isinstance(rule.action, Pin) and rule.action.slot > case.k:
        message = f"a list of {case.k} items has no slot {rule.action.slot}"
        return Finding("dead", (rule.id,), message, "choose an earlier slot, or ask for longer lists")
    return None


def _idle(case: Case, column: int) -> Finding | None:
    """What the catalogue, the other rules and the sample say."""
    rule = case.rule(column)
    if not case.items(column).any():
        return Finding("dead", (rule.id,), "where is true for no item of the catalogue", "widen where, or delete it")
    if isinstance(rule.action, Pin | Promote) and not (case.items(column) & case.for_sale).any():
        return Finding("dead", (rule.id,), "all of its items are sold out", "widen where, or wait for new stock")
    excluded = exclusive_kind(rule) is not None and not isinstance(rule.action, Pin)
    for other in range(column) if excluded else ():
        if _covers(case, other, column):
            winner = case.rule(other).id
            message = f"{winner}, of higher priority, acts wherever it would, and only one {rule.action.type} does"
            return Finding("dead", (rule.id, winner), message, "raise its priority, or narrow when of the other")
    here = rule.scenario in (None, case.scenario)
    if here and rule.when is not None and not case.meant[:, column].any():
        message = f"when is true for none of {len(case.queries)} sampled requests"
        return Finding("dead", (rule.id,), message, "widen when, or preview users whom it is for", of_sample=True)
    return None


def _covers(case: Case, one: int, other: int) -> bool:
    """Whether a rule acts whenever another would, and excludes it."""
    winner, loser = case.rule(one), case.rule(other)
    if exclusive_kind(winner) != exclusive_kind(loser):
        return False
    begins = winner.valid_from is None or (loser.valid_from is not None and winner.valid_from <= loser.valid_from)
    ends = winner.valid_to is None or (loser.valid_to is not None and loser.valid_to <= winner.valid_to)
    return begins and ends and winner.scenario in (None, loser.scenario) and winner.when in (None, loser.when)
