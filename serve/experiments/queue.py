"""The way to results: one after the other, on a thread of their own, and each kept for a while."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from recsys.experiments.verdict import verdict
from recsys.outcomes import unit_days
from serve.experiments.answers import ObservedUsers, ResultsResponse
from serve.experiments.service import found, row_of
from serve.parts import Parts
from serve.store.link import StoreLink
from serve.times import exact_time_text
from serve.waiting_line import WaitingLine

MOST_WAITING: Final = 8
KEPT_S: Final = 10.0
SHARE: Final = 20  # results are kept at least so many times as long as it takes to compute them
MOST_KEPT: Final = 200


class _Of(NamedTuple):
    """What results are of: an experiment as of its latest change, as of a moment or of now."""

    key: str
    change: int
    as_of: float | None


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
        self._kept: Mapping[_Of, _Kept] = {}

    async def submit(self, link: StoreLink, key: str, as_of: float | None) -> ResultsResponse:
        """The results of an experiment, as of a moment, in seconds since 1970; None: as of now.

        Raises:
            UnknownExperimentError: there is none of that key.
            OverloadedError: too many wait already.
            StoreUnavailable: the store is down.
        """
        of = _Of(key, found(self._parts, key).stored.version, as_of)
        kept = self._fresh(of)
        return await self._line.run(self._results, link, of) if kept is None else kept

    def close(self) -> None:
        """Finish what is computed at the moment and end the thread; nobody waits any more for what is queued."""
        self._line.close()

    def _fresh(self, of: _Of) -> ResultsResponse | None:
        kept = self._kept.get(of)
        return None if kept is None or time.monotonic() > kept.until else kept.results

    def _results(self, link: StoreLink, of: _Of) -> ResultsResponse:
        kept = self._fresh(of)  # whoever waited with the same question
        if kept is not None:
            return kept
        results = _computed(self._parts, link, of.key, of.as_of)
        now = time.monotonic()
        others = [(other, one) for other, one in self._kept.items() if one.until > now and other != of]
        until = now + max(KEPT_S, SHARE * results.seconds)
        self._kept = dict([*others[1 - MOST_KEPT :], (of, _Kept(results, until))])
        return results


def _computed(parts: Parts, link: StoreLink, key: str, as_of: float | None) -> ResultsResponse:
    kept, started, now = found(parts, key), time.perf_counter(), time.time()
    until, experiment = now if as_of is None else as_of, kept.experiment
    observed, judged = None, None
    if experiment is not None and experiment.started_at is not None:
        observed = unit_days(link.queries, experiment, until)
        judged = verdict(experiment, observed.days, observed.before, kept_since=observed.removed_until)
    return ResultsResponse(
        experiment=row_of(kept),
        as_of=exact_time_text(until),
        computed_at=exact_time_text(now),
        seconds=round(time.perf_counter() - started, 3),
        observed=None
        if observed is None
        else ObservedUsers(
            lists=observed.lists,
            crossovers=observed.crossovers,
            left_out=observed.left_out,
            reaches_back=observed.reaches_back,
        ),
        verdict=judged,
    )
