"""The guard: lets a text of a language model pass if it says nothing but the facts that it cites.

A text is a list of sentences with placeholders, {f3}, for the values of facts. Neither its author nor the titles among
the facts are trusted. All of these must hold:

- it is written in the letters of its language, with the marks of plain prose: no digits, prices, quotes, markup,
  addresses, no invisible characters and none of another script that only look right;
- each word is in the vocabulary (`recsys.explain.text.vocabulary`), so nothing can be told that no fact tells;
- each word that claims something stands beside a fact that says it: who wants "similar" must cite a similar text;
- a verb of the user's fits what the user did with that very item;
- what does not speak for the item is told as a contrast, and never as a reason; what does, is never denied;
- subjects, verbs and objects stand together as the patterns of the language say, so true words make no false statement.

What it refuses is named, for metrics and for those who read an explanation's `guard`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from recsys.explain.fact import OF_BEHAVIOUR, Fact, Kind
from recsys.explain.text.phrases import WITHOUT_VALUE
from recsys.explain.text.vocabulary import CITED, Grammar

MAX_SENTENCES: Final = 5
MAX_CHARS: Final = 300  # of a sentence
MAX_CITED: Final = 6  # by a sentence
_BEFORE_EVENT: Final = 3  # words that may tell whose it is
MAX_LEANING: Final = 2  # words beside the placeholders of a part that says nothing by itself
PLACEHOLDER: Final = re.compile(r"\{(f[1-9][0-9]{0,3})\}")
_WORD = re.compile(r"\{f\d+\}|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]")
_MARKS: Final = frozenset(",;:.!()–—-")
_ENDS: Final = frozenset(",;:.!()–—")
_PRICE = re.compile("[$€£¥₹%‰¢₽₩]")
_APOSTROPHES: Final = "'\u2019"
_QUOTE = re.compile(
    f'["`\u00ab\u00b4\u00bb\u2018\u201a-\u201f\u2039\u203a]|(?<![^\\W\\d_])[{_APOSTROPHES}]|[{_APOSTROPHES}](?![^\\W\\d_])'
)
_ADDRESS = re.compile(r"://|www\.|@|\b[\w-]{2,}\.(?:com|net|org|io|co|example|[a-z]{2})\b", re.IGNORECASE)
_MARKUP = re.compile(r"[<>\[\]|\\/*_#~^=&]")
_OF_WHOLE_HISTORY: Final = frozenset({Kind.TASTE, Kind.PRICE_NEAR_HABIT})


class Refusal(StrEnum):
    """Why a text does not pass."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTER = "character"
    DIGIT = "digit"
    PRICE = "price"
    QUOTE = "quote"
    MARKUP = "markup"
    ADDRESS = "address"
    UNKNOWN_FACT = "unknown_fact"
    SENSITIVE = "sensitive"
    NO_CITATION = "no_citation"
    NUMBER_WORD = "number_word"
    SUPERLATIVE = "superlative"
    UNKNOWN_WORD = "unknown_word"
    VERB = "verb"
    CLAIM = "claim"
    COUNT = "count"
    PERSONAL = "personal"
    POLARITY = "polarity"
    NO_REASON = "no_reason"
    STRUCTURE = "structure"


@dataclass(frozen=True)
class Sentence:
    """One sentence of an answer: its text with placeholders, and ids of facts that it rests on beside those."""

    text: str
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the guard says; `reasons` in the order of `Refusal`, none for a text that passes."""

    reasons: tuple[Refusal, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the text may be shown."""
        return not self.reasons


def guard(answer: Sequence[Sentence], facts: Sequence[Fact], grammar: Grammar) -> Verdict:
    """Judge an answer.

    Args:
        answer: of a language model.
        facts: that it was given, each with an id of its own.
        grammar: of the language that it was asked for.
    """
    known = {fact.id: fact for fact in facts}
    reasons: set[Refusal] = set()
    if not answer:
        reasons.add(Refusal.EMPTY)
    if len(answer) > MAX_SENTENCES:
        reasons.add(Refusal.TOO_LONG)
    for sentence in answer[:MAX_SENTENCES]:
        found = set(_unfit(sentence, known, grammar))
        reasons |= found or set(_Reading(sentence, known, grammar).faults())
    return Verdict(tuple(refusal for refusal in Refusal if refusal in reasons))


