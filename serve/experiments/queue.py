"""The way to results: one after the other, on a thread of their own, and each kept for a while."""

from __future__ import annotations

from typing import Final, NamedTuple

from serve.experiments.answers import ResultsResponse
from serve.experiments.results import ResultsRequest, results
from serve.experiments.service import found
from serve.parts import Parts
from serve.recent_answers import RecentAnswers
from serve.store.link import StoreLink
from serve.waiting_line import WaitingLine

MOST_WAITING: Final = 8
KEPT_S: Final = 10.0
SHARE: Final = 20  # results are kept at least so many times as long as it takes to compute them
MOST_KEPT: Final = 200


class _Asked(NamedTuple):
    """What results are of: a request, of an experiment as of its latest change."""

    request: ResultsRequest
    change: int


class ResultsQueue:
    """Takes requests from the event loop. All lists and events of an experiment are read for its results."""

    def __init__(self, parts: Parts) -> None:
        """Compose the parts; nothing runs before the first request."""
        self._parts, self._line = parts, WaitingLine("results", MOST_WAITING)
        self._recent: RecentAnswers[_Asked, ResultsResponse] = RecentAnswers(MOST_KEPT)

    async def submit(self, link: StoreLink, request: ResultsRequest) -> ResultsResponse:
        """The results of an experiment.

        Raises:
            UnknownExperimentError: there is none of that key, or no such version of it was started.
            OverloadedError: too many wait already.
            StoreUnavailable: the store is down.
        """
        asked = _Asked(request, found(self._parts, request.key).stored.version)
        kept = self._recent.of(asked)
        return await self._line.run(self._results, link, asked) if kept is None else kept

    def close(self) -> None:
        """Finish what is computed at the moment and end the thread; nobody waits any more for what is queued."""
        self._line.close()

    def _results(self, link: StoreLink, asked: _Asked) -> ResultsResponse:
        kept = self._recent.of(asked)  # of who waited with the same question
        if kept is not None:
            return kept
        made = results(self._parts, link, asked.request)
        self._recent.keep(asked, made, max(KEPT_S, SHARE * made.seconds))
        return made
