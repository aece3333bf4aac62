"""A rule set, made ready for a bundle; bound to a scenario and a context it is a `recsys.pipeline.policy.Policy`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from recsys.rules.acting import Context
from recsys.rules.base import RuleBase
from recsys.rules.bound import BoundRules
from recsys.rules.expressions import ContextValue
from recsys.rules.faults import RuleFault
from recsys.rules.kept import Kept
from recsys.rules.ready import ReadyRule, does_nothing, ready
from recsys.rules.rule import Repurchase, Rule
from recsys.rules.rule_set import RuleSet

NO_CONTEXT: Context = {}
_MOST_BOUND = 1024
__all__ = ["NO_CONTEXT", "BoundRules", "CompiledRules", "Context", "fault_of"]
_Given = tuple[tuple[str, str, ContextValue], ...]


def fault_of(rule: Rule, base: RuleBase) -> RuleFault | None:
    """Why a bundle cannot follow a rule; None: it can."""
    made = ready(rule, base)
    return made if isinstance(made, RuleFault) else None


@dataclass(frozen=True, eq=False)
class CompiledRules:
    """The rules of a shop for one bundle. Nothing is compiled anew when a rule begins or ends to be valid.

    Attributes:
        ready: those that can act: enabled, without fault, with knobs above zero; the first wins where rules exclude
            each other (the highest priority, then the least id).
        faults: by id, of the enabled rules that this bundle cannot follow.
        base: the bundle.
    """

    ready: tuple[ReadyRule, ...]
    faults: Mapping[str, RuleFault]
    base: RuleBase = field(repr=False)

    @classmethod
    def compile(cls, rules: Sequence[Rule], base: RuleBase) -> CompiledRules:
        """Check all rules against a bundle; those it cannot follow are off, and named by `faults`."""
        ordered = sorted((rule for rule in rules if rule.enabled), key=lambda rule: (-rule.priority, rule.id))
        made = [ready(rule, base) for rule in ordered]
        able = (one for one in made if isinstance(one, ReadyRule) and not does_nothing(one.rule))
        return cls(tuple(able), {one.rule: one for one in made if isinstance(one, RuleFault)}, base)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that can act, as the shop wrote them."""
        return tuple(one.rule for one in self.ready)

    @cached_property
    def reads_user_id(self) -> bool:
        """Whether a rule asks who the user is: then `Queries.ids` must be given."""
        return any("user.id" in one.reads for one in self.ready)

    @cached_property
    def reads_purchases(self) -> bool:
        """Whether a rule asks what was bought: then `Queries.bought` should be given."""
        return any(isinstance(one.rule.action, Repurchase) for one in self.ready)

    @cached_property
    def context_read(self) -> frozenset[str]:
        """Names of the context that rules read: the others make no difference."""
        paths = (path for one in self.ready for path in one.reads if path.startswith("context."))
        return frozenset(path.partition(".")[2] for path in paths)

    @cached_property
    def for_anyone(self) -> CompiledRules:
        """Those that need no user: without `when`, or with one that reads only the context and the time."""
        return self._only(lambda one: one.for_anyone)

    def without(self, rule: str) -> CompiledRules:
        """All but one of them, by its id."""
        return self._only(lambda one: one.rule.id != rule)

    def bound(self, scenario: str | None = None, context: Context = NO_CONTEXT) -> BoundRules | None:
        """The policy for requests of a scenario and with a context; None: no rule is for them.

        The same object for the same arguments, so that requests which share it can be answered together.
        """
        known = scenario if scenario in self._scenarios else None
        rules = self._of_scenario.get(known, lambda: self._set_of(known))
        if not rules.ready:
            return None
        read = {name: value for name, value in context.items() if name in self.context_read}
        given = tuple([(name, type(value).__name__, value) for name, value in sorted(read.items())])
        return self._bound.get((known, given), lambda: BoundRules(rules, read))

    def _only(self, wanted: Callable[[ReadyRule], bool]) -> CompiledRules:
        if all(map(wanted, self.ready)):
            return self
        return CompiledRules(tuple(filter(wanted, self.ready)), self.faults, self.base)

    def _set_of(self, scenario: str | None) -> RuleSet:
        return RuleSet(tuple(one for one in self.ready if one.rule.scenario in (None, scenario)), self.base)

    @cached_property
    def _scenarios(self) -> frozenset[str]:
        """Those that rules name: to the others all rules are alike."""
        return frozenset(one.rule.scenario for one in self.ready if one.rule.scenario is not None)

    @cached_property
    def _of_scenario(self) -> Kept[str | None, RuleSet]:
        return Kept(_MOST_BOUND)

    @cached_property
    def _bound(self) -> Kept[tuple[str | None, _Given], BoundRules]:
        return Kept(_MOST_BOUND)