def _unfit(sentence: Sentence, known: Mapping[str, Fact], grammar: Grammar) -> Iterator[Refusal]:
    """What is wrong with a sentence before it is read."""
    if not sentence.text.strip():
        yield Refusal.EMPTY
    if len(sentence.text) > MAX_CHARS:
        yield Refusal.TOO_LONG
    yield from _unfit_characters(PLACEHOLDER.sub(" ", sentence.text), grammar)
    shown = PLACEHOLDER.findall(sentence.text)
    cited = [*shown, *sentence.cites]
    if not cited:
        yield Refusal.NO_CITATION
    if len(cited) > MAX_CITED:
        yield Refusal.TOO_LONG
    if any(name not in known for name in cited) or any(known[name].kind in WITHOUT_VALUE for name in shown):
        yield Refusal.UNKNOWN_FACT
    if any(known[name].sensitive for name in cited if name in known):
        yield Refusal.SENSITIVE


def _unfit_characters(text: str, grammar: Grammar) -> Iterator[Refusal]:
    """Of a text without its placeholders."""
    if any(char.isdigit() or char.isnumeric() for char in text):
        yield Refusal.DIGIT
    for pattern, refusal in (
        (_PRICE, Refusal.PRICE),
        (_QUOTE, Refusal.QUOTE),
        (_MARKUP, Refusal.MARKUP),
        (_ADDRESS, Refusal.ADDRESS),
    ):
        if pattern.search(text):
            yield refusal
    if "{" in text or "}" in text:
        yield Refusal.UNKNOWN_FACT
    rest = "".join(char for char in text if char not in _MARKS and char not in f" {_APOSTROPHES}")
    if grammar.foreign(rest):
        yield Refusal.CHARACTER


