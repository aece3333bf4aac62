"""The policy that rules are for requests of one scenario and context."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from recsys.pipeline.allow import Among, Restriction
from recsys.pipeline.arrange import Arrangement
from recsys.pipeline.policy import Plan, UserVectors
from recsys.rules.acting import Acting, Context
from recsys.rules.in_parts import ArrangedInParts
from recsys.rules.inviting import Guests, placed, wanted
from recsys.rules.repurchase import Repurchases, repurchases
from recsys.rules.restricting import Masked
from recsys.rules.rule import Hide, Repurchase, Rule
from recsys.rules.rule_set import RuleSet
from recsys.rules.user_columns import UserColumns


@dataclass(frozen=True, eq=False)
class BoundRules:
    """A policy: the rules of one scenario, with the context of a request.

    Attributes:
        rule_set: the rules.
        context: what they read of the request.
    """

    rule_set: RuleSet
    context: Context

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the R rules, as in `Plan.rules`."""
        return self.rule_set.names

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The R rules, in the order in which they win."""
        return self.rule_set.rules

    @cached_property
    def acting(self) -> Acting:
        """When they act, as far as the context does not say."""
        base = self.rule_set.base
        return self.rule_set.acting.given(self.context, base.users(Queries.nobody()))

    def in_force(self, now: int) -> bool:
        """Whether one of the rules is valid at a time, for whomever and whatever context it is."""
        return self.rule_set.acting.any_valid(now)

    def active(self, queries: Queries) -> BoolArray:
        """Bool [B, R], which rules act for each query: valid at its time, true `when`, not excluded by another."""
        return _Planning(self, queries).active

    def plan(
        self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()
    ) -> Plan | None:
        """See `recsys.pipeline.policy.Policy`."""
        planning = _Planning(self, queries, vectors, filters)
        return planning.plan(k) if planning.active.any() else None

    def forbidding(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Bool [B, C, R], which rules forbid each of the items [B, C] in the list of its query."""
        return _Planning(self, queries).forbidding(items)

    def moving(self, queries: Queries) -> BoolArray:
        """See `recsys.pipeline.policy.Policy`."""
        rule_set = self.rule_set
        meant = self.acting.meant(queries, lambda: rule_set.base.users(queries), self.context)
        moving = np.zeros_like(meant)
        columns = np.concatenate([rule_set.arranging, rule_set.repurchasing])
        moving[:, columns] = meant[:, columns]
        return moving

    def without(self, rules: Collection[str]) -> BoundRules | None:
        """See `recsys.pipeline.policy.Policy`."""
        left = tuple(one for one in self.rule_set.ready if one.rule.id not in rules)
        return BoundRules(RuleSet(left, self.rule_set.base), self.context) if left else None


@dataclass(frozen=True)
class _Situation:
    """What queries have in common: the columns of rules that hide and require, and the day.

    Attributes:
        columns, day: see above.
        rows: int64, the queries.
    """

    columns: tuple[int, ...]
    day: int
    rows: Int64Array


