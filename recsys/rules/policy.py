"""A rule set, made ready for a bundle; bound to a scenario and a context it is a `recsys.pipeline.policy.Policy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from recsys.core.queries import Queries
from recsys.core.types import BoolArray, Int32Array
from recsys.pipeline.policy import Plan
from recsys.rules.base import RuleBase
from recsys.rules.faults import RuleFault
from recsys.rules.rule import Repurchase, Rule

Context = Mapping[str, str | float | bool]
NO_CONTEXT: Context = {}


def fault_of(rule: Rule, base: RuleBase) -> RuleFault | None:
    """Why a bundle cannot follow a rule; None: it can."""
    del rule, base
    return None


@dataclass(frozen=True, eq=False)
class CompiledRules:
    """The rules of a shop for one bundle. Nothing is compiled anew when a rule begins or ends to be valid.

    Attributes:
        rules: those that can act: enabled, without fault, with knobs above zero; the first wins where rules exclude
            each other (the highest priority, then the least id).
        faults: by id, of the enabled rules that this bundle cannot follow.
        base: the bundle.
    """

    rules: tuple[Rule, ...]
    faults: Mapping[str, RuleFault]
    base: RuleBase = field(repr=False)

    @classmethod
    def compile(cls, rules: Sequence[Rule], base: RuleBase) -> CompiledRules:
        """Check all rules against a bundle; those it cannot follow are off, and named by `faults`."""
        faults = {rule.id: fault for rule in rules if rule.enabled and (fault := fault_of(rule, base)) is not None}
        able = (rule for rule in rules if rule.enabled and rule.id not in faults)
        return cls(tuple(sorted(able, key=lambda rule: (-rule.priority, rule.id))), faults, base)

    @property
    def reads_user_id(self) -> bool:
        """Whether a rule asks who the user is: then `Queries.ids` must be given."""
        return False

    @property
    def reads_purchases(self) -> bool:
        """Whether a rule asks what was bought: then `Queries.bought` should be given."""
        return any(isinstance(rule.action, Repurchase) for rule in self.rules)

    @cached_property
    def for_anyone(self) -> CompiledRules:
        """The rules that need no user, which lists of similar and of popular items obey: those without `when`."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.when is None))

    def bound(self, scenario: str | None = None, context: Context = NO_CONTEXT) -> BoundRules | None:
        """The policy for requests of a scenario and with a context; None: no rule is for them.

        The same object for the same arguments, so that requests which share it can be answered together.
        """
        del scenario, context
        return None


@dataclass(frozen=True, eq=False)
class BoundRules:
    """A policy: the rules of one scenario, with the context of a request.

    Attributes:
        rules: those for the scenario, in the order of `CompiledRules.rules`.
    """

    rules: tuple[Rule, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the R rules, as in `Plan.rules`."""
        return tuple(rule.id for rule in self.rules)

    def active(self, queries: Queries) -> BoolArray:
        """Bool [B, R], which rules act for each query: valid at its time, true `when`, not excluded by another."""
        return np.zeros((len(queries), len(self.rules)), np.bool_)

    def plan(self, queries: Queries, k: int) -> Plan | None:
        """See `recsys.pipeline.policy.Policy`."""
        del queries, k
        return None

    def forbidding(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Bool [B, C, R], which rules forbid each of the items [B, C] in the list of its query."""
        del queries
        return np.zeros((*items.shape, len(self.rules)), np.bool_)
