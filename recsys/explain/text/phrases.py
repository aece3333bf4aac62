"""The phrases of one language, parsed and checked: what every text of an explanation is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from babel import Locale, UnknownLocaleError
from babel.lists import format_list

from recsys.core.errors import ConfigError
from recsys.explain.actions import Action
from recsys.explain.evidence import Stage
from recsys.explain.fact import Fact, Kind
from recsys.explain.text.numbers import Numbers
from recsys.explain.text.strings_file import NEUTRAL, Strings, Wording, read_strings, unfit
from recsys.explain.text.template import Template
from recsys.explain.text.titles import clean, quoted
from recsys.explain.text.vocabulary import grammar_of

OF_ACTION: Final = frozenset(
    {Kind.NEXT_PURCHASE, Kind.CO_PURCHASE, Kind.SIMILAR_TEXT, Kind.SHARED_BRAND, Kind.SHARED_CATEGORY}
)
"""Kinds of facts about an item of the history: their templates may have the slot `{verb}`."""

COUNTED: Final = frozenset(
    {Kind.NEXT_PURCHASE, Kind.CO_PURCHASE, Kind.SHARED_BRAND, Kind.SHARED_CATEGORY, Kind.AVERAGE_RATING}
)
"""Kinds whose facts may count: their templates `several` may have the slot `{count}`."""

OF_LISTS: Final = OF_ACTION | {Kind.TASTE, Kind.PRICE_NEAR_HABIT, Kind.PREDICTED_RATING, Kind.POPULARITY}
"""Kinds of the reasons in lists, which would say the same ten times if there were but one way to say it."""

FEWEST_WAYS: Final = 2  # to tell a fact of those kinds

WITHOUT_VALUE: Final = frozenset({Kind.TASTE, Kind.SHOP_RULE, Kind.SHOP_ORDER})
"""Kinds whose templates may be without the slot `{value}`."""

_OF_STAGE: Mapping[Stage, tuple[str, ...]] = MappingProxyType(
    {
        Stage.ARRANGED: ("rank", "k"),
        Stage.RANKED: ("rank", "k"),
        Stage.CANDIDATE: ("sum_rank",),
        Stage.FORBIDDEN: ("rules",),
        Stage.UNPROPOSED: (),
    }
)
_UNQUOTED: Final = frozenset({"brand", "category", "text"})
_MOST_KEPT = 20_000  # titles once cleaned


class Phrases:
    """What a language says of facts.

    Attributes:
        strings: as they were read.
        locale: by which numbers are written; also of another country than the language's.
        numbers: as they are written there.
        grammar: of what a language model may say; None: none writes in this language.
    """

    def __init__(self, strings: Strings, locale: str | None = None, currency: str | None = None) -> None:
        """Parse all templates.

        Args:
            strings: of the language.
            locale: None: the language.
            currency: see `Numbers`.

        Raises:
            ConfigError: a template has a placeholder that it must not have, or lacks one; or there is no such locale or
                currency.
        """
        self.strings, self.locale = strings, _locale(locale or strings.language)
        self.numbers = Numbers(self.locale, currency)
        try:
            self.grammar = None if strings.guard is None else grammar_of(strings.guard)
            self._facts = {kind: _Templates(kind, strings.facts[kind]) for kind in Kind}
            self._stages = {stage: Template.parse(strings.stages[stage], slots) for stage, slots in _OF_STAGE.items()}
            self._units = {unit: Template.parse(text, ("value",), ("value",)) for unit, text in strings.units.items()}
        except ValueError as error:
            raise unfit(f"the language {strings.language}", f"expected {error}") from None
        self._spoken = {
            (kind, action, several): self._with_verb(kind, action, several=several)
            for kind in Kind
            for action in strings.verbs
            for several in (False, True)
        }
        self.quoted = lru_cache(_MOST_KEPT)(self._quoted)
        self.named = lru_cache(_MOST_KEPT)(clean)

    @classmethod
    def load(
        cls, language: str = "en", path: Path | None = None, locale: str | None = None, currency: str | None = None
    ) -> Self:
        """Those of a language of the program or of a shop's file; see above and `read_strings`."""
        return cls(read_strings(language, path), locale, currency)

    def sentences(self, kind: Kind, action: Action = None, *, several: bool = False) -> tuple[Template, ...]:
        """Templates of a fact that speaks for an item, best first; their slots are value and, if several, count.

        Args:
            kind: of the fact.
            action: what the user did; one that the language has no verb for is told by the neutral verb.
            several: whether the fact counts more than one.
        """
        found = self._spoken.get((kind, NEUTRAL if action is None else action, several))
        return self._spoken[kind, NEUTRAL, several] if found is None else found

    def against(self, kind: Kind, *, several: bool = False) -> tuple[Template, ...]:
        """Templates of a fact that does not speak for an item, or of several at once; their slot is `{value}`."""
        templates = self._facts[kind]
        return templates.against_several if several else templates.against

    def stage(self, stage: Stage) -> Template:
        """How far an item came that is not in the list; the slots are some of rank, k, sum_rank and rules."""
        return self._stages[stage]

    def value(self, fact: Fact) -> str:
        """The value of a fact as a text shows it: a title in quotes, a name without, a number by the locale."""
        if fact.kind is Kind.RULE:
            return self.rule(str(fact.value))
        if isinstance(fact.value, str):
            return self.named(fact.value) if fact.unit in _UNQUOTED else self.quoted(fact.value)
        text = self.numbers.text(fact.value, fact.unit)
        unit = self._units.get(fact.unit)
        return text if unit is None else unit.fill({"value": text})

    def count(self, fact: Fact) -> str:
        """The count of a fact."""
        return self.numbers.text(fact.count, "count")

    def listed(self, names: Sequence[str]) -> str:
        """Several names in a row: one, two and three."""
        return str(format_list(list(names), locale=self.locale))

    def rule(self, name: str) -> str:
        """A rule that forbids an item, in words; its name where the language has none."""
        return self.strings.rules.get(name) or self.named(name)

    def _with_verb(self, kind: Kind, action: str, *, several: bool) -> tuple[Template, ...]:
        templates = self._facts[kind]
        chosen = templates.several if several else templates.for_
        return tuple(template.bind("verb", self.strings.verbs[action]) for template in chosen)

    def _quoted(self, title: str) -> str:
        shown = quoted(title, self.strings.quotes)
        return self.strings.untitled if shown == "".join(self.strings.quotes) else shown


class _Templates:
    """The templates of one kind, parsed; see `Wording`."""

    def __init__(self, kind: Kind, wording: Wording) -> None:
        if not (wording.for_ and wording.against):
            raise ValueError(f"templates for and against of {kind}, at least one each")
        if kind in OF_LISTS and any(0 < len(ways) < FEWEST_WAYS for ways in (wording.for_, wording.several)):
            raise ValueError(f"at least {FEWEST_WAYS} templates of {kind}, of which lists tell one after the other")
        value = () if kind in WITHOUT_VALUE else ("value",)
        spoken = ("value", "verb") if kind in OF_ACTION else ("value",)
        counted = (*spoken, "count") if kind in COUNTED else spoken
        self.for_ = tuple(Template.parse(text, spoken, value) for text in wording.for_)
        self.several = tuple(Template.parse(text, counted, value) for text in wording.several) or self.for_
        self.against = tuple(Template.parse(text, ("value",), value) for text in wording.against)
        several = tuple(Template.parse(text, ("value",), value) for text in wording.against_several)
        self.against_several = several or self.against


def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError) as error:
        raise ConfigError("a locale such as en, de or pt_BR", str(error), "name one that Babel knows") from None
