"""Texts by the rules: the strongest facts, each in a template of its kind. No text says what is not in a fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.explain.evidence import Stage, Standing
from recsys.explain.fact import OF_SHOP, Fact, Kind
from recsys.explain.text.phrases import Phrases

Style = Literal["sentence", "paragraph"]

MOST_TOLD = 3  # facts of a paragraph
SOLD_OUT = "stock"  # the rule by which no list holds what is sold out


@dataclass(frozen=True)
class Text:
    """What is told of an item.

    Attributes:
        text: one sentence, or a few.
        cited: ids of the facts that it rests on, in the order of the text.
    """

    text: str
    cited: tuple[str, ...]


def reasons(facts: Sequence[Fact]) -> list[Fact]:
    """Those facts that may be told as reasons, in their order: they contribute something, and are not sensitive."""
    told = [fact for fact in facts if fact.polarity == "for" and fact.strength > 0 and not fact.sensitive]
    return [fact for fact in told if fact.kind not in OF_SHOP]


def placed(facts: Sequence[Fact]) -> Fact | None:
    """That the shop put the item forward, which stands before all other facts; None: it did not."""
    first = facts[0] if facts else None
    return first if first is not None and first.kind is Kind.SHOP_RULE and first.polarity == "for" else None


def sentence(fact: Fact, phrases: Phrases, variant: int = 0) -> str:
    """A fact in a sentence, by the variant of its templates, which go round; empty for a sensitive one."""
    if fact.sensitive:
        return ""
    if fact.polarity == "against":
        if fact.kind is Kind.RULE and fact.value == SOLD_OUT:
            return _sold_out(phrases)
        templates = phrases.against(fact.kind)
    else:
        templates = phrases.sentences(fact.kind, fact.action, several=fact.count > 1)
    template = templates[variant % len(templates)]
    return template.fill({"value": phrases.value(fact), "count": phrases.count(fact)})


def rule_text(facts: Sequence[Fact], phrases: Phrases, style: Style = "sentence") -> Text:
    """Why an item is in a list. Of one that the shop put forward it says that first.

    That a rule moved it for the list's sake is told where nothing else is to be said.

    Args:
        facts: of the item, what the shop placed first, then strongest first.
        phrases: of the language.
        style: sentence: the strongest reason; paragraph: the strongest of up to three kinds.
    """
    by_shop = placed(facts)
    told = _of_different_kinds(reasons(facts))[: 1 if style == "sentence" else MOST_TOLD]
    if by_shop is not None:
        told = [by_shop, *told]
    told = told or [fact for fact in facts if fact.kind is Kind.SHOP_ORDER and fact.polarity == "for"][:1]
    return _told(told, phrases) if told else Text(phrases.strings.no_reason, ())


def why_not_text(
    standing: Standing, k: int, facts: Sequence[Fact], phrases: Phrases, style: Style = "sentence"
) -> Text:
    """Why an item is not in a list: how far it came, and in a paragraph what put it behind.

    Where the shop's rules keep it out, they are why, however far it came.

    Args:
        standing: how far it came; not into the list.
        k: length of the list.
        facts: of the item.
        phrases: of the language.
        style: see above.
    """
    shown = {
        "rank": _number(standing.rank, phrases),
        "k": _number(k, phrases),
        "sum_rank": _number(standing.sum_rank, phrases),
        "rules": phrases.listed([phrases.rule(name) for name in standing.forbidden_by]),
    }
    if standing.stage is Stage.FORBIDDEN and not standing.forbidden_by:
        return _left_out(facts, phrases)
    if SOLD_OUT in standing.forbidden_by:
        return Text(_sold_out(phrases), ())
    behind = Text(phrases.stage(standing.stage).fill(shown), ())
    kept_out = _kept_out(facts, phrases)
    if style == "sentence" and kept_out is not None:
        return kept_out
    if style == "sentence" or standing.stage is Stage.FORBIDDEN:
        return behind
    if kept_out is not None:
        return Text(f"{behind.text} {kept_out.text}", kept_out.cited)
    against = [fact for fact in facts if fact.polarity == "against" and fact.strength < 0 and not fact.sensitive]
    against.sort(key=lambda fact: fact.strength)
    more = _told(_of_different_kinds(against)[: MOST_TOLD - 1], phrases)
    return Text(f"{behind.text} {more.text}".rstrip(), more.cited)


def _left_out(facts: Sequence[Fact], phrases: Phrases) -> Text:
    """That the shop leaves the item out, by a rule or since it is not due to be bought again."""
    by_rules = [fact.id for fact in facts if fact.kind is Kind.SHOP_RULE and fact.polarity == "against"]
    return Text(phrases.against(Kind.SHOP_RULE)[0].fill({}), tuple(by_rules))


def _kept_out(facts: Sequence[Fact], phrases: Phrases) -> Text | None:
    """Which of the shop's rules moved the item out of the list; None: none did, or the language has no words for it."""
    rules = [fact for fact in facts if fact.kind is Kind.SHOP_ORDER and fact.polarity == "against"]
    if not rules:
        return None
    template = phrases.against(Kind.SHOP_ORDER, several=len(rules) > 1)[0]
    if "value" not in template.slots:  # strings of a shop that are older than these facts
        return None
    names = phrases.listed([phrases.value(fact) for fact in rules])
    return Text(template.fill({"value": names}), tuple(fact.id for fact in rules))


def _sold_out(phrases: Phrases) -> str:
    """That it is sold out, in a sentence of its own: nobody asked for lists without it."""
    words = phrases.rule(SOLD_OUT)
    return f"{words[:1].upper()}{words[1:]}."


def _told(facts: Sequence[Fact], phrases: Phrases) -> Text:
    return Text(" ".join(sentence(fact, phrases) for fact in facts), tuple(fact.id for fact in facts))


def _of_different_kinds(facts: Sequence[Fact]) -> list[Fact]:
    """The first fact of each kind."""
    first: dict[Kind, Fact] = {}
    for fact in facts:
        first.setdefault(fact.kind, fact)
    return list(first.values())


def _number(value: int | None, phrases: Phrases) -> str:
    return "" if value is None else phrases.numbers.text(value, "rank")
