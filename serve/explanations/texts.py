"""Texts of explanations: by the rules, or by a language model where settings name one and the guard lets it pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.explain.fact import Fact
from serve.metrics import Metrics
from serve.settings import Settings

Style = Literal["sentence", "paragraph"]
TextSource = Literal["rule", "llm"]
GuardState = Literal["not_asked", "passed", "refused", "no_answer"]


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
        text: with all values put in; empty where no fact may be told.
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

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Get ready; nothing is connected before the first text."""
        self._settings, self._metrics = settings, metrics

    async def explain(self, facts: Sequence[Fact], style: Style = "sentence", locale: str = "en") -> ExplanationText:
        """A text of the facts; never raises, and never takes longer than the deadline of the settings.

        Args:
            facts: strongest first; sensitive ones are neither told nor shown to a language model.
            style: one sentence, or a few.
            locale: of text and numbers, like en or de_CH.
        """
        del style, locale
        told = [fact for fact in facts if not fact.sensitive and fact.polarity == "for"]
        text = "; ".join(f"{fact.kind}: {fact.value}" for fact in told)
        return ExplanationText(text, cites=tuple(fact.id for fact in told))

    async def close(self) -> None:
        """Close connections to the language model."""
