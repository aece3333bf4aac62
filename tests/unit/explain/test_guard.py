"""What the guard lets pass: nothing false of a thousand false texts, nearly all of hundreds of true ones."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from recsys.explain.fact import Fact, Kind
from recsys.explain.text.guard import MAX_CHARS, MAX_SENTENCES, Refusal, Sentence, guard
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.strings_file import read_strings
from recsys.explain.text.vocabulary import Grammar, Vocabulary
from tests.support.false_texts import false_texts
from tests.support.true_texts import ACTIONS, facts_of, held_out_texts, true_texts

VOCABULARY = read_strings("en").guard
assert VOCABULARY is not None
ENGLISH = Grammar(VOCABULARY)
MOST_REFUSED = 0.02


def reasons(text: str, facts: tuple[Fact, ...], *cites: str) -> set[Refusal]:
    """Why a text of one sentence or several is refused."""
    sentences = [Sentence(part, cites) for part in re.split(r"(?<=\.) ", text)]
    return set(guard(sentences, facts, ENGLISH).reasons)


def test_no_false_text_passes(capsys: pytest.CaptureFixture[str]) -> None:
    texts = list(false_texts())
    assert len({(text.text, text.facts, text.cites) for text in texts}) == len(texts) >= 200
    passed = [text for text in texts if guard([Sentence(text.text, text.cites)], text.facts, ENGLISH).passed]
    with capsys.disabled():
        kinds = ", ".join(f"{count} {change}" for change, count in Counter(text.change for text in texts).most_common())
        print(f"\nfalse texts: {len(passed)} of {len(texts)} passed ({kinds})")
    assert not passed


def test_true_texts_pass_all_but_a_few(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [*true_texts(), *held_out_texts()]
    assert len({(text, facts) for text, _, facts in texts}) >= 300
    refused = [text for text, cites, facts in texts if reasons(text, facts, *cites)]
    with capsys.disabled():
        print(f"\ntrue texts: {len(refused)} of {len(texts)} refused")
    assert len(refused) <= MOST_REFUSED * len(texts), refused


def test_who_repeats_a_sentence_of_the_rules_passes() -> None:
    phrases, refused = Phrases.load("en"), []
    for action in ACTIONS:
        for fact in facts_of(action):
            if fact.sensitive or fact.polarity == "against":
                continue
            sentences = phrases.sentences(fact.kind, action)  # those of one item: a count has no placeholder
            texts = [template.fill({"value": f"{{{fact.id}}}"}) for template in sentences]
            refused += [text for text in texts if reasons(text, (fact,), fact.id)]
    assert not refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Refusal.EMPTY),
        ("It is similar to {f3}" + ", and similar" * MAX_CHARS, Refusal.TOO_LONG),
        ("It is similar to {f3}, th\u0456s item.", Refusal.CHARACTER),
        ("It is similar to\u200b {f3}.", Refusal.CHARACTER),
        ("It costs 12 and not {f6}.", Refusal.DIGIT),
        ("It costs $ {f6}.", Refusal.PRICE),
        ("It is similar to “{f3}”.", Refusal.QUOTE),
        ("It is similar to <i>{f3}</i>.", Refusal.MARKUP),
        ("It is similar to {f3}, see evil.com.", Refusal.ADDRESS),
        ("It is similar to {f99}.", Refusal.UNKNOWN_FACT),
        ("It has been chosen together with {f14}.", Refusal.SENSITIVE),
        ("It is similar.", Refusal.NO_CITATION),
        ("It is similar to three items like {f3}.", Refusal.NUMBER_WORD),
        ("It is most similar to {f3}.", Refusal.SUPERLATIVE),
        ("It is organic and similar to {f3}.", Refusal.UNKNOWN_WORD),
        ("You bought {f2}.", Refusal.VERB),
        ("It is similar to {f2}.", Refusal.CLAIM),
        ("You may like this popular item, number {f9}.", Refusal.PERSONAL),
        ("It is not similar to {f3}.", Refusal.POLARITY),
        ("People who chose this often choose {f2}.", Refusal.STRUCTURE),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, reason: Refusal) -> None:
    assert reason in reasons(text, facts_of("view"))


def test_no_reason_is_made_of_what_contributes_nothing() -> None:
    (fact,) = [fact for fact in facts_of("purchase") if fact.kind is Kind.SIMILAR_TEXT]
    text = "Because it is similar to {f3}, we suggest this."
    assert reasons(text, (fact,)) == set()
    assert reasons(text, (replace(fact, strength=0.0),)) == {Refusal.NO_REASON}
    assert reasons("It is similar to {f3}.", (replace(fact, strength=0.0),)) == set()


def test_several_need_as_many() -> None:
    (fact,) = [fact for fact in facts_of("purchase") if fact.kind is Kind.SHARED_BRAND]
    text = "It is by {f4}, like several items that you bought."
    assert [reasons(text, (replace(fact, count=count),)) for count in (1, 2, 3)] == [
        {Refusal.COUNT},
        {Refusal.COUNT},
        set(),
    ]


def test_the_verb_fits_the_item_it_speaks_of() -> None:
    viewed, bought = facts_of("view")[0], facts_of("purchase")[1]
    assert reasons("You viewed {f1} and bought {f2}.", (viewed, bought)) == set()
    assert Refusal.VERB in reasons("You bought {f1} and viewed {f2}.", (viewed, bought))
    assert Refusal.VERB in reasons("You bought {f1} and {f2}.", (viewed, bought))
    assert reasons("You chose {f1} and {f2}.", (viewed, bought)) == set()


def test_an_answer_is_refused_for_one_of_its_sentences_or_their_number() -> None:
    facts = facts_of("view")
    good, bad = Sentence("It is similar to {f3}."), Sentence("It is organic, like {f3}.")
    assert guard([good, good], facts, ENGLISH).passed
    assert guard([good, bad], facts, ENGLISH).reasons == (Refusal.UNKNOWN_WORD,)
    assert guard([good] * (MAX_SENTENCES + 1), facts, ENGLISH).reasons == (Refusal.TOO_LONG,)
    assert guard([], facts, ENGLISH).reasons == (Refusal.EMPTY,)


def test_what_cites_too_much_is_refused() -> None:
    assert reasons("It is similar to {f3}.", facts_of("view"), *["f3"] * 6) == {Refusal.TOO_LONG}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"claims": {"magic": ("wonderful",)}}, "kinds of facts, not magic"),
        ({"forbidden": ("(",)}, "a regular expression"),
        ({"forbidden": ("<nobody>",)}, "a list of words named nobody"),
        ({"neutral": ("similar",)}, "words that claim nothing, and not also something: similar"),
    ],
)
def test_a_vocabulary_that_is_none(change: dict[str, object], problem: str) -> None:
    values = {name: getattr(VOCABULARY, name) for name in Vocabulary.__struct_fields__} | change
    with pytest.raises(ValueError, match=re.escape(problem)):
        Grammar(Vocabulary(**values))
