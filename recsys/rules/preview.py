"""Preview: what a rule set does to lists, what each rule has to do with it, and which rules cannot do what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int32Array
from recsys.pipeline.allow import Allowed, ExcludeSeen, Restriction
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.rules.base import RuleBase
from recsys.rules.findings import Case, Finding, Problem, below_share, findings
from recsys.rules.policy import NO_CONTEXT, CompiledRules, Context
from recsys.rules.rule import Rule

__all__ = ["Finding", "Part", "Preview", "Problem", "preview"]


@dataclass(frozen=True)
class Part:
    """What one rule does, found by leaving it out.

    Attributes:
        rule: its id.
        active: queries of the sample for which it acts.
        lists_changed: lists that are different without it.
        items_in: items of all lists that are there because of it.
        items_out: items that are not there because of it.
        rank_change: by how many ranks the items that are in both lists moved, on average over all of them.
    """

    rule: str
    active: int
    lists_changed: int
    items_in: int
    items_out: int
    rank_change: float


@dataclass(frozen=True)
class Preview:
    """Lists without and with a rule set.

    Attributes:
        before: of the B queries, without rules.
        after: with them.
        parts: of each rule that can act on this bundle and is for the scenario, in the order in which they win.
        findings: what is wrong with the rules.
    """

    before: Recommendations
    after: Recommendations
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]


def preview(
    recommender: Recommender,
    rules: Sequence[Rule],
    base: RuleBase,
    queries: Queries,
    k: int,
    *,
    scenario: str | None = None,
    context: Context = NO_CONTEXT,
    exclude_seen: ExcludeSeen = True,
    restrictions: Sequence[Restriction] = (),
) -> Preview:
    """What rules do to the lists of queries.

    Args:
        recommender: of the bundle.
        rules: all of them, also those that are off.
        base: the bundle.
        queries: B users of the sample, at least one, with ids where a rule reads them.
        k: length of the lists.
        scenario, context: of the request.
        exclude_seen, restrictions: as of `Recommender.recommend`.
    """
    compiled = CompiledRules.compile(rules, base)

    def lists(of: Queries, by: CompiledRules | None) -> Recommendations:
        policy = None if by is None else by.bound(scenario, context)
        return recommender.recommend(of, k, exclude_seen=exclude_seen, restrictions=restrictions, policy=policy)

    before, bound = lists(queries, None), compiled.bound(scenario, context)
    case = Case(rules, compiled, queries, k, scenario, context)
    if bound is None:
        return Preview(before, before, (), findings(case))
    after, active, parts = lists(queries, compiled), bound.active(queries), []
    for column, name in enumerate(bound.names):
        rows, without = np.flatnonzero(active[:, column]), after.items.copy()
        if len(rows):  # the lists for which it does not act are the same without it
            without[rows] = lists(queries.select(rows), compiled.without(name)).items
        parts.append(_part(name, len(rows), after.items, without))

    @cache
    def allowed() -> Allowed:
        plan = bound.plan(queries, k)
        of_rules, again = ((), None) if plan is None else (plan.restrictions, plan.again)
        return Allowed.of(exclude_seen, (*restrictions, *of_rules), again)

    found = findings(case)
    return Preview(before, after, tuple(parts), (*found, *below_share(case, after.items, allowed, found)))


def _part(name: str, active: int, with_it: Int32Array, without: Int32Array) -> Part:
    """What a rule did, by lists int32 [B, k] with and without it."""
    there, here = with_it != NO_ITEM, without != NO_ITEM
    equal = (with_it[:, :, None] == without[:, None, :]) & there[:, :, None]
    _, ranks_with, ranks_without = np.nonzero(equal)
    moved = np.abs(ranks_with - ranks_without)
    return Part(
        name,
        active,
        int((with_it != without).any(axis=1).sum()),
        int((there & ~equal.any(axis=2)).sum()),
        int((here & ~equal.any(axis=1)).sum()),
        float(moved.mean()) if len(moved) else 0.0,
    )
