"""Buy again: lists of what a user bought and is due, and of nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.pipeline.allow import Among, Restriction
from recsys.pipeline.arrange import Arranged, Arrangement
from recsys.pipeline.policy import Plan, Policy, UserVectors
from recsys.pipeline.recommendations import Recommendations
from recsys.rules.base import RuleBase
from recsys.rules.in_parts import ArrangedInParts
from recsys.rules.repurchase import DEFAULT, MOST_DUE, LastPurchases, repurchases
from recsys.sources.exact import is_among

BUY_AGAIN = "buy_again"  # scenario of these lists


@dataclass(frozen=True)
class OnlyThese(Restriction):
    """These items, and no others.

    Attributes:
        items: int32 [B, P], padded with `NO_ITEM`.
    """

    items: Int32Array

    def allows(self, queries: Queries, items: Int32Array) -> BoolArray:  # noqa: ARG002
        """Look the items up."""
        return is_among(items, self.items)

    def select(self, rows: Sequence[int]) -> Restriction:
        """Those of some of the queries."""
        return OnlyThese(self.items[rows])


@dataclass(frozen=True)
class LatestDueFirst(Arrangement):
    """An arrangement: what came due last comes first, since people buy again soon or not at all.

    Attributes:
        cycles: float32 [N], see `repurchases`.
        n_rules: R, rules of the plan; none of them moves anything.
        depth: see `Arrangement`.
    """

    cycles: Float32Array
    n_rules: int
    depth: int = MOST_DUE

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        """Of the ranked items those k of which the least share of a cycle has passed."""
        items, last = ranked.items, LastPurchases.of(queries)
        shares = np.append(last.shares(self.cycles, DEFAULT), np.inf)  # the last: of what was never bought
        pairs = np.append((last.rows << 32) + last.items, -1)
        wanted = (np.arange(len(items))[:, None] << 32) + items
        places = np.searchsorted(pairs[:-1], wanted)
        shares_of = np.where(pairs[places] == wanted, shares[places], np.inf)
        columns = np.argsort(np.where(items == NO_ITEM, np.inf, shares_of), axis=1, kind="stable")[:, :k]
        columns = np.where(np.take_along_axis(items, columns, axis=1) == NO_ITEM, -1, columns)
        moved_by = np.zeros((*columns.shape, self.n_rules), np.bool_)
        none_out = np.zeros((len(items), self.n_rules), np.bool_)
        ranks = np.where(columns < 0, 0, np.arange(1, columns.shape[1] + 1))  # this is the order before any rule's
        return Arranged(columns, moved_by, none_out, ranks)


@dataclass(frozen=True)
class BuyAgain:
    """The policy of the scenario `BUY_AGAIN`.

    Lists are in the ranker's order where the ranker has learned what people buy again, and else begin with what came
    due last: either finds more than the other there (`docs/rules.md`). Where the shop's rules arrange lists, these do.

    Attributes:
        cycles: float32 [N], see `repurchases`.
        shop: the shop's own rules for this scenario, which hold too; what they hold back or let come again goes
            before the defaults of `Repurchase`. None: there are none.
        by_ranker: whether the ranker knows.
    """

    cycles: Float32Array
    shop: Policy | None = None
    by_ranker: bool = False

    @classmethod
    def of(cls, base: RuleBase, shop: Policy | None) -> BuyAgain:
        """For a bundle."""
        return cls(base.cycles, shop, base.bundle.predicts_repeats)

    def plan(self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()) -> Plan:
        """Lists of what is due; empty ones where nothing is."""
        plan = None if self.shop is None else self.shop.plan(queries, k, vectors, filters)
        if plan is None:
            none = np.empty((len(queries), 0), np.int32)
            plan = Plan((), (), np.zeros((len(queries), 0), np.bool_), none, none)
        due = np.concatenate([plan.again, repurchases(queries, self.cycles).due], axis=1)
        restrictions = (*plan.restrictions, OnlyThese(due))
        return replace(plan, restrictions=restrictions, again=due, arrangement=self._arrangement(plan, len(queries)))

    def _arrangement(self, plan: Plan, size: int) -> Arrangement | None:
        """The shop's for the queries that its rules arrange, and for the others what came due last first."""
        by_shop = plan.arrangement
        if self.by_ranker:
            return by_shop
        latest_first = LatestDueFirst(self.cycles, len(plan.rules))
        if by_shop is None:
            return latest_first
        arranged = np.ones(size, np.bool_) if plan.arranging is None else plan.arranging
        if arranged.all():
            return by_shop
        ours, others = np.flatnonzero(arranged), np.flatnonzero(~arranged)
        return ArrangedInParts(((ours, by_shop.select(ours)), (others, latest_first)), len(plan.rules))

    def forbidding(self, queries: Queries, items: Int32Array) -> BoolArray:
        """Which of the shop's own rules forbid the items; that an item is not due is no rule.

        The rules are those of `plan`: none where none acts for these queries.
        """
        shop = self._acting(queries)
        return np.zeros((*items.shape, 0), np.bool_) if shop is None else shop.forbidding(queries, items)

    def moving(self, queries: Queries) -> BoolArray:
        """Which of the shop's own rules may move items, as in `forbidding`."""
        shop = self._acting(queries)
        return np.zeros((len(queries), 0), np.bool_) if shop is None else shop.moving(queries)

    def _acting(self, queries: Queries) -> Policy | None:
        """The shop's own rules; None where none of them acts for these queries."""
        return None if self.shop is None or self.shop.plan(queries, 1) is None else self.shop

    def without(self, rules: Collection[str]) -> BuyAgain:
        """Without some of the shop's own rules."""
        return self if self.shop is None else replace(self, shop=self.shop.without(rules))
