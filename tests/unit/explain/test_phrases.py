"""Strings of languages: complete, checked, and never broken by what fills them."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import ConfigError
from recsys.core.events import EVENT_TYPES
from recsys.explain.fact import Fact, Kind
from recsys.explain.text.phrases import WITHOUT_VALUE, Phrases
from recsys.explain.text.strings_file import FOLDER, NOT_LISTED, languages
from recsys.explain.text.template import Template
from recsys.explain.text.titles import MAX_CHARS, clean, quoted

VALUES = {"value": "VALUE", "count": "7"}
STAGE_VALUES = {"rank": "3", "k": "10", "sum_rank": "70", "rules": "RULES"}


@pytest.fixture(scope="module")
def english() -> Phrases:
    return Phrases.load()


@pytest.fixture
def strings() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "en.json").read_text("utf8"))
    return content


def load(content: object, folder: Path, **more: Any) -> Phrases:
    path = folder / "strings.json"
    path.write_text(json.dumps(content), "utf8")
    return Phrases.load(path=path, **more)


@pytest.mark.parametrize("language", languages())
def test_every_language_says_all_there_is_to_say(language: str) -> None:
    phrases = Phrases.load(language)
    for kind, action, several in product(Kind, (*EVENT_TYPES, None, "wish"), (False, True)):
        for template in phrases.sentences(kind, action, several=several):
            sentence = template.fill(VALUES)
            assert ("VALUE" in sentence) == ("value" in template.slots)
            assert "value" in template.slots or kind in WITHOUT_VALUE
            assert "{" not in sentence
            assert sentence[-1] == "."
    for kind in Kind:
        assert all(template.fill(VALUES) for template in phrases.against(kind))
    for stage in NOT_LISTED:
        assert "{" not in phrases.stage(stage).fill(STAGE_VALUES)


@pytest.mark.parametrize("language", languages())
def test_every_language_has_what_english_has(language: str, strings: dict[str, Any]) -> None:
    other = json.loads((FOLDER / f"{language}.json").read_text("utf8"))
    assert other["language"] == language
    assert other.keys() | {"guard"} == strings.keys()  # where no model is to write, there need be none
    for part in ("verbs", "units", "facts", "stages", "rules"):
        assert other[part].keys() == strings[part].keys(), part
    for kind, wording in strings["facts"].items():
        assert {key: len(texts) for key, texts in other["facts"][kind].items()} == {
            key: len(texts) for key, texts in wording.items()
        }, kind


def test_verbs_fit_the_event(english: Phrases) -> None:
    def told(action: str | None) -> str:
        return english.sentences(Kind.NEXT_PURCHASE, action)[0].fill({"value": "X"})

    assert told("purchase") == "It has been chosen after X, which you bought."
    assert told("view") == "It has been chosen after X, which you viewed."
    assert told(None) == told("of tomorrow") == "It has been chosen after X, which you chose."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("no_reason"), "no_reason"),
        (lambda s: s.update(more="text"), "more"),
        (lambda s: s["facts"].pop("trend"), "trend"),
        (lambda s: s["facts"].update(horoscope=s["facts"]["trend"]), "horoscope"),
        (lambda s: s["facts"]["trend"].update({"for": []}), "trend"),
        (lambda s: s["facts"]["trend"].update({"for": ["Rising."]}), "{value}"),
        (lambda s: s["facts"]["trend"].update({"for": ["Up {value}, you {verb} it."]}), "{verb}"),
        (lambda s: s["facts"]["average_rating"].update({"for": ["{count}: {value}."]}), "{count}"),
        (lambda s: s["facts"]["co_purchase"].update({"for": ["With {value}."]}), "co_purchase"),
        (lambda s: s["facts"]["co_purchase"].update(several=["{count} with {value}."]), "co_purchase"),
        (lambda s: s["facts"]["taste"].update({"for": ["It fits."]}), "taste"),
        (lambda s: s["facts"]["trend"].update({"for": ["Up {value!r}."]}), "{value!r}"),
        (lambda s: s["facts"]["trend"].update({"for": ["Up {value:>1000000}."]}), "{value:>1000000}"),
        (lambda s: s["facts"]["trend"].update({"for": ["Up {value.__class__}."]}), "{value.__class__}"),
        (lambda s: s["facts"]["trend"].update({"for": ["Up {value."]}), "expected '}'"),
        (lambda s: s["stages"].pop("ranked"), "ranked"),
        (lambda s: s["stages"].update(ranked="{sum_rank}"), "{sum_rank}"),
        (lambda s: s["verbs"].pop("purchase"), "purchase"),
        (lambda s: s["verbs"].pop("neutral"), "neutral"),
        (lambda s: s.update(quotes=["'"]), "quotes"),
        (lambda s: s.update(language="klingon"), "klingon"),
    ],
)
def test_strings_that_do_not_fit_are_refused(change: Any, said: str, strings: dict[str, Any], tmp_path: Path) -> None:
    change(strings)
    with pytest.raises(ConfigError) as refused:
        load(strings, tmp_path)
    assert said in str(refused.value)
    assert "Remedy" in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        Phrases.load(path=tmp_path / "nowhere.json")
    (tmp_path / "broken.json").write_bytes(b'{"language": "\xff')
    with pytest.raises(ConfigError, match=r"broken\.json"):
        Phrases.load(path=tmp_path / "broken.json")
    with pytest.raises(ConfigError, match="one of the languages"):
        Phrases.load("../strings/en")


def test_a_shop_speaks_for_itself(strings: dict[str, Any], tmp_path: Path) -> None:
    strings["verbs"]["wish"] = "wished for"
    strings["facts"]["next_purchase"]["for"] = ["After {value} ({verb}) at 100%.", "Behind {value}."]
    phrases = load(strings, tmp_path, locale="de-CH", currency="CHF")
    assert phrases.sentences(Kind.NEXT_PURCHASE, "wish")[0].fill({"value": "X"}) == "After X (wished for) at 100%."
    assert phrases.value(Fact("f1", Kind.PRICE_NEAR_HABIT, 1234.5, "price")) == "CHF\xa01'234.50"


def test_numbers_follow_the_locale() -> None:
    def told(value: float, unit: Any, **place: Any) -> str:
        return Phrases.load(**place).value(Fact("f1", Kind.POPULARITY, value, unit))

    assert told(1234.5, "price") == "1,234.50"
    assert told(1234.5, "price", locale="de") == "1.234,50"
    assert told(1234.5, "price", currency="USD") == "$1,234.50"
    assert told(1234.5, "price", currency="JPY") == "¥1,234"
    assert told(4.3333, "rating") == "4.3"
    assert told(4.3333, "rating", locale="fr") == "4,3"
    assert told(5.0, "rating") == "5"
    assert told(85.4, "percent") == "85%"
    assert told(12000, "rank", locale="de") == "12.000"
    with pytest.raises(ConfigError, match="currency"):
        Phrases.load(currency="BEAUTY")
    with pytest.raises(ConfigError, match="locale"):
        Phrases.load(locale="nowhere")


def test_names_in_a_row(english: Phrases) -> None:
    assert english.listed(["one"]) == "one"
    assert english.listed(["one", "two", "three"]) == "one, two, and three"


def test_an_item_may_lack_a_title(english: Phrases) -> None:
    for title in ("", "  ", "\u202e\u0000"):
        assert english.value(Fact("f1", Kind.CO_PURCHASE, title, "title")) == "an item without a name"


def test_titles_are_data() -> None:
    assert clean("  two\nlines\tand \u202eturned\u0000 ") == "two lines and turned"
    assert quoted('a “quoted” "title"', ("“", "”")) == "“a 'quoted' 'title'”"
    assert clean("word " * 50) == ("word " * 12).rstrip() + "…"
    assert clean("x" * 100) == "x" * 59 + "…"
    assert clean("नमस्\u200dते") == "नमस्\u200dते"


@given(st.text(max_size=300))
def test_no_title_breaks_a_sentence(title: str) -> None:
    shown = quoted(title, ("“", "”"))
    assert len(shown) <= MAX_CHARS + 2
    assert shown[0] == "“"
    assert shown[-1] == "”"
    assert not set('“”"\n\r\u2028') & set(shown[1:-1])
    template = Template.parse("Before {value} behind.", ("value",))
    assert template.fill({"value": shown}) == f"Before {shown} behind."


@given(st.text(alphabet="ab%{}s ", max_size=20), st.text(max_size=20))
def test_templates_hold_any_text(literal: str, value: str) -> None:
    written = literal.replace("{", "{{").replace("}", "}}")
    template = Template.parse(f"{written}{{value}}{written}{{verb}}{written}", ("value", "verb"))
    assert template.bind("verb", value).fill({"value": value}) == literal + value + literal + value + literal
