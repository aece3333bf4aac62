"""What came of an experiment, as far as lists and events are logged."""

from __future__ import annotations

import time
from typing import NamedTuple

from recsys.core.events import SECONDS_PER_DAY
from recsys.experiments.verdict import verdict
from recsys.outcomes import Observed, unit_days
from recsys.store import Store, StoredText
from serve.errors import UnknownExperimentError
from serve.experiments.answers import ObservedUsers, ResultsResponse
from serve.experiments.service import found, row_of
from serve.parts import Parts
from serve.store.link import StoreLink
from serve.times import exact_time_text
from serve.variants.running import KeptExperiment
from serve.waiting_line import Pace

CHANGES_AT_ONCE = 100
LATE_S = 60.0  # so long after a stop no worker makes lists of an experiment any more


class ResultsRequest(NamedTuple):
    """Which results are asked for.

    Attributes:
        key: of the experiment.
        version: of it; None: the one of now.
        as_of: lists and events of before this moment count, in seconds since 1970; None: all that are logged.
    """

    key: str
    version: int | None = None
    as_of: float | None = None


def results(parts: Parts, link: StoreLink, request: ResultsRequest) -> ResultsResponse:
    """The verdict of a version of an experiment, and what it rests on.

    Raises:
        UnknownExperimentError: there is none of that key, or no such version of it was started.
        StoreUnavailable: the store does not answer.
    """
    kept, started, now = found(parts, request.key), time.perf_counter(), time.time()
    if request.version not in (None, kept.experiment and kept.experiment.version):
        kept = _earlier(link.queries, request.key, request.version)
    one, observed, judged = kept.experiment, None, None
    window_s = parts.settings.attribution_days * SECONDS_PER_DAY
    until = request.as_of
    if until is None:
        over = one.stopped_at if one is not None and one.stopped_at is not None else now
        until = min(now, over + LATE_S + window_s)  # nothing that came later is of it
    if one is not None and one.started_at is not None:
        with link.apart() as store:
            observed = unit_days(store, one, until, window_s=window_s, between=Pace())
        judged = verdict(one, observed.days, observed.before, kept_since=observed.removed_until)
    return ResultsResponse(
        experiment=row_of(kept),
        as_of=exact_time_text(until),
        computed_at=exact_time_text(now),
        seconds=round(time.perf_counter() - started, 3),
        observed=None if observed is None else _told(observed),
        verdict=judged,
    )


def _earlier(store: Store, key: str, version: int | None) -> KeptExperiment:
    """An earlier version of an experiment, as it was last, from the trail of its changes."""
    cursor: str | None = None
    while True:
        page = store.experiments.changes(key, cursor, CHANGES_AT_ONCE)
        for change in page.rows:
            stored = StoredText(key, change.after or "", change.version, change.timestamp, change.who)
            kept = KeptExperiment.of(stored)
            one = kept.experiment
            if one is not None and one.version == version and one.started_at is not None:
                return kept
        cursor = page.next_cursor
        if cursor is None:
            raise UnknownExperimentError(f"no version {version} of the experiment {key!r} was started")


def _told(observed: Observed) -> ObservedUsers:
    return ObservedUsers(
        lists=observed.lists,
        crossovers=observed.crossovers,
        left_out=observed.left_out,
        reaches_back=observed.reaches_back,
    )
