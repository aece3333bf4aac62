"""What came of lists, counted once more: from lists and dictionaries, without a database, one event after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from recsys.store import Event, ListEvent, Served

CLICKS = {"click", "view"}
REFUNDS = {"refund", "refunded", "return", "returned", "chargeback"}
REFUNDS |= {"cancel", "canceled", "cancelled", "cancellation"}
NAMES = {"impression": "impressions", "add_to_cart": "carts", "purchase": "purchases"}
NAMES |= dict.fromkeys(CLICKS, "clicks") | dict.fromkeys(REFUNDS, "refunds") | {"explanation_open": "explanation_opens"}


def counted(
    lists: Iterable[Served], events: Sequence[Event | ListEvent], since: float, until: float, window_s: float
) -> tuple[dict[tuple[str, str], dict[str, float]], Counter[tuple[str, str]]]:
    """What came of each (list, item) served in a time, and the unattributed events by cause and type.

    Args:
        lists: all of the log.
        events: all, each kind in the order of its arrival.
        since, until, window_s: as of `recsys.outcomes.tell_outcomes`.
    """
    log = {one.recommendation_id: one for one in lists}
    came: dict[tuple[str, str], dict[str, float]] = {
        (name, item): defaultdict(float)
        for name, one in log.items()
        if name is not None and since <= one.timestamp < until
        for item in one.item_ids
    }
    causes: Counter[tuple[str, str]] = Counter()
    done = set()
    for event in sorted(events, key=lambda event: event.timestamp):
        cause = cause_of(event, log, window_s)
        at = log[event.recommendation_id].timestamp if cause in (None, "not_in_list") else event.timestamp
        if not since <= at < until:
            continue
        if cause is not None:
            causes[cause, event.event_type] += 1
            continue
        name = NAMES.get(event.event_type) or getattr(event, "value", None)
        place = (event.recommendation_id, event.item_id)
        if name is None or (place, name) in done:
            continue
        done.add((place, name))
        came[place][name] += 1
        if name in ("purchases", "refunds"):
            add_amount(came[place], event, 1 if name == "purchases" else -1)
    return came, causes


def cause_of(event: Event | ListEvent, log: dict[Any, Served], window_s: float) -> str | None:
    """Why an event is the outcome of no list; None: it is one."""
    if event.recommendation_id is None:
        return "no_list_named"
    if event.recommendation_id not in log:
        return "unknown_list"
    late = event.timestamp - log[event.recommendation_id].timestamp
    if late < -1.0:
        return "before_list"
    if late > window_s:
        return "after_window"
    return None if event.item_id in log[event.recommendation_id].item_ids else "not_in_list"


def add_amount(came: dict[str, float], event: Any, sign: int) -> None:
    """Count the money of a purchase or a refund."""
    if event.price is None:
        came["without_price"] += 1
    else:
        came["revenue"] += sign * event.price * (1 if event.quantity is None else event.quantity)
