"""What a language model is told: kinds of facts, what the user did, counts. Titles, names and numbers stay here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from recsys.explain.fact import Fact
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import Style
from recsys.explain.text.vocabulary import Grammar
from serve.explanations.language_model.protocols import Prompt

Task = Literal["explanation", "blurb"]

VERSION = "2"  # of all that stands below; goes up with each change, so that texts kept before are written anew
MAX_FACTS = 6  # strongest ones
MOST: dict[Style, int] = {"sentence": 1, "paragraph": 3}  # sentences by style

_TASKS = {
    "explanation": "An online shop tells a reader why an item is recommended.",
    "blurb": "An online shop describes an item in a few words to whoever looks at it.",
}
_RESTRICTED = """{task}
You choose its sentences from a list and put them in the order in which they read best. Each choice has an id and tells
one fact; the facts come strongest first. Placeholders such as {{f1}} stand for names and numbers that you need not see.
Answer with JSON alone, {{"sentences": [ids]}}: {most}, of each fact one choice at most."""
_FREE = """{task}
You write its text, in the language "{language}", of the facts that you are given and of nothing else.
- Placeholders such as {{f1}} stand for names and numbers that you need not see. Write {{f1}} where the value of the
  fact belongs, and never a number, a price, a name or a quotation of your own.
- Call the item "this" or "it", the reader "you". Each sentence tells at least one fact by its placeholder; facts that
  it tells without one it names among "cites".
- Say of a fact what its example says and no more: no praise, no advice, no comparison, no further claim. Where the
  example says what the reader did, say it with the same verb.
- Use these words alone: {words}
Answer with JSON alone, {{"sentences": [{{"text": "...", "cites": ["f1"]}}]}}: {most}, without markup."""


@dataclass(frozen=True)
class Choice:
    """A sentence of the rules: of a fact, by the number of its template."""

    fact: Fact
    number: int

    @property
    def id(self) -> str:
        """As the model names it."""
        return f"{self.fact.id}.{self.number}"

    def example(self, phrases: Phrases) -> str:
        """The sentence with a placeholder for its value."""
        return self._filled(phrases, placeholder(self.fact))

    def text(self, phrases: Phrases) -> str:
        """The sentence with the fact's value."""
        return self._filled(phrases, phrases.value(self.fact))

    def _filled(self, phrases: Phrases, value: str) -> str:
        fact = self.fact
        template = phrases.sentences(fact.kind, fact.action, several=fact.count > 1)[self.number]
        return template.fill({"value": value, "count": phrases.count(fact)})


def placeholder(fact: Fact) -> str:
    """Stands for the value of a fact."""
    return f"{{{fact.id}}}"


def choices(facts: Sequence[Fact], phrases: Phrases) -> list[Choice]:
    """The rules' sentences of each fact."""
    return [
        Choice(fact, number)
        for fact in facts
        for number in range(len(phrases.sentences(fact.kind, fact.action, several=fact.count > 1)))
    ]


def restricted(offered: Sequence[Choice], phrases: Phrases, style: Style, task: Task) -> Prompt:
    """To choose among sentences."""
    listed = [{"id": choice.id, "fact": choice.fact.id, "text": choice.example(phrases)} for choice in offered]
    schema = _list_of({"type": "string", "enum": [choice.id for choice in offered]})
    system = _RESTRICTED.format(task=_TASKS[task], most=_most(style))
    return Prompt(system, msgspec.json.encode(listed).decode(), schema)


def free(facts: Sequence[Fact], phrases: Phrases, grammar: Grammar, style: Style, task: Task) -> Prompt:
    """To write sentences."""
    listed = [
        {"id": fact.id, "kind": fact.kind, "count": fact.count, "example": _example(fact, phrases)} for fact in facts
    ]
    sentence = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "cites": {"type": "array", "items": {"type": "string"}}},
        "required": ["text", "cites"],
        "additionalProperties": False,
    }
    system = _FREE.format(
        task=_TASKS[task], language=phrases.locale, words=", ".join(grammar.words_for(facts)), most=_most(style)
    )
    return Prompt(system, msgspec.json.encode(listed).decode(), _list_of(sentence))


def _example(fact: Fact, phrases: Phrases) -> str:
    """A sentence without a number, of which there is no placeholder."""
    return phrases.sentences(fact.kind, fact.action)[0].fill({"value": placeholder(fact)})


def version_of(mode: str, model: str, phrases: Phrases, quiet: Sequence[str] = ()) -> str:
    """A name of all that a text follows from beside a bundle: prompts, model, strings, currency, what is not told."""
    parts = [VERSION, mode, model, phrases.strings, phrases.numbers.currency, quiet]
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


def _most(style: Style) -> str:
    return "exactly one sentence" if MOST[style] == 1 else f"up to {MOST[style]} sentences"


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"sentences": {"type": "array", "items": items}},
        "required": ["sentences"],
        "additionalProperties": False,
    }
