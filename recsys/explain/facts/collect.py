"""All facts of an item, strongest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from recsys.explain.evidence import Evidence, Stage
from recsys.explain.fact import Fact, Kind
from recsys.explain.facts.base import FactBase
from recsys.explain.facts.case import Case, Past
from recsys.explain.facts.from_catalogue import brand_facts, category_facts, price_facts
from recsys.explain.facts.from_everyone import (
    average_rating_facts,
    popularity_facts,
    predicted_rating_facts,
    trend_facts,
)
from recsys.explain.facts.from_sources import history_facts, taste_facts

_FAMILIES: tuple[Callable[[Case], Iterator[Fact]], ...] = (
    history_facts,
    taste_facts,
    brand_facts,
    category_facts,
    price_facts,
    predicted_rating_facts,
    average_rating_facts,
    popularity_facts,
    trend_facts,
)


def facts_of(evidence: Evidence, base: FactBase, past: Past, rules: Sequence[str] = ()) -> tuple[Fact, ...]:
    """The facts that follow from evidence, with ids f1, f2, ... in their order: what the shop placed stands first.

    Each is true by what its family says, and stands for a contribution. One that contributes at most 0 is of polarity
    "against" and must give no reason. Of a popular item that fills a list up there is no fact but its popularity.

    Args:
        evidence: of the item.
        base: of the bundle that the evidence is from.
        past: the history that was explained, and what the user did.
        rules: names of those that the request made; what they let in is told, and is never a reason.
    """
    case = Case(evidence, base, past)
    families = (popularity_facts,) if evidence.standing.stage is Stage.FILLED else _FAMILIES
    found = [fact for family in families for fact in family(case)]
    found.sort(key=lambda fact: -fact.strength)  # of equal ones those of the first family
    found = [*placed_facts(evidence), *found, *rule_facts(evidence, rules), *moved_facts(evidence)]
    return tuple(replace(fact, id=f"f{number}") for number, fact in enumerate(found, 1))


def placed_facts(evidence: Evidence) -> Iterator[Fact]:
    """The shop's rules that put an item forward for the shop's sake; the value is the rule's id.

    They stand before all others, and texts tell them first: nobody is to believe that an item is there for taste alone.
    """
    for rule in evidence.standing.placed_by:
        yield Fact("", Kind.SHOP_RULE, rule, "text")


def moved_facts(evidence: Evidence) -> Iterator[Fact]:
    """The shop's rules that moved the item for the list's sake, and those that leave it out; the value is their id."""
    standing = evidence.standing
    for rule in standing.moved_by:
        if rule not in standing.placed_by:
            yield Fact("", Kind.SHOP_ORDER, rule, "text")
    for rule in standing.ruled_out_by:
        yield Fact("", Kind.SHOP_RULE, rule, "text", polarity="against")
    for rule in standing.kept_out_by:
        yield Fact("", Kind.SHOP_ORDER, rule, "text", polarity="against")


def rule_facts(evidence: Evidence, rules: Sequence[str]) -> Iterator[Fact]:
    """What rules of the request let in, and what forbids the item; the value is the rule's name."""
    forbidding = evidence.standing.forbidden_by
    for rule in rules:
        if rule not in forbidding:
            yield Fact("", Kind.RULE, rule, "text")
    for rule in forbidding:
        yield Fact("", Kind.RULE, rule, "text", polarity="against")
