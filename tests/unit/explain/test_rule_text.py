"""Texts by the rules say what facts say, cite them, and differ where facts differ."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.events import EVENT_TYPES
from recsys.explain.evidence import Stage, Standing
from recsys.explain.fact import OF_SHOP, Fact, Kind, Unit
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import Text, reasons, rule_text, sentence, why_not_text
from recsys.explain.text.strings_file import FOLDER, NOT_LISTED, languages

UNITS: dict[Kind, Unit] = {
    **dict.fromkeys((Kind.NEXT_PURCHASE, Kind.CO_PURCHASE, Kind.SIMILAR_TEXT), "title"),
    **dict.fromkeys((Kind.SHARED_BRAND, Kind.BRAND), "brand"),
    **dict.fromkeys((Kind.SHARED_CATEGORY, Kind.CATEGORY), "category"),
    **dict.fromkeys((Kind.PRICE_NEAR_HABIT, Kind.PRICE), "price"),
    **dict.fromkeys((Kind.PREDICTED_RATING, Kind.AVERAGE_RATING), "rating"),
    **dict.fromkeys((Kind.TASTE, Kind.POPULARITY), "rank"),
    Kind.TREND: "percent",
    **dict.fromkeys((Kind.RULE, *OF_SHOP), "text"),
}
TEXTUAL = ("title", "brand", "category", "text")
TOLD = [kind for kind in Kind if kind not in OF_SHOP]
OF_ITEMS = [kind for kind in TOLD if kind is not Kind.RULE]
ENGLISH, GERMAN = Phrases.load("en"), Phrases.load("de", currency="EUR")


def fact(kind: Kind, number: int = 1, strength: float = 1.0, **more: object) -> Fact:
    """A fact whose value is found again in a text: V1, V2 ..., or 9001, 9002 ... percent or places."""
    unit = UNITS[kind]
    value = f"V{number}V" if unit in TEXTUAL else 9000 + number
    polarity = "for" if strength > 0 else "against"
    made = Fact(f"f{number}", kind, value, unit, action="purchase", polarity=polarity, strength=strength)  # type: ignore[arg-type]
    return replace(made, **more)  # type: ignore[arg-type]


facts_lists = st.lists(
    st.tuples(
        st.sampled_from([*OF_ITEMS, Kind.RULE]),
        st.sampled_from((-1.0, 0.0, 0.5, 2.0)),
        st.booleans(),
        st.integers(1, 4),
    ),
    max_size=8,
).map(
    lambda drafts: [
        fact(kind, number, strength, sensitive=sensitive, count=count)
        for number, (kind, strength, sensitive, count) in enumerate(drafts, 1)
    ]
)


def values_in(text: str) -> set[int]:
    """Numbers of the facts whose values a text shows."""
    shown = re.findall(r"V(\d)V|9[,.]?00(\d)", text)
    return {int(one or other) for one, other in shown}


@given(facts_lists, st.sampled_from((ENGLISH, GERMAN)), st.sampled_from(("sentence", "paragraph")))
def test_no_text_says_what_is_no_fact(facts: list[Fact], phrases: Phrases, style: str) -> None:
    text = rule_text(facts, phrases, style)  # type: ignore[arg-type]
    by_id = {one.id: one for one in facts}
    cited = [by_id[one] for one in text.cited]
    assert all(one.polarity == "for" and one.strength > 0 and not one.sensitive for one in cited)
    assert len({one.kind for one in cited}) == len(cited) <= (1 if style == "sentence" else 3)
    shown = {int(one.id[1:]) for one in cited if one.kind is not Kind.TASTE}
    assert values_in(text.text) == shown
    expected = " ".join(sentence(one, phrases) for one in cited) or phrases.strings.no_reason
    assert text.text == expected
    if style == "sentence" and cited:
        assert cited[0] is reasons(facts)[0]


@pytest.mark.parametrize("phrases", [ENGLISH, GERMAN], ids=["en", "de"])
def test_templates_take_turns(phrases: Phrases) -> None:
    """So that a list in which one reason comes three times says it in three ways; every language has three."""
    for kind, count in product(OF_ITEMS, (1, 2)):
        told = [sentence(fact(kind, count=count), phrases, variant) for variant in range(6)]
        assert len(set(told)) == 3
        assert told[:3] == told[3:]


def test_a_sentence_by_hand() -> None:
    facts = [
        Fact("f1", Kind.NEXT_PURCHASE, "Argan oil", "title", 7, "view", strength=2.0, personal=True),
        Fact("f2", Kind.CO_PURCHASE, "Argan oil", "title", 7, "view", 1234, strength=1.5, personal=True),
        Fact("f3", Kind.NEXT_PURCHASE, "Comb", "title", 8, None, strength=1.0, personal=True),
        Fact("f4", Kind.SHARED_BRAND, "Arganics", "brand", 7, "view", 3, strength=0.5, personal=True),
        Fact("f5", Kind.PRICE_NEAR_HABIT, 12.5, "price", strength=0.4, personal=True),
        Fact("f6", Kind.POPULARITY, 12, "rank", polarity="against", strength=-0.5),
    ]
    assert rule_text(facts, ENGLISH) == Text("It has been chosen after “Argan oil”, which you viewed.", ("f1",))
    assert rule_text(facts, ENGLISH, "paragraph") == Text(
        "It has been chosen after “Argan oil”, which you viewed. "
        "1,234 customers chose both this and “Argan oil”, which you viewed. "
        "By Arganics, like 3 items in your history.",
        ("f1", "f2", "f4"),
    )
    assert (
        rule_text(facts[4:], GERMAN).text
        == "Der Preis von 12,50\xa0€ liegt nah am Mittel Ihres Verlaufs, in dem Neueres mehr zählt."
    )
    assert rule_text(facts[5:], ENGLISH) == Text("No single reason stands out for it.", ())
    rated = replace(fact(Kind.AVERAGE_RATING), value=4.46, count=1234)
    assert rule_text([rated], GERMAN).text == "Im Mittel mit 4,5 bewertet, bei 1.234 Bewertungen."


def test_what_the_shop_put_forward_is_said_first_and_is_no_reason() -> None:
    facts = [
        Fact("f1", Kind.SHOP_RULE, "spring", "text"),
        Fact("f2", Kind.SHOP_RULE, "summer", "text"),
        Fact("f3", Kind.SHARED_BRAND, "Arganics", "brand", 7, "view", 3, strength=0.5, personal=True),
    ]
    by_brand = "By Arganics, like 3 items in your history."
    assert rule_text(facts, ENGLISH) == Text(f"The shop has put it in this place. {by_brand}", ("f1", "f3"))
    assert rule_text(facts[:2], ENGLISH, "paragraph") == Text("The shop has put it in this place.", ("f1",))
    assert rule_text(facts[:1], GERMAN).text == "Der Shop hat ihn an diese Stelle gesetzt."
    assert reasons(facts) == facts[2:]


def test_what_moved_an_item_for_the_lists_sake_is_told_where_nothing_else_is() -> None:
    moved, brand = Fact("f2", Kind.SHOP_ORDER, "varied", "text"), fact(Kind.SHARED_BRAND)
    assert rule_text([moved], ENGLISH) == Text("A rule of the shop had a part in its place.", ("f2",))
    assert rule_text([moved, moved], GERMAN).text == "Eine Regel des Shops wirkt sich auf seinen Platz aus."
    assert rule_text([brand, moved], ENGLISH).cited == ("f1",)
    assert reasons([brand, moved]) == [brand]


def test_what_keeps_an_item_out_is_named() -> None:
    standing = Standing(Stage.ARRANGED, 1, 1.0, kept_out_by=("late", "varied"))
    late, varied = (
        Fact(f"f{n}", Kind.SHOP_ORDER, name, "text", polarity="against") for n, name in ((1, "late"), (2, "varied"))
    )
    assert why_not_text(standing, 10, [late], ENGLISH) == Text(
        "The shop's rule late keeps it out of this list.", ("f1",)
    )
    both = why_not_text(standing, 10, [late, varied], ENGLISH, "paragraph")
    assert both.text.startswith("It was ranked as number 1, and others were preferred")
    assert both.text.endswith(". The shop's rules late and varied keep it out of this list.")
    assert both.cited == ("f1", "f2")
    said = [why_not_text(standing, 10, facts, GERMAN).text for facts in ([late], [late, varied])]
    assert said == [
        "Die Regel late des Shops hält ihn aus dieser Liste heraus.",
        "Die Regeln late und varied des Shops halten ihn aus dieser Liste heraus.",
    ]


def test_strings_of_a_shop_without_words_for_it_say_how_far_the_item_came(tmp_path: Path) -> None:
    strings = json.loads((FOLDER / "en.json").read_text("utf8"))
    del strings["facts"]["shop_order"]
    own = tmp_path / "own.json"
    own.write_text(json.dumps(strings), "utf8")
    kept_out = Fact("f1", Kind.SHOP_ORDER, "late", "text", polarity="against")
    told = why_not_text(Standing(Stage.RANKED, 11, 1.0), 10, [kept_out], Phrases.load(path=own))
    assert told == Text("It was ranked as number 11, and the list ends with number 10.", ())


def test_what_the_shop_leaves_out_was_not_asked_for() -> None:
    standing = Standing(Stage.FORBIDDEN, ruled_out_by=("recalled",))
    facts = [Fact("f1", Kind.SHOP_RULE, "recalled", "text", polarity="against")]
    assert why_not_text(standing, 10, facts, ENGLISH) == Text("The shop leaves it out of this list.", ("f1",))
    assert why_not_text(Standing(Stage.FORBIDDEN), 10, [], ENGLISH).text == "The shop leaves it out of this list."


def test_what_is_sold_out_was_not_asked_for() -> None:
    standing = Standing(Stage.FORBIDDEN, forbidden_by=("brand", "stock"))
    fact = Fact("f1", Kind.RULE, "stock", "text", polarity="against")
    for phrases, said in ((ENGLISH, "It is sold out."), (GERMAN, "Er ist ausverkauft.")):
        assert why_not_text(standing, 10, [fact], phrases) == Text(said, ())
        assert sentence(fact, phrases) == said


def test_what_fills_a_list_up_is_popular_and_nothing_else() -> None:
    popular = Fact("f1", Kind.POPULARITY, 1, "rank", strength=3.0)
    personal = re.compile(r"\b(you|your|Sie|Ihr\w*)\b")
    for phrases, variant in product((ENGLISH, GERMAN), range(3)):
        told = sentence(popular, phrases, variant)
        assert not personal.search(told)
        assert re.search("popularity|Beliebtheit", told)
    assert rule_text([popular], ENGLISH) == Text("By popularity it is number 1 of all items.", ("f1",))


@pytest.mark.parametrize("language", languages())
def test_every_fact_can_be_told(language: str) -> None:
    phrases = Phrases.load(language)
    for kind, action, count in product(OF_ITEMS, (*EVENT_TYPES, None, "wish"), (1, 2)):
        for strength, variant in product((1.0, -1.0), range(4)):
            told = sentence(fact(kind, 3, strength, action=action, count=count), phrases, variant)
            assert told.endswith(".")
            assert kind is Kind.TASTE or values_in(told) == {3}
    assert sentence(fact(Kind.TASTE, sensitive=True), phrases) == ""


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing(Stage.ARRANGED, 4, 1.0), "It was ranked as number 4, and others were preferred"),
        (Standing(Stage.RANKED, 1234, 1.0), "It was ranked as number 1,234, and the list ends with number 10."),
        (Standing(Stage.CANDIDATE, sum_rank=70), "It was proposed as number 70, too far behind to be ranked."),
        (
            Standing(Stage.FORBIDDEN, forbidden_by=("seen", "price", "no_{rank}")),
            "What was asked for leaves it out: it is in the history already, the price, and no_{rank}.",
        ),
        (
            Standing(Stage.UNPROPOSED),
            "Nothing speaks strongly enough for it to be proposed.",
        ),
    ],
)
def test_why_an_item_is_missing(standing: Standing, said: str) -> None:
    told = why_not_text(standing, 10, [], ENGLISH)
    assert told.text.startswith(said)
    assert told.cited == ()


def test_a_paragraph_says_what_put_an_item_behind() -> None:
    facts: Sequence[Fact] = [
        fact(Kind.TASTE, 1, 1.0),
        fact(Kind.TREND, 2, 0.0),
        fact(Kind.POPULARITY, 3, -0.5),
        fact(Kind.SHARED_BRAND, 4, -1.0),
        fact(Kind.SHARED_CATEGORY, 5, -3.0, sensitive=True),
        fact(Kind.SHARED_BRAND, 6, -2.0),
    ]
    text = why_not_text(Standing(Stage.RANKED, 11, 1.0), 10, facts, ENGLISH, "paragraph")
    assert text.cited == ("f6", "f3")
    assert values_in(text.text) == {6, 3}
    neither = why_not_text(Standing(Stage.RANKED, 11, 1.0), 10, [fact(Kind.TREND, 2, 0.0)], ENGLISH, "paragraph")
    assert neither.cited == ()
    forbidden = why_not_text(Standing(Stage.FORBIDDEN, forbidden_by=("brand",)), 10, facts, ENGLISH, "paragraph")
    assert forbidden == Text("What was asked for leaves it out: the brand.", ())


def test_each_stage_has_words_of_its_own() -> None:
    texts = {why_not_text(Standing(stage, 3, 1.0, sum_rank=3), 10, [], ENGLISH).text for stage in NOT_LISTED}
    assert len(texts) == len(NOT_LISTED)
