"""The case that is looked at: all rules of a shop, a bundle, a sample of queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.queries import Queries
from recsys.core.types import BoolArray
from recsys.rules.policy import CompiledRules, Context
from recsys.rules.rule import Hide, Require, Rule
from recsys.rules.rule_set import RuleSet

Together = Literal["always", "sample"]


@dataclass(frozen=True, eq=False)
class Case:
    """All rules, and what they are looked at with.

    Attributes:
        rules: of the shop, also those that are off.
        compiled: those that can act.
        queries: B queries of a sample; their latest moment is taken for now.
        k: length of the lists.
        scenario, context: of the request.
        about: id of the rule that findings are wanted about; None: about all. It spares the look at all pairs of rules.
    """

    rules: Sequence[Rule]
    compiled: CompiledRules
    queries: Queries
    k: int
    scenario: str | None
    context: Context
    about: str | None = None

    @cached_property
    def now(self) -> int:
        """Seconds since 1970."""
        return int(self.queries.now.max(initial=0))

    @cached_property
    def everything(self) -> RuleSet:
        """All R rules that can act, whatever their scenario."""
        return RuleSet(self.compiled.ready, self.compiled.base)

    @cached_property
    def columns(self) -> range:
        """0 to R - 1."""
        return range(self.everything.size)

    def rule(self, column: int) -> Rule:
        """One of the R rules."""
        return self.everything.rules[column]

    def asked(self, *columns: int) -> bool:
        """Whether findings that name these rules among others are wanted."""
        return self.about is None or self._column_asked in columns

    @cached_property
    def _column_asked(self) -> int | None:
        """Of the rule that findings are wanted about; None: it cannot act."""
        return next((column for column in self.columns if self.rule(column).id == self.about), None)

    def of(self, *actions: type) -> list[int]:
        """Columns of the rules of such actions."""
        return [column for column in self.columns if isinstance(self.rule(column).action, actions)]

    def items(self, column: int) -> BoolArray:
        """Bool [N], the items of a rule today."""
        mask = self.everything.mask(column, self.now // SECONDS_PER_DAY)
        return np.ones(self.compiled.base.n_items, np.bool_) if mask is None else mask

    @cached_property
    def meant(self) -> BoolArray:
        """Bool [B, R], which rules are for each query in this scenario, excluded by others or not."""
        base = self.compiled.base
        meant = self.everything.acting.meant(self.queries, lambda: base.users(self.queries), self.context)
        fits = [rule.scenario in (None, self.scenario) for rule in self.everything.rules]
        return meant & np.array(fits, np.bool_)

    @cached_property
    def always(self) -> tuple[int, ...]:
        """Columns of the rules that act for everyone in this scenario now."""
        return tuple(
            column
            for column, rule in enumerate(self.everything.rules)
            if rule.when is None and rule.scenario in (None, self.scenario) and _valid(rule, self.now)
        )

    @cached_property
    def gatherings(self) -> list[tuple[tuple[int, ...], bool]]:
        """Columns of rules that act together, and whether that was only seen in the sample: no set twice."""
        rows = {tuple(np.flatnonzero(row).tolist()): True for row in self.meant}
        return list({**rows, self.always: False}.items())

    def allowed(self, columns: Sequence[int]) -> BoolArray:
        """Bool [N], what those of the rules that hide and require leave of what is for sale."""
        restricting = tuple(one for one in columns if isinstance(self.rule(one).action, Hide | Require))
        return self.everything.allowed(restricting, self.now // SECONDS_PER_DAY) & self.for_sale

    @cached_property
    def for_sale(self) -> BoolArray:
        """Bool [N], what is not sold out."""
        masks = [stock.mask for stock in self.compiled.base.bundle.in_stock]
        return np.all(masks, axis=0) if masks else np.ones(self.compiled.base.n_items, np.bool_)

    def together(self, one: int, other: int) -> Together | None:
        """Whether two rules act at once: for certain, for queries of the sample, or not as far as is known."""
        first, second = self.rule(one), self.rule(other)
        if not (_overlap(first, second) and _valid_later(first, self.now) and _valid_later(second, self.now)):
            return None
        if None in (first.when, second.when) or first.when == second.when:
            return "always"
        return "sample" if (self.meant[:, one] & self.meant[:, other]).any() else None

    def pairs(self, ones: Sequence[int], others: Sequence[int] | None = None) -> Iterator[tuple[int, int, bool]]:
        """Pairs of rules that act at once, and whether that was only seen in the sample; without others, among ones.

        Only pairs that findings are wanted about.
        """
        pairs = combinations(ones, 2) if others is None else ((one, other) for one in ones for other in others)
        for one, other in pairs:
            together = self.together(one, other) if self.asked(one, other) else None
            if together is not None:
                yield one, other, together == "sample"


def _valid(rule: Rule, now: int) -> bool:
    begun = rule.valid_from is None or rule.valid_from.timestamp() <= now
    return begun and _valid_later(rule, now)


def _valid_later(rule: Rule, now: int) -> bool:
    return rule.valid_to is None or now < rule.valid_to.timestamp()


def _overlap(one: Rule, other: Rule) -> bool:
    """Whether there are a scenario and a moment for both."""
    if one.scenario != other.scenario and None not in (one.scenario, other.scenario):
        return False
    begins = [rule.valid_from for rule in (one, other) if rule.valid_from is not None]
    ends = [rule.valid_to for rule in (one, other) if rule.valid_to is not None]
    return not begins or not ends or max(begins) < min(ends)
