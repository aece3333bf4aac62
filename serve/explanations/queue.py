"""The way of an explanation: computed on a thread of its own, told by rules or a language model, then answered."""

from __future__ import annotations

import asyncio
from typing import get_args

from recsys.explain.evidence import Stage
from recsys.explain.explainer import Depth
from recsys.explain.text.rule_text import why_not_text
from serve.bundles.loaded import LoadedBundle
from serve.explanations.answers import BlurbResponse, ExplanationResponse
from serve.explanations.assembly import Explained, assembled, tell
from serve.explanations.blurbs import Blurbs
from serve.explanations.options import ExplanationRequest
from serve.explanations.service import ExplanationService, item_row
from serve.explanations.texts import ExplanationText, Texts
from serve.parts import Parts
from serve.waiting_line import WaitingLine


class ExplanationQueue:
    """Takes requests from the event loop; recommendations go on meanwhile.

    Each depth has a thread: a cheap explanation does not wait for full ones, which run the recommender many times.

    Attributes:
        texts: writes what is answered.
    """

    def __init__(self, parts: Parts) -> None:
        """Compose the parts; nothing runs before the first request.

        Raises:
            ConfigError: the settings of the language model do not fit.
        """
        self.texts = Texts(parts.settings, parts.metrics, parts.budget)
        self._languages = parts.languages
        self._service = ExplanationService(parts)
        self._blurbs = Blurbs(self.texts, parts.link)
        self._metrics, most = parts.metrics, parts.settings.max_explanations
        self._lines: dict[Depth, WaitingLine] = {
            depth: WaitingLine(f"explaining-{depth}", most) for depth in get_args(Depth)
        }

    async def submit(self, request: ExplanationRequest) -> ExplanationResponse:
        """The explanation of an item.

        Raises:
            OverloadedError: too many of this depth wait already.
            NotReadyError: no bundle is loaded.
            UnknownModelError: the bundle has no such model.
            UnknownItemError: the catalogue holds no such item.
            UnfitRequestError: the item to compare with was not ranked, or there is no such language.
        """
        explained, answer = await self._computed(request)
        text = await self._text(explained)
        self._metrics.told(text.text_source)
        return tell(answer, text)

    async def _computed(self, request: ExplanationRequest) -> tuple[Explained, ExplanationResponse]:
        """What is known of the item, and the answer before it has a text."""

        def compute() -> tuple[Explained, ExplanationResponse]:
            explained = self._service.explained(request)
            return explained, assembled(explained)

        return await self._lines[request.depth].run(compute)

    async def _text(self, explained: Explained) -> ExplanationText:
        """The explanation in words. Why an item is not in the list is told by rules alone."""
        evidence, style = explained.evidence, explained.request.style
        if evidence.standing.stage in (Stage.LISTED, Stage.FILLED):
            return await self.texts.explain(explained.facts, style, explained.phrases)
        told = why_not_text(evidence.standing, evidence.k, explained.facts, explained.phrases, style)
        return ExplanationText(told.text, cites=told.cited)

    async def blurb(self, loaded: LoadedBundle, item_id: str, language: str | None) -> BlurbResponse:
        """An item in a few words.

        Raises:
            UnknownItemError: the catalogue holds no such item.
            UnfitRequestError: there is no such language.
        """
        phrases = self._languages.of(language)
        row = await asyncio.to_thread(item_row, loaded, item_id)
        blurb = await self._blurbs.blurb(loaded, row, phrases)
        self._metrics.told(blurb.text_source)
        card = loaded.cards([row])[row]
        return BlurbResponse(
            item_id=card.item_id,
            title=card.title,
            text=blurb.text,
            text_source=blurb.text_source,
            cached=blurb.cached,
            language=str(phrases.locale),
            bundle=loaded.info,
        )

    def close(self) -> None:
        """Finish what is computed at the moment and end the threads; nobody waits any more for what is queued."""
        for line in self._lines.values():
            line.close()
