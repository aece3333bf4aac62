"""Preview: what a rule set does to lists, what each rule has to do with it, and which rules cannot do what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from recsys.core.errors import RecsysError
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int32Array, Int64Array
from recsys.pipeline.allow import Allowed, ExcludeSeen, Restriction
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.rules.findings import Case, Finding, Problem, below_share, findings
from recsys.rules.policy import NO_CONTEXT, BoundRules, CompiledRules, Context
from recsys.rules.rule import Rule

__all__ = ["MOST_LEFT_OUT", "Finding", "Part", "Preview", "Problem", "TooManyPartsError", "preview"]

MOST_LEFT_OUT = 4_000  # lists that a preview makes without one of the rules: some seconds of one core


class TooManyPartsError(RecsysError):
    """A preview of so many rules for so many users would take too long."""


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
        parts: of each rule that was asked about, can act on this bundle and is for the scenario, in the order in which
            they win.
        findings: what is wrong with the rules.
    """

    before: Recommendations
    after: Recommendations
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]


def preview(
    recommender: Recommender,
    rules: Sequence[Rule],
    compiled: CompiledRules,
    queries: Queries,
    k: int,
    *,
    scenario: str | None = None,
    context: Context = NO_CONTEXT,
    exclude_seen: ExcludeSeen = True,
    restrictions: Sequence[Restriction] = (),
    parts_of: Collection[str] | None = None,
) -> Preview:
    """What rules do to the lists of queries.

    Args:
        recommender: of the bundle.
        rules: all of them, also those that are off.
        compiled: those of them that can act on the bundle.
        queries: B users of the sample, at least one, with ids where a rule reads them.
        k: length of the lists.
        scenario, context: of the request.
        exclude_seen, restrictions: as of `Recommender.recommend`.
        parts_of: ids of the rules whose parts are wanted; None: of all.

    Raises:
        TooManyPartsError: a part takes the lists of all users for whom its rule acts once more, and these are more than
            `MOST_LEFT_OUT` in all.
    """

    def lists(of: Queries, by: CompiledRules | None) -> Recommendations:
        policy = None if by is None else by.bound(scenario, context)
        return recommender.recommend(of, k, exclude_seen=exclude_seen, restrictions=restrictions, policy=policy)

    bound = compiled.bound(scenario, context)
    acting = {} if bound is None else _acting(bound, queries, parts_of)
    _check(acting, len(queries))
    before = lists(queries, None)
    case = Case(rules, compiled, queries, k, scenario, context)
    if bound is None:
        return Preview(before, before, (), findings(case))
    after, parts = lists(queries, compiled), []
    for name, rows in acting.items():
        without = after.items.copy()
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


def _acting(bound: BoundRules, queries: Queries, wanted: Collection[str] | None) -> dict[str, Int64Array]:
    """The queries for which each of the rules acts whose parts are wanted."""
    active, names = bound.active(queries), enumerate(bound.names)
    return {name: np.flatnonzero(active[:, column]) for column, name in names if wanted is None or name in wanted}


def _check(acting: Mapping[str, Int64Array], users: int) -> None:
    lists = sum(map(len, acting.values()))
    if lists > MOST_LEFT_OUT:
        fitting = max(1, users * MOST_LEFT_OUT // lists)
        raise TooManyPartsError(
            f"parts of rules for at most {MOST_LEFT_OUT:,} lists, each made without one of them",
            f"{lists:,} lists, of {len(acting):,} rules and {users:,} users",
            f"ask for about {fitting:,} users (sample), or for the parts of fewer rules (parts: tried or none)",
        )


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
