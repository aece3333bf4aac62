"""The way of a question for outcomes: counted on a thread of its own, one at a time, while lists go on."""

from __future__ import annotations

import time
from typing import Final

from serve.outcomes.answers import OutcomesResponse
from serve.outcomes.service import OutcomesRequest, outcomes
from serve.parts import Parts
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
        self._kept: dict[OutcomesRequest, tuple[float, OutcomesResponse]] = {}

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
        now = time.monotonic()
        self._kept = {asked: kept for asked, kept in self._kept.items() if now - kept[0] < KEPT_S}
        if request in self._kept:
            return self._kept[request][1]
        answer = outcomes(self._parts.settings, link, request)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[request] = (time.monotonic(), answer)
        return answer

    def close(self) -> None:
        """Finish what is counted at the moment and end the thread; nobody waits any more for what is queued."""
        self._line.close()
