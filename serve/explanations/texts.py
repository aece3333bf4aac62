"""Texts of explanations: by the rules, or by a language model where settings name one and the guard lets it pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.explain.fact import Fact
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import Style, Text, placed, reasons, rule_text, sentence
from serve.buckets import Buckets
from serve.explanations.language_model.writer import LanguageModel, Written
from serve.metrics import Metrics
from serve.settings import Settings

TextSource = Literal["rule", "llm"]
GuardState = Literal["not_asked", "passed", "refused", "no_answer"]

MOST_OF_BLURB = 4  # facts


@dataclass(frozen=True)
class GuardReport:
    """What became of the language model's answers.

    Attributes:
        state: not_asked: no model was asked; passed: the text is the model's; refused: the guard refused the last
            answer; no_answer: none came in time, or none was to be had.
        reasons: why, each once: names of `recsys.explain.text.guard.Refusal`, or of what failed.
    """

    state: GuardState = "not_asked"
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExplanationText:
    """A text, and where it is from.

    Attributes:
        text: with all values put in; of a blurb empty where no fact may be told.
        text_source: rule or llm.
        cites: ids of the facts that it rests on, in the order of the text.
        guard: what became of the language model's answers.
    """

    text: str
    text_source: TextSource = "rule"
    cites: tuple[str, ...] = ()
    guard: GuardReport = GuardReport()


class Texts:
    """Writes texts of facts."""

    def __init__(self, settings: Settings, metrics: Metrics, budget: Buckets | None = None) -> None:
        """Get ready; nothing is connected before the first text. `budget`: see `LanguageModel`.

        Raises:
            ConfigError: the settings of the language model do not fit together.
        """
        self._model = LanguageModel.of(settings, metrics, budget)

    async def explain(self, facts: Sequence[Fact], style: Style, phrases: Phrases) -> ExplanationText:
        """Why an item is in a list; never raises, and never takes longer than the deadline of the settings.

        Of an item that the shop put forward the rules tell, so that no text leaves that out.

        Args:
            facts: strongest first; sensitive ones are neither told nor shown to a language model.
            style: one sentence, or a few.
            phrases: of the language.
        """
        by_rules, told = rule_text(facts, phrases, style), reasons(facts)
        if self._model is None or not told or placed(facts) is not None:
            return _by_rules(by_rules)
        return _best(await self._model.write(told, phrases, style), by_rules)

    async def describe(self, facts: Sequence[Fact], phrases: Phrases) -> ExplanationText:
        """An item in a few words, of what is true of it whoever asks; otherwise as `explain`."""
        told = [fact for fact in facts if fact.polarity == "for" and not fact.sensitive][:MOST_OF_BLURB]
        by_rules = Text(" ".join(sentence(fact, phrases) for fact in told), tuple(fact.id for fact in told))
        if self._model is None or not told:
            return _by_rules(by_rules)
        return _best(await self._model.write(told, phrases, "paragraph", "blurb"), by_rules)

    def version(self, phrases: Phrases, quiet: Sequence[str]) -> str | None:
        """Name of all that a language model's text follows from beside a bundle; None: there is no such model.

        Args:
            phrases: of the language.
            quiet: names of categories that no text tells.
        """
        return None if self._model is None else self._model.version(phrases, quiet)

    async def close(self) -> None:
        """Close connections to the language model."""
        if self._model is not None:
            await self._model.close()


def _by_rules(text: Text, guard: GuardReport | None = None) -> ExplanationText:
    return ExplanationText(text.text, "rule", text.cited, guard or GuardReport())


def _best(written: Written, by_rules: Text) -> ExplanationText:
    """What the language model wrote; the rules' text where it wrote none."""
    if written.text is not None:
        return ExplanationText(written.text, "llm", written.cites, GuardReport("passed"))
    if written.refused:
        return _by_rules(by_rules, GuardReport("refused", tuple(map(str, written.refused))))
    return _by_rules(by_rules, GuardReport("no_answer", () if written.failure is None else (str(written.failure),)))
