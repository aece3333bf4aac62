"""The words that a language model may use, what they claim, and how they may stand together: of one language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from recsys.explain.fact import Fact, Kind

ANY: Final = "any"
"""Stands for every action, among them one that nobody knows."""
PERSONAL: Final = "personal"
"""Stands for every kind of fact that is true of one user alone."""
CITED: Final[Mapping[str, str]] = {
    "title": "TITLE", "brand": "BRAND", "category": "CATEGORY", "price": "PRICE", "rank": "RANK",
    "count": "COUNT", "rating": "RATING", "percent": "PERCENT", "text": "TEXT",
}  # fmt: skip
"""How patterns call a placeholder, by the unit of its fact."""

Words = Annotated[tuple[str, ...], Meta(description="Lines of words, separated by blanks; a phrase's are joined by _.")]
_MOST_KEPT: Final = 8  # languages
_GROUP = re.compile(r"<(\w+)>")


class Demand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the first pattern is found, one of the others must be found around it."""

    wherever: str
    one_of: tuple[str, ...]


class Vocabulary(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a guard knows of a language. Words that stand nowhere here are refused.

    Patterns are regular expressions over the words of a sentence, separated by single blanks, phrases joined by _,
    placeholders as TITLE, BRAND, ... by the unit of their fact; `<name>` stands for the words of a list or group.

    Attributes:
        letters: beyond a to z.
        neutral: words that claim nothing.
        claims: by kind, or `personal`, words that claim what facts of the kind say.
        events: by event type, or `any`, words for what a user did with an item of the history.
        others: words that stand before one of events where it says what others did: "has been chosen", "who chose".
        anywhere: of the words that claim, those that need not stand beside the placeholder of their fact.
        user: words that speak of the user, and so need a personal fact.
        joints: words that begin another statement.
        causes: words that make what is cited a reason.
        contrasts: words behind which stands what does not speak for the item.
        turns: words that have that before or behind them.
        negations: words that deny.
        superlatives, numbers: words that are refused by their own name: praise, words for how often, numbers.
        counts: patterns of statements of several items, and of how many at least.
        users: patterns of statements of several users, and of how many at least.
        groups: lists of words, for patterns.
        demands: see `Demand`.
        forbidden: patterns of statements that no fact makes.
    """

    letters: str = ""
    neutral: Words
    claims: dict[str, Words]
    events: dict[str, Words]
    others: Words = ()
    anywhere: Words = ()
    user: Words
    joints: Words
    causes: Words
    contrasts: Words
    turns: Words
    negations: Words
    superlatives: Words
    numbers: Words
    counts: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Words] = field(default_factory=dict)
    demands: tuple[Demand, ...] = ()
    forbidden: tuple[str, ...] = ()


class Grammar:
    """A vocabulary, ready to be used.

    Attributes:
        words: all that are known, phrases joined by _.
        others, anywhere, joints, causes, contrasts, turns, negations, user, superlatives, numbers: see `Vocabulary`.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Compile all patterns.

        Raises:
            ValueError: a pattern is none, or names a list that is not there; a kind is not known.
        """
        self.joints, self.causes, self.contrasts, self.turns, self.negations, self.user = (
            _words(lines)
            for lines in (
                vocabulary.joints, vocabulary.causes, vocabulary.contrasts,
                vocabulary.turns, vocabulary.negations, vocabulary.user,
            )
        )  # fmt: skip
        self.superlatives = _words(vocabulary.superlatives)
        self.numbers = _words(vocabulary.numbers)
        self.others, self.anywhere = _words(vocabulary.others), _words(vocabulary.anywhere)
        self._claims = _by_word(vocabulary.claims, {*Kind, PERSONAL})
        self._events = _by_word(vocabulary.events)
        neutral = _words(vocabulary.neutral)
        if both := neutral & (self._claims.keys() | self._events.keys()):
            raise ValueError(f"words that claim nothing, and not also something: {', '.join(sorted(both))}")
        grammar = self.joints | self.causes | self.contrasts | self.turns | self.negations | self.user
        self.words = neutral | grammar | self._claims.keys() | self._events.keys()
        self._letters = re.compile(rf"[^a-zA-Z{re.escape(vocabulary.letters + vocabulary.letters.upper())}]")
        self._phrases = _phrases(self.words)
        groups = {name: _words(lines) for name, lines in vocabulary.groups.items()}
        groups |= {"events": frozenset(self._events), "user": self.user}
        self.counts = [(_pattern(text, groups), least) for text, least in vocabulary.counts.items()]
        self.users = [(_pattern(text, groups), least) for text, least in vocabulary.users.items()]
        self.demands = [
            (_pattern(demand.wherever, groups), [_pattern(text, groups) for text in demand.one_of])
            for demand in vocabulary.demands
        ]
        self.forbidden = [_pattern(text, groups) for text in vocabulary.forbidden]

    def foreign(self, text: str) -> bool:
        """Whether a text holds what is no letter of the language."""
        return bool(self._letters.search(text))

    def join_phrases(self, words: str) -> str:
        """Words separated by blanks, the phrases among them joined by _."""
        return self._phrases.sub(lambda found: found[0].replace(" ", "_"), words)

    def claims(self, word: str) -> bool:
        """Whether a word says something that must be true."""
        return word in self._claims or word in self._events

    def is_event(self, word: str) -> bool:
        """Whether a word may say what a user did."""
        return word in self._events

    def words_for(self, facts: Sequence[Fact]) -> list[str]:
        """The words that a text of these facts, which speak for an item, may use, by the alphabet."""
        words = self.words - self.negations - self.contrasts - self.turns
        used = {word for word in words if not self.claims(word) or any(self.fits(word, fact) for fact in facts)}
        return sorted(word.replace("_", " ") for word in used)

    def is_told(self, word: str, fact: Fact) -> bool:
        """Whether a fact's kind says what a word claims, whatever the user did."""
        return fact.kind in self._claims.get(word, ())

    def fits(self, word: str, fact: Fact) -> bool:
        """Whether a fact says what a word claims."""
        kinds = self._claims.get(word, ())
        if self.is_told(word, fact) or (fact.personal and PERSONAL in kinds):
            return True
        actions = self._events.get(word, ())
        return fact.history_item is not None and (ANY in actions or fact.action in actions)


def grammar_of(vocabulary: Vocabulary) -> Grammar:
    """The grammar of a vocabulary; compiled once for all locales of a language. Raises as `Grammar`."""
    return _compiled(msgspec.json.encode(vocabulary))


@lru_cache(_MOST_KEPT)
def _compiled(encoded: bytes) -> Grammar:
    return Grammar(msgspec.json.decode(encoded, type=Vocabulary))


def _words(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


def _by_word(lists: Mapping[str, Sequence[str]], names: Iterable[str] | None = None) -> dict[str, frozenset[str]]:
    """The names of the lists that each word stands in."""
    if names is not None and (unknown := lists.keys() - set(names)):
        raise ValueError(f"kinds of facts, not {', '.join(sorted(unknown))}")
    found: dict[str, set[str]] = {}
    for name, lines in lists.items():
        for word in _words(lines):
            found.setdefault(word, set()).add(name)
    return {word: frozenset(names) for word, names in found.items()}


def _phrases(words: Iterable[str]) -> re.Pattern[str]:
    """Finds phrases of several words, the longest first."""
    phrases: Sequence[str] = sorted((word for word in words if "_" in word), key=len, reverse=True)
    choice = "|".join(re.escape(phrase.replace("_", " ")) for phrase in phrases) or "(?!)"
    return re.compile(rf"(?<!\S)(?:{choice})(?!\S)")


def _pattern(text: str, groups: Mapping[str, frozenset[str]]) -> re.Pattern[str]:
    def words(found: re.Match[str]) -> str:
        if found[1] not in groups:
            raise ValueError(f"a list of words named {found[1]}, for the pattern {text!r}")
        return f"(?:{'|'.join(re.escape(word) for word in sorted(groups[found[1]]))})"

    try:
        return re.compile(rf"(?<!\S)(?:{_GROUP.sub(words, text)})(?!\S)")
    except re.error as error:
        raise ValueError(f"a regular expression, not {text!r}: {error}") from None
