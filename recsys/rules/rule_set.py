"""The rules of one scenario, made ready for a bundle; their masks and tables are kept between requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.types import BoolArray, Int64Array
from recsys.rules.acting import Acting
from recsys.rules.arranging import ArrangingAction, ArrangingRule, ArrangingRules
from recsys.rules.base import RuleBase, most_masks
from recsys.rules.inviting import MOST_COMPARED, Guests, chosen_guests
from recsys.rules.kept import Kept
from recsys.rules.ready import ReadyRule
from recsys.rules.rule import (
    Boost,
    Calibrate,
    Cap,
    Hide,
    Mmr,
    Pin,
    PriceFit,
    Promote,
    Repurchase,
    Require,
    Rule,
    Upsell,
)

_LEAST_GUESTS, _BYTES_OF_GUESTS = 64, 256 << 20
_GUESTS_OF_RULE = 4  # beside what other rules hide from some users alone, and on the days of a batch
NO_DAY = -1  # of what is the same every day


@dataclass(frozen=True, eq=False)
class RuleSet:
    """R rules for one bundle.

    Attributes:
        ready: in the order of their priority.
        base: the bundle.
    """

    ready: tuple[ReadyRule, ...]
    base: RuleBase

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """As the shop wrote them."""
        return tuple(one.rule for one in self.ready)

    @property
    def size(self) -> int:
        """R."""
        return len(self.ready)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(rule.id for rule in self.rules)

    @cached_property
    def acting(self) -> Acting:
        """When they act."""
        return Acting.of(self.ready)

    @cached_property
    def dated(self) -> bool:
        """Whether the items of any of them change with time."""
        return any(one.dated for one in self.ready)

    def columns(self, *actions: type) -> Int64Array:
        """The columns of the rules of such actions, int64."""
        return np.array([c for c, rule in enumerate(self.rules) if isinstance(rule.action, actions)], np.int64)

    @cached_property
    def restricting(self) -> Int64Array:
        """Columns of the rules that hide and require."""
        return self.columns(Hide, Require)

    @cached_property
    def inviting(self) -> Int64Array:
        """Columns of the rules that pin and promote."""
        return self.columns(Pin, Promote)

    @cached_property
    def repurchasing(self) -> Int64Array:
        """Columns of the rules of repurchase."""
        return self.columns(Repurchase)

    @cached_property
    def arranging(self) -> Int64Array:
        """Columns of the rules that arrange."""
        return self.columns(*get_args(ArrangingAction))

    @cached_property
    def placing(self) -> frozenset[str]:
        """See `Plan.placing`."""
        columns = self.columns(Pin, Promote, Boost, Upsell).tolist()
        return frozenset(self.names[column] for column in columns)

    @cached_property
    def reads_mean_price(self) -> bool:
        """Whether a rule compares prices with those of the history."""
        return len(self.columns(Upsell, PriceFit)) > 0

    def days(self, now: Int64Array) -> Int64Array:
        """int64 [B], the days that masks depend on, `NO_DAY` where none does."""
        return now // SECONDS_PER_DAY if self.dated else np.full(len(now), NO_DAY)

    def mask(self, column: int, day: int) -> BoolArray | None:
        """Bool [N], the items of a rule; None: all of them."""
        one = self.ready[column]
        return None if one.where is None else self.base.mask(one.where, day if one.dated else NO_DAY)

    def allowed(self, columns: tuple[int, ...], day: int) -> BoolArray:
        """Bool [N], the items that rules which hide and require leave together."""
        return self._allowed.get((columns, day), lambda: self._allowed_by(columns, day))

    def _allowed_by(self, columns: Sequence[int], day: int) -> BoolArray:
        allowed = np.ones(self.base.n_items, np.bool_)
        for column in columns:
            mask = self.mask(column, day)
            if mask is not None:
                allowed &= ~mask if isinstance(self.rules[column].action, Hide) else mask
        return allowed

    def guests(self, column: int, columns: tuple[int, ...], day: int) -> Guests:
        """Those that a rule may invite where rules of those columns hide and require.

        The same object for the same items: most rules hide nothing of what others put forward.
        """

        def make() -> Guests:
            allowed, mask = self.allowed(columns, day), self.mask(column, day)
            items = chosen_guests(allowed if mask is None else allowed & mask, self.base)
            return self._guests_of_items.get(items.tobytes(), lambda: Guests.of(items, self.base))

        return self._guests.get((column, columns, day), make)

    def arrangements(self, day: int) -> ArrangingRules:
        """The rules that arrange, with their items of a day."""
        return self._arrangements.get(day, lambda: self._arranged(day))

    def _arranged(self, day: int) -> ArrangingRules:
        rules = [self._arranging_rule(column, day) for column in self.arranging.tolist()]
        vectors = self.base.vectors if any(isinstance(rule.action, Mmr) for rule in self.rules) else None
        return ArrangingRules.of(rules, len(self.rules), self.base.prices, vectors)

    def _arranging_rule(self, column: int, day: int) -> ArrangingRule:
        action = self.rules[column].action
        assert isinstance(action, ArrangingAction)  # noqa: S101
        groups = self.base.groups(action.by).codes if isinstance(action, Cap | Calibrate) else None
        return ArrangingRule(column, action, self.mask(column, day), groups)

    @cached_property
    def _allowed(self) -> Kept[tuple[tuple[int, ...], int], BoolArray]:
        return Kept(most_masks(self.base.n_items))

    @cached_property
    def _guests(self) -> Kept[tuple[int, tuple[int, ...], int], Guests]:
        return Kept(self._most_guests)

    @cached_property
    def _guests_of_items(self) -> Kept[bytes, Guests]:
        return Kept(self._most_guests)

    @property
    def _most_guests(self) -> int:
        """A request asks all rules that invite in turn: were fewer than these kept, all would be made anew for each."""
        rules = len(self.inviting)
        of_rule: int = MOST_COMPARED * self.base.vectors.shape[1] * np.dtype(np.float32).itemsize  # bytes, at most
        fitting = _BYTES_OF_GUESTS // of_rule
        return max(_LEAST_GUESTS, rules, min(_GUESTS_OF_RULE * rules, fitting))

    @cached_property
    def _arrangements(self) -> Kept[int, ArrangingRules]:
        return Kept(8)