class _Planning:
    """Rules meet one batch of B queries; what several parts of a plan need is computed once."""

    def __init__(
        self,
        bound: BoundRules,
        queries: Queries,
        vectors: UserVectors | None = None,
        filters: Sequence[Among] = (),
    ) -> None:
        self._vectors, self._filters = vectors, filters
        self._set, self._bound, self._queries = bound.rule_set, bound, queries

    @cached_property
    def active(self) -> BoolArray:
        """Bool [B, R]."""
        return self._bound.acting.active(self._queries, lambda: self._users, self._bound.context)

    @cached_property
    def _users(self) -> UserColumns:
        return self._set.base.users(self._queries)

    @cached_property
    def _days(self) -> Int64Array:
        return self._set.days(self._queries.now)

    @cached_property
    def _distinct_days(self) -> list[int]:
        return sorted(set(self._days.tolist()))

    @cached_property
    def _situations(self) -> list[_Situation]:
        restricting = self.active[:, self._set.restricting]
        if (restricting == restricting[:1]).all() and (self._days == self._days[:1]).all():
            columns = self._set.restricting[restricting[0]].tolist()
            return [_Situation(tuple(columns), int(self._days[0]), np.arange(len(self._queries)))]
        rows: dict[tuple[bytes, int], list[int]] = {}
        for row, (acting, day) in enumerate(zip(restricting, self._days.tolist(), strict=True)):
            rows.setdefault((acting.tobytes(), day), []).append(row)
        return [
            _Situation(tuple(self._set.restricting[restricting[alike[0]]].tolist()), day, np.array(alike))
            for (_, day), alike in rows.items()
        ]

    def plan(self, k: int) -> Plan:
        """What the rules that act want of lists of k items."""
        again, held_back = self._again
        restrictions = [*self._masked, *held_back]
        restricting = np.zeros(self.active.shape, np.bool_)
        columns = np.concatenate([self._set.restricting, self._set.repurchasing])
        restricting[:, columns] = self.active[:, columns]
        return Plan(
            self._set.names,
            tuple(restrictions),
            restricting,
            again,
            self._invited(k),
            self._arrangement,
            np.any(self.active[:, self._set.arranging], axis=1),
            self._set.placing,
            tuple((column, part.due) for column, part in self._repurchases),
        )

    @property
    def _masked(self) -> list[Restriction]:
        if not self.active[:, self._set.restricting].any():
            return []
        of_query = np.empty(len(self._queries), np.int64)
        for number, situation in enumerate(self._situations):
            of_query[situation.rows] = number
        masks = tuple(self._set.allowed(situation.columns, situation.day) for situation in self._situations)
        return [Masked(masks, of_query)]

    @property
    def _again(self) -> tuple[Int32Array, list[Restriction]]:
        """What may be in lists again, and what must not be yet."""
        parts = [part for _, part in self._repurchases]
        none = np.empty((len(self._queries), 0), np.int32)
        again = np.concatenate([none, *(part.due for part in parts)], axis=1)
        return again, [part.restriction for part in parts if part.held_back.shape[1]]

    @cached_property
    def _repurchases(self) -> list[tuple[int, Repurchases]]:
        """Of each rule of repurchase that acts for a query, its column and what it means."""
        made = []
        for column in self._set.repurchasing.tolist():
            action = self._set.rules[column].action
            for day in self._distinct_days:
                acting = self.active[:, column] & (self._days == day)
                if isinstance(action, Repurchase) and acting.any():
                    where, cycles = self._set.mask(column, day), self._set.base.cycles
                    made.append((column, repurchases(self._queries, cycles, action, acting=acting, where=where)))
        return made

    def _invited(self, k: int) -> Int32Array:
        parts: list[tuple[Int64Array, Int32Array]] = []
        for column in self._set.inviting.tolist():
            most = wanted(self._set.rules[column].action, k)
            if most and self.active[:, column].any():
                for guests, rows in self._guests(column):
                    parts.append((rows, guests.best(self._queries.histories, rows, self._user_vectors, most)))
        return placed(parts, len(self._queries))

    def _guests(self, column: int) -> Iterator[tuple[Guests, Int64Array]]:
        """Whom a rule can invite for which queries."""
        found: dict[Guests, list[Int64Array]] = {}
        for situation in self._situations:
            rows = situation.rows[self.active[situation.rows, column]]
            if len(rows):
                found.setdefault(self._set.guests(column, situation.columns, situation.day), []).append(rows)
        for guests, parts in found.items():
            yield self._asked_for(guests), np.concatenate(parts)

    def _asked_for(self, guests: Guests) -> Guests:
        for one in self._filters:
            guests = guests.within(one.mask)
        return guests

    @cached_property
    def _user_vectors(self) -> Float32Array:
        return self._set.base.user_vectors(self._queries) if self._vectors is None else self._vectors()

    @property
    def _arrangement(self) -> Arrangement | None:
        active = self.active[:, self._set.arranging]
        if not active.any():
            return None
        prices = self._mean_prices
        days = self._distinct_days
        if len(days) == 1:
            return self._set.arrangements(days[0]).arrangement(active, prices)
        parts: list[tuple[Int64Array, Arrangement]] = []
        for day in days:
            rows = np.flatnonzero(self._days == day)
            made = self._set.arrangements(day).arrangement(active[rows], prices[rows])
            if made is not None:
                parts.append((rows, made))
        return ArrangedInParts(tuple(parts), self._set.size)

    @property
    def _mean_prices(self) -> Float64Array:
        if not self._set.reads_mean_price:
            return np.full(len(self._queries), np.nan)
        return self._users.mean_prices.astype(np.float64)

    def forbidding(self, items: Int32Array) -> BoolArray:
        """See `BoundRules.forbidding`."""
        forbidding = np.zeros((*items.shape, len(self._set.rules)), np.bool_)
        for column in self._set.restricting.tolist():
            hides = isinstance(self._set.rules[column].action, Hide)
            for day in self._distinct_days:
                mask = self._set.mask(column, day)
                rows = np.flatnonzero(self.active[:, column] & (self._days == day))
                if mask is not None and len(rows):
                    forbidding[rows, :, column] = mask[items[rows]] == hides
        for column, part in self._repurchases:
            forbidding[:, :, column] |= ~part.restriction.allows(self._queries, items)
        forbidding &= (items != NO_ITEM)[:, :, None]
        return forbidding
