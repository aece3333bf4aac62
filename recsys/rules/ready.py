"""A rule whose expressions are checked against a bundle, or why it cannot act there."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.rules.base import RuleBase
from recsys.rules.expressions import Condition, ExpressionError, Side, check, fields_of, parse
from recsys.rules.faults import RuleFault
from recsys.rules.rule import Calibrate, Cap, Mmr, PriceFit, Rule, Upsell

_OF_THE_DAY = frozenset({"item.age", "now"})
_OF_ANYONE = "context."


@dataclass(frozen=True)
class ReadyRule:
    """A rule, made ready.

    Attributes:
        rule: as the shop wrote it.
        where, when: its conditions; None: all items, everyone.
        dated: whether the items that it acts on change with time.
        reads: what `when` reads, such as `user.segment`.
    """

    rule: Rule
    where: Condition | None
    when: Condition | None
    dated: bool
    reads: frozenset[str]

    @property
    def for_anyone(self) -> bool:
        """Whether nothing needs to be known of the user to say if it acts."""
        return all(field == "now" or field.startswith(_OF_ANYONE) for field in self.reads)

    @property
    def for_any_time_and_user(self) -> bool:
        """Whether `when` reads nothing but the context."""
        return self.for_anyone and "now" not in self.reads


def ready(rule: Rule, base: RuleBase) -> ReadyRule | RuleFault:
    """The rule as a bundle can follow it, or why it cannot."""
    try:
        part: Side = "where"
        where, of_items = _condition(rule.where, part, base)
        part = "when"
        when, reads = _condition(rule.when, part, base)
    except ExpressionError as error:
        return RuleFault(rule.id, part, error.message, error.position, error.line, error.column, error.fields)
    fault = _group_fault(rule, base)
    return fault or ReadyRule(rule, where, when, bool(of_items & _OF_THE_DAY), reads)


def does_nothing(rule: Rule) -> bool:
    """Whether a knob at zero switches it off; it is left out then, and excludes no other."""
    match rule.action:
        case Mmr() | Calibrate() | PriceFit():
            return rule.action.weight == 0
        case Upsell():
            return rule.action.factor * rule.action.weight == 0
    return False


def _condition(text: str | None, side: Side, base: RuleBase) -> tuple[Condition | None, frozenset[str]]:
    """The condition, and the fields that it reads."""
    if text is None:
        return None, frozenset()
    expression = parse(text)
    types = base.item_types if side == "where" else base.user_types
    return check(expression, side, types), fields_of(expression)


def _group_fault(rule: Rule, base: RuleBase) -> RuleFault | None:
    if not isinstance(rule.action, Cap | Calibrate) or rule.action.by in base.group_fields:
        return None
    fields = base.group_fields
    message = f"no items can be grouped by {rule.action.by!r}, but by {', '.join(fields)}"
    return RuleFault(rule.id, "action.by", message, fields=fields)
