"""The way to results: one after the other, on a thread of their own, and each kept for a while."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from serve.experiments.answers import ResultsResponse
from serve.experiments.results import ResultsRequest, results
from serve.experiments.service import found
from serve.parts import Parts
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


@dataclass(frozen=True)
class _Kept:
    """Results, and until when they are answered again, by `time.monotonic`."""

    results: ResultsResponse
    until: float


class ResultsQueue:
    """Takes requests from the event loop. All lists and events of an experiment are read for its results."""

    def __init__(self, parts: Parts) -> None:
        """Compose the parts; nothing runs before the first request."""
        self._parts, self._line = parts, WaitingLine("results", MOST_WAITING)
        self._kept: Mapping[_Asked, _Kept] = {}  # replaced as a whole

    async def submit(self, link: StoreLink, request: ResultsRequest) -> ResultsResponse:
        """The results of an experiment.

        Raises:
            UnknownExperimentError: there is none of that key, or no such version of it was started.
            OverloadedError: too many wait already.
            StoreUnavailable: the store is down.
        """
        asked = _Asked(request, found(self._parts, request.key).stored.version)
        kept = self._fresh(asked)
        return await self._line.run(self._results, link, asked) if kept is None else kept

    def close(self) -> None:
        """Finish what is computed at the moment and end the thread; nobody waits any more for what is queued."""
        self._line.close()

    def _fresh(self, asked: _Asked) -> ResultsResponse | None:
        kept = self._kept.get(asked)
        return None if kept is None or time.monotonic() > kept.until else kept.results

    def _results(self, link: StoreLink, asked: _Asked) -> ResultsResponse:
        kept = self._fresh(asked)  # of who waited with the same question
        if kept is not None:
            return kept
        made = results(self._parts, link, asked.request)
        now = time.monotonic()
        others = [(other, one) for other, one in self._kept.items() if one.until > now and other != asked]
        coming = _Kept(made, now + max(KEPT_S, SHARE * made.seconds))
        self._kept = dict([*others[1 - MOST_KEPT :], (asked, coming)])
        return made