class _Reading:
    """A sentence of known characters and facts, word by word."""

    def __init__(self, sentence: Sentence, known: Mapping[str, Fact], grammar: Grammar) -> None:
        self.grammar = grammar
        plain = sentence.text.lower().replace(_APOSTROPHES[1], _APOSTROPHES[0])
        words = [word for word in _WORD.findall(plain) if word != "-"]
        self.words = grammar.join_phrases(" ".join(words)).split()
        self.facts = {place: known[word[1:-1]] for place, word in enumerate(self.words) if word.startswith("{")}
        beside = [known[name] for name in sentence.cites]
        self.cited = [*self.facts.values(), *(fact for fact in beside if fact not in self.facts.values())]
        self.beside = [fact for fact in beside if fact not in self.facts.values()]
        shown = [
            CITED[self.facts[place].unit] if place in self.facts else word for place, word in enumerate(self.words)
        ]
        self.text = " ".join(shown)
        self.parts = self._parts()

    def _parts(self) -> list[range]:
        """The sentence's statements: places of words, from a mark or a joint to the next."""
        joints = self.grammar.joints
        starts = [
            place
            for place, word in enumerate(self.words)
            if place and (word in joints or self.words[place - 1] in _ENDS)
        ]
        return [range(start, end) for start, end in zip([0, *starts], [*starts, len(self.words)], strict=True)]

    def faults(self) -> Iterator[Refusal]:
        """What is wrong with it."""
        yield from self._unknown_words()
        yield from self._false_claims()
        yield from self._false_counts()
        yield from self._reversed()
        if self._speaks_of(self.grammar.user) and not any(
            fact.personal or fact.kind is Kind.RULE for fact in self.cited
        ):
            yield Refusal.PERSONAL
        if not self._is_well_formed():
            yield Refusal.STRUCTURE

    def _speaks_of(self, words: frozenset[str]) -> bool:
        return any(word in words for word in self.words)

    def _unknown_words(self) -> Iterator[Refusal]:
        grammar = self.grammar
        for place, word in enumerate(self.words):
            if place in self.facts or word in _MARKS or word in grammar.words:
                continue
            if word in grammar.numbers:
                yield Refusal.NUMBER_WORD
            elif word in grammar.superlatives:
                yield Refusal.SUPERLATIVE
            else:
                yield Refusal.UNKNOWN_WORD

    def _false_claims(self) -> Iterator[Refusal]:
        for part in self._statements():
            for place in part:
                word = self.words[place]
                if not self.grammar.claims(word):
                    continue
                meant = self.cited if word in self.grammar.anywhere else self._meant(place, part)
                fits = self.grammar.is_told if self._is_of_others(place) else self.grammar.fits
                if not any(fits(word, fact) for fact in meant):
                    yield Refusal.VERB if self.grammar.is_event(word) else Refusal.CLAIM

    def _is_of_others(self, place: int) -> bool:
        """Whether a word says what others did: "has been chosen", "who have also chosen"; not "is one you chose"."""
        if not self.grammar.is_event(self.words[place]):
            return False
        for word in self.words[max(0, place - _BEFORE_EVENT) : place][::-1]:
            if word in self.grammar.user:
                return False
            if word in self.grammar.others:
                return True
        return False

    def _statements(self) -> list[range]:
        """The parts, those that are no statement joined to the one before, or behind."""
        joined: list[range] = []
        for part in self.parts:
            if joined and (self._leans(part) or self._leans(joined[-1])):
                joined.append(range(joined.pop().start, part.stop))
            else:
                joined.append(part)
        return joined

    def _leans(self, part: range) -> bool:
        """Whether a part says nothing by itself: "and {f2}", "which is an item"."""
        if any(self.grammar.claims(self.words[place]) for place in part):
            return False
        plain = [place for place in part if place not in self.facts and self.words[place] not in _MARKS]
        return len(plain) <= MAX_LEANING or len(plain) == len(part)

    def _meant(self, place: int, part: range) -> list[Fact]:
        """The facts that a word may speak of: the nearest of its statement; else the next to it, or those beside."""
        within = [at for at in part if at in self.facts]
        if within:
            near = min(abs(at - place) for at in within)
            return [self.facts[at] for at in within if abs(at - place) == near]
        before = [at for at in self.facts if at < place][-1:]
        behind = [at for at in self.facts if at > place][:1]
        return [*(self.facts[at] for at in (*before, *behind)), *self.beside]

    def _false_counts(self) -> Iterator[Refusal]:
        """More items, or more users, than a fact counts."""
        for found, least in _found(self.grammar.counts, self.text):
            if not any(_items_of(fact) >= least for fact in self._meant_at(found)):
                yield Refusal.COUNT
        for found, least in _found(self.grammar.users, self.text):
            meant = self._meant_at(found)
            if not any(fact.count >= least or fact.kind not in OF_BEHAVIOUR for fact in meant):
                yield Refusal.COUNT

    def _meant_at(self, found: re.Match[str]) -> list[Fact]:
        """The facts that a match in the text may speak of."""
        place = self.text.count(" ", 0, found.start())
        return self._meant(place, next(part for part in self.parts if place in part))

    def _reversed(self) -> Iterator[Refusal]:
        """Facts that are told against what they say, or given as a reason that they are not."""
        grammar, against = self.grammar, []
        for number, part in enumerate(self.parts):
            words = {self.words[place] for place in part}
            following = self.words[self.parts[number + 1].start] if number + 1 < len(self.parts) else ""
            facts = [self.facts[place] for place in part if place in self.facts]
            opposed = (
                bool(words & (grammar.contrasts | grammar.negations | grammar.turns)) or following in grammar.turns
            )
            against += [fact for fact in facts if fact.polarity == "against"]
            if not opposed and any(fact.polarity == "against" for fact in facts):
                yield Refusal.POLARITY
            if words & (grammar.contrasts | grammar.negations):
                meant = facts or self._meant(part.start, part)
                if any(fact.polarity == "for" for fact in meant) or not meant:
                    yield Refusal.POLARITY
        turned = self._speaks_of(grammar.turns | grammar.contrasts | grammar.negations)
        against += [fact for fact in self.beside if fact.polarity == "against"]
        if turned != bool(against):
            yield Refusal.POLARITY
        if self._speaks_of(grammar.causes) and any(
            fact.strength <= 0 and fact.polarity == "for" for fact in self.cited
        ):
            yield Refusal.NO_REASON

    def _is_well_formed(self) -> bool:
        """Whether the words stand together as the language's patterns say."""
        if any(pattern.search(self.text) for pattern in self.grammar.forbidden):
            return False
        for wherever, patterns in self.grammar.demands:
            for found in wherever.finditer(self.text):
                if not any(_covers(pattern, self.text, found.span()) for pattern in patterns):
                    return False
        return True


def _found(patterns: Sequence[tuple[re.Pattern[str], int]], text: str) -> Iterator[tuple[re.Match[str], int]]:
    """All matches in a text, with how many they speak of at least."""
    return ((found, least) for pattern, least in patterns for found in pattern.finditer(text))


def _items_of(fact: Fact) -> float:
    """How many items of the history a fact speaks of."""
    if fact.kind in _OF_WHOLE_HISTORY:
        return math.inf
    return 1 if fact.kind in OF_BEHAVIOUR else fact.count


def _covers(pattern: re.Pattern[str], text: str, span: tuple[int, int]) -> bool:
    """Whether a match of the pattern, of those that begin at any word, holds a place of the text."""
    start = 0
    while (found := pattern.search(text, start)) is not None and found.start() <= span[0]:
        if found.end() >= span[1]:
            return True
        start = found.start() + 1
    return False
