"""What came of the lists that were served, as the store has it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from recsys.core.events import SECONDS_PER_DAY
from recsys.outcomes import Dimension, OutcomeRow, Outcomes, tell_outcomes
from recsys.outcomes.intervals import Rate
from serve.errors import TooSlowError, UnfitRequestError
from serve.outcomes.answers import (
    OutcomeCounts,
    OutcomeRate,
    OutcomesResponse,
    OutcomeTable,
    OutcomeWindow,
    UnattributedEvents,
)
from serve.settings import Settings
from serve.store.link import StoreLink
from serve.times import exact_time_text
from serve.waiting_line import Pace

DEFAULT_DAYS: Final = 7
MOST_DAYS: Final = 100


@dataclass(frozen=True, slots=True)
class OutcomesRequest:
    """Of which lists outcomes are told, and by what; see `OutcomesQuery`."""

    since: float | None
    until: float | None
    by: tuple[Dimension, ...]
    experiment: str | None


class _LimitedPace(Pace):
    """One that ends what takes too long."""

    def __init__(self, limit_s: float) -> None:
        super().__init__()
        self._limit_s, self._ends = limit_s, time.monotonic() + limit_s

    def __call__(self) -> None:
        if time.monotonic() > self._ends:
            raise TooSlowError(
                f"outcomes of this time took more than {self._limit_s:g} s: ask for a shorter one, or take the command "
                "recsys outcomes, which has all the time it needs"
            )
        super().__call__()


def outcomes(settings: Settings, link: StoreLink, request: OutcomesRequest) -> OutcomesResponse:
    """What came of the lists that are asked for.

    Raises:
        UnfitRequestError: there is no such time, or it is too long.
        StoreUnavailable: the store does not answer.
        TooSlowError: it would take longer than the settings allow.
    """
    now = time.time()
    since, until = _window(request, now)
    with link.apart() as store:
        told = tell_outcomes(
            store,
            since,
            until,
            request.by,
            now=now,
            experiment=request.experiment,
            window_s=settings.attribution_days * SECONDS_PER_DAY,
            between=_LimitedPace(settings.outcomes_timeout_s),
        )
    return _answer(told)


def _window(request: OutcomesRequest, now: float) -> tuple[float, float]:
    until = now if request.until is None else request.until
    since = max(0.0, until - DEFAULT_DAYS * SECONDS_PER_DAY) if request.since is None else request.since
    if since >= until:
        raise UnfitRequestError("since: expected a time before until, which is now where it is left out")
    if until - since > MOST_DAYS * SECONDS_PER_DAY:
        raise UnfitRequestError(
            f"since: expected at most {MOST_DAYS} days before until, got {(until - since) / SECONDS_PER_DAY:.1f}: ask "
            "for the parts of a longer time, or take the command recsys outcomes"
        )
    return since, until


def _answer(told: Outcomes) -> OutcomesResponse:
    removed = told.removed_until
    return OutcomesResponse(
        window=OutcomeWindow(exact_time_text(told.since), exact_time_text(told.until)),
        as_of=exact_time_text(told.as_of),
        attribution_days=told.window_s / SECONDS_PER_DAY,
        settled=told.settled,
        complete=told.complete,
        kept_since=None if removed is None else exact_time_text(removed),
        experiment=told.experiment,
        total=_counts(told.total),
        tables=[OutcomeTable(by, [_counts(row) for row in rows]) for by, rows in told.tables.items()],
        unnamed_lists=told.unnamed_lists,
        unattributed=[UnattributedEvents(each.cause, each.event_type, each.events) for each in told.unattributed],
    )


def _counts(row: OutcomeRow) -> OutcomeCounts:
    return OutcomeCounts(
        value=row.value,
        lists=row.lists,
        served=row.served,
        impressions=row.impressions,
        clicks=row.clicks,
        clicks_unseen=row.clicks_unseen,
        carts=row.carts,
        purchases=row.purchases,
        refunds=row.refunds,
        revenue=round(row.revenue, 6),
        without_price=row.without_price,
        explanation_opens=row.explanation_opens,
        feedback=dict(row.feedback),
        ctr=_rate(row.ctr),
        ctr_served=_rate(row.ctr_served),
        add_to_cart_rate=_rate(row.add_to_cart_rate),
        add_to_cart_rate_served=_rate(row.add_to_cart_rate_served),
        conversion_rate=_rate(row.conversion_rate),
        conversion_rate_served=_rate(row.conversion_rate_served),
    )


def _rate(rate: Rate | None) -> OutcomeRate | None:
    return None if rate is None else OutcomeRate(rate.value, rate.low, rate.high)
