"""A text by a language model: asked at most twice within the deadline, and let pass by the guard."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec
from msgspec import Struct

from recsys.explain.fact import Fact
from recsys.explain.text.guard import PLACEHOLDER, Sentence, guard
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import Style
from recsys.explain.text.vocabulary import Grammar
from serve.buckets import Buckets, per_minute
from serve.explanations.language_model import prompts
from serve.explanations.language_model.client import Client, Endpoint
from serve.explanations.language_model.failures import PASSING, UNASKED, Failure, NoAnswerError
from serve.explanations.language_model.limits import Limits
from serve.explanations.language_model.prompts import MAX_FACTS, MOST, Task
from serve.explanations.language_model.protocols import decoded
from serve.metrics import Metrics
from serve.settings import Settings

logger = logging.getLogger(__name__)

LINE_S = 60.0  # at least between two lines of the log
UNKNOWN_CHOICE = "unknown_choice"
TOO_MANY = "too_many_sentences"


@dataclass(frozen=True)
class Written:
    """What became of it.

    Attributes:
        text: None: there is none.
        cites: ids of the facts that it tells, in its order.
        refused: why the guard refused the last answer; empty where it passed, or there was none.
        failure: why there was no last answer.
    """

    text: str | None = None
    cites: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failure: Failure | None = None


class LanguageModel:
    """Writes texts. One event loop uses it."""

    def __init__(self, settings: Settings, metrics: Metrics, budget: Buckets | None = None) -> None:
        """Get ready; nothing is connected before the first text.

        Args:
            settings: of the server, with a language model.
            metrics: are told of every call.
            budget: of all workers; None: this process has one of its own.

        Raises:
            ConfigError: the settings do not fit together.
        """
        endpoint = Endpoint.of(settings)
        self.deadline_s = settings.language_model_deadline_s
        self._endpoint, self._client = endpoint, Client(endpoint, self.deadline_s)
        budget = per_minute(settings.language_model_per_minute) if budget is None else budget
        self._limits = Limits(budget, settings.language_model_at_once)
        self._mode, self._name, self._metrics = settings.language_model_mode, endpoint.model, metrics
        self._untold, self._told_at = Counter[str](), -LINE_S

    @classmethod
    def of(cls, settings: Settings, metrics: Metrics, budget: Buckets | None) -> Self | None:
        """That of the settings; None if they name none."""
        return None if settings.language_model == "none" else cls(settings, metrics, budget)

    def version(self, phrases: Phrases, quiet: Sequence[str]) -> str:
        """See `prompts.version_of`."""
        return prompts.version_of(self._mode, self._name, phrases, quiet)

    async def write(self, facts: Sequence[Fact], phrases: Phrases, style: Style, task: Task = "explanation") -> Written:
        """A text; never raises, and takes no longer than the deadline.

        Args:
            facts: that may be told, strongest first, at least one.
            phrases: of the language.
            style: one sentence, or up to three.
            task: what the text is for.
        """
        try:
            async with asyncio.timeout(self.deadline_s):
                written = await self._attempt(facts[:MAX_FACTS], phrases, style, task)
                if written.refused or written.failure in PASSING:
                    again = await self._attempt(facts[:MAX_FACTS], phrases, style, task)
                    written = written if again.failure in UNASKED else again
        except TimeoutError:
            written = self._no_answer(NoAnswerError(Failure.TIMED_OUT))
        except Exception as error:  # a fault of ours must not cost the reader an answer
            logger.debug("A text of the language model failed", exc_info=True)
            written = self._no_answer(NoAnswerError(Failure.ERROR, type(error).__name__))
        return written

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _attempt(self, facts: Sequence[Fact], phrases: Phrases, style: Style, task: Task) -> Written:
        try:
            with self._limits.call():
                started = time.perf_counter()
                written = await self._ask(facts, phrases, style, task)
                self._metrics.language_model_answered(time.perf_counter() - started)
        except NoAnswerError as error:
            return self._no_answer(error)
        self._limits.succeeded()
        for reason in written.refused:
            self._metrics.language_model_refused(reason)
        if written.refused:
            self._tell(f"refused: {', '.join(written.refused)}")
        return written

    async def _ask(self, facts: Sequence[Fact], phrases: Phrases, style: Style, task: Task) -> Written:
        if self._mode == "free" and phrases.grammar is not None:
            prompt = prompts.free(facts, phrases, phrases.grammar, style, task)
            return _written(await self._client.ask(prompt), facts, phrases, phrases.grammar, style)
        offered = prompts.choices(facts, phrases)
        answer = await self._client.ask(prompts.restricted(offered, phrases, style, task))
        return _chosen(answer, offered, phrases, style)

    def _no_answer(self, error: NoAnswerError) -> Written:
        failure = error.failure
        if failure not in (*UNASKED, Failure.BROKEN):
            self._limits.failed(error.rest_s)
        self._metrics.language_model_failed(failure)
        self._tell(failure if str(error) == failure else f"{failure} ({error})")
        return Written(failure=failure)

    def _tell(self, what: str) -> None:
        """Log, a line a minute at most, with all that has happened since the last one."""
        self._untold[self._endpoint.without_key(what)[:200]] += 1
        if time.monotonic() - self._told_at >= LINE_S:
            counts = "; ".join(f"{count} x {kind}" for kind, count in self._untold.most_common(5))
            logger.warning("The language model wrote no text, the rules did: %s", counts)
            self._untold.clear()
            self._told_at = time.monotonic()


class _Choices(Struct, forbid_unknown_fields=True):
    sentences: list[str]


class _Sentence(Struct, forbid_unknown_fields=True):
    text: str
    cites: list[str]


class _Sentences(Struct, forbid_unknown_fields=True):
    sentences: list[_Sentence]


def _chosen(answer: msgspec.Raw, offered: Sequence[prompts.Choice], phrases: Phrases, style: Style) -> Written:
    """The text of the sentences chosen."""
    ids = decoded(answer, _Choices).sentences
    known = {choice.id: choice for choice in offered}
    if not ids or any(name not in known for name in ids):
        return Written(refused=(UNKNOWN_CHOICE,))
    found = [known[name] for name in ids]
    if len(found) > MOST[style] or len({choice.fact.id for choice in found}) < len(found):
        return Written(refused=(TOO_MANY,))
    return Written(" ".join(choice.text(phrases) for choice in found), tuple(choice.fact.id for choice in found))


def _written(answer: msgspec.Raw, facts: Sequence[Fact], phrases: Phrases, grammar: Grammar, style: Style) -> Written:
    """The text of the sentences written, if the guard lets them pass."""
    given = decoded(answer, _Sentences).sentences
    if len(given) > MOST[style]:
        return Written(refused=(TOO_MANY,))
    sentences = [Sentence(sentence.text.strip(), tuple(sentence.cites)) for sentence in given]
    verdict = guard(sentences, facts, grammar)
    if not verdict.passed:
        return Written(refused=verdict.reasons)
    values = {fact.id: phrases.value(fact) for fact in facts}
    cites = [name for each in sentences for name in (*PLACEHOLDER.findall(each.text), *each.cites)]
    # What fills a placeholder is not looked through again: a title may hold one.
    text = " ".join(PLACEHOLDER.sub(lambda found: values[found[1]], _ended(each.text)) for each in sentences)
    return Written(text, tuple(dict.fromkeys(cites)))


def _ended(text: str) -> str:
    return text if text.endswith((".", "!")) else f"{text}."
