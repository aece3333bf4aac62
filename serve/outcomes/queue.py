"""The way of a question for outcomes: counted on a thread of its own, one at a time, while lists go on."""

from __future__ import annotations

from typing import Final

from serve.outcomes.answers import OutcomesResponse
from serve.outcomes.service import OutcomesRequest, outcomes
from serve.parts import Parts
from serve.recent_answers import RecentAnswers
from serve.store.link import StoreLink
from serve.waiting_line import WaitingLine

MOST_WAITING: Final = 4
KEPT_S: Final = 15.0
MOST_KEPT: Final = 16


class OutcomesQueue:
    """Takes requests from the event loop, and gives an answer again for a few seconds; `as_of` says of when it is."""

    def __init__(self, parts: Parts) -> None:
        """Compose the parts; nothing runs before the first request."""
        self._parts, self._line = parts, WaitingLine("outcomes", MOST_WAITING)
        self._recent: RecentAnswers[OutcomesRequest, OutcomesResponse] = RecentAnswers(MOST_KEPT)

    async def submit(self, request: OutcomesRequest, link: StoreLink) -> OutcomesResponse:
        """What came of the lists that are asked for.

        Raises:
            OverloadedError: too many wait already.
            StoreUnavailable: the store does not answer.
            TooSlowError: it would take too long.
            UnfitRequestError: there is no such time, or it is too long.
        """
        return await self._line.run(self._answer, request, link)

    def _answer(self, request: OutcomesRequest, link: StoreLink) -> OutcomesResponse:
        """Runs on the line's thread alone, so that who waited for an equal question gets its answer."""
        recent = self._recent.of(request)
        if recent is not None:
            return recent
        answer = outcomes(self._parts.settings, link, request)
        self._recent.keep(request, answer, KEPT_S)
        return answer

    def close(self) -> None:
        """Finish what is counted at the moment and end the thread; nobody waits any more for what is queued."""
        self._line.close()
