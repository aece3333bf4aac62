"""Events: what users did."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Collection
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Body, Response
from msgspec import UNSET

from recsys.core.events import LIST_EVENT_TYPES
from recsys.core.values.event_types import check_event_type
from recsys.histories.event_types import OF_EVERY_SERVER
from recsys.store import Event, ListEvent
from serve.errors import NotReadyError
from serve.events.answers import EventsResponse
from serve.events.schemas import EventBody, EventsBody
from serve.http.bodies import JsonRoute
from serve.http.documentation import answers
from serve.http.problems import ProblemError
from serve.http.routing import LinkOf, NoParameters, PartsOf, json_response
from serve.parts import Parts

router = APIRouter(tags=["events"], route_class=JsonRoute)


@router.post("/events", summary="Tell what users did", dependencies=[NoParameters], **answers(EventsResponse, 400))
def append(body: Annotated[EventsBody, Body()], link: LinkOf, parts: PartsOf) -> Response:
    """One event, or a list of them: all or none.

    They are on disk when this answers, and count for the next recommendation, whichever worker makes it. Impressions
    and what else is told of lists change no list: they say what became of one.
    """
    now = time.time()
    rules = _rules(parts)
    if isinstance(body, list):
        told = [_event(event, now, rules, f"batch.{number}") for number, event in enumerate(body)]
    else:
        told = [_event(body, now, rules, "event")]
    events = [event for event in told if isinstance(event, Event)]
    list_events = [event for event in told if isinstance(event, ListEvent)]
    appended = link.append(events, list_events)
    for event in events:
        parts.metrics.events.appended(event.event_type, now - event.timestamp)
    for list_event in list_events:
        parts.metrics.events.told_of_list(list_event.event_type)
    parts.metrics.events.duplicated(appended.duplicates)
    return json_response(
        EventsResponse(
            accepted=appended.accepted,
            duplicates=appended.duplicates,
            forgotten=appended.forgotten or UNSET,
            unknown_items=_unknown_items(parts, [event.item_id for event in told]),
            event_ids=[event.event_id for event in told],
        )
    )


def _unknown_items(parts: Parts, item_ids: list[str]) -> int | None:
    try:
        catalogue = parts.bundles.loaded.bundle.catalogue
    except NotReadyError:  # events need no bundle
        return None
    in_catalogue = {item_id: catalogue.item_row(item_id) is not None for item_id in set(item_ids)}
    return sum(not in_catalogue[item_id] for item_id in item_ids)


class Rules(NamedTuple):
    """What the bundle that is served says of events: the types that mean something, the least and greatest rating."""

    types: Collection[str] = (*OF_EVERY_SERVER, *LIST_EVENT_TYPES)
    least: float = -math.inf
    greatest: float = math.inf


def _rules(parts: Parts) -> Rules:
    try:
        loaded = parts.bundles.loaded
    except NotReadyError:  # events need no bundle
        return Rules()
    types = (*loaded.event_types.accepted, *LIST_EVENT_TYPES)
    return Rules(types, *loaded.bundle.rating_range) if loaded.bundle.has_ratings else Rules(types)


def _event(body: EventBody, now: float, rules: Rules, place: str) -> Event | ListEvent:
    """The event as it is kept.

    Raises:
        ProblemError: of a type that nobody knows, or with a rating that is none of the dataset's scale.
    """
    try:
        event_type = check_event_type(body.event_type, rules.types)
    except ValueError as error:
        raise ProblemError(422, f"{place}.event_type: {error}") from None
    if body.rating is not None and not rules.least <= body.rating <= rules.greatest:
        scale = f"a rating from {rules.least:g} to {rules.greatest:g}, the scale of the dataset"
        raise ProblemError(422, f"{place}.rating: expected {scale}, got {body.rating:g}")
    event_id = body.event_id or uuid.uuid4().hex
    whose = event_id, body.user_id, body.item_id, event_type, now if body.timestamp is None else body.timestamp
    of_list = body.recommendation_id, body.position
    if event_type in LIST_EVENT_TYPES:
        return ListEvent(*whose, *of_list, body.value)
    return Event(*whose, body.rating, body.price, body.quantity, *of_list)
