"""Events: what users did."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Body, Response

from recsys.core.values.event_types import check_event_type
from recsys.store import Event
from serve.bundles.event_types import OF_EVERY_SERVER
from serve.errors import NotReadyError
from serve.events.answers import EventsResponse
from serve.events.schemas import EventBody, EventsBody
from serve.http.documentation import answers
from serve.http.problems import ProblemError
from serve.http.routing import LinkOf, NoParameters, PartsOf, json_response
from serve.parts import Parts

router = APIRouter(tags=["events"])


@router.post("/events", summary="Tell what users did", dependencies=[NoParameters], **answers(EventsResponse, 400))
def append(body: Annotated[EventsBody, Body()], link: LinkOf, parts: PartsOf) -> Response:
    """One event, or a list of them: all or none.

    They are on disk when this answers, and count for the next recommendation, whichever worker makes it.
    """
    now = time.time()
    types = _types(parts)
    if isinstance(body, list):
        events = [_event(event, now, types, f"batch.{position}") for position, event in enumerate(body)]
    else:
        events = [_event(body, now, types, "event")]
    appended = link.append(events)
    for event in events:
        parts.metrics.appended(event.event_type, now - event.timestamp)
    parts.metrics.duplicated(appended.duplicates)
    return json_response(
        EventsResponse(
            accepted=appended.accepted,
            duplicates=appended.duplicates,
            unknown_items=_unknown_items(parts, events),
            event_ids=[event.event_id for event in events],
        )
    )


def _unknown_items(parts: Parts, events: list[Event]) -> int | None:
    try:
        catalogue = parts.bundles.loaded.bundle.catalogue
    except NotReadyError:  # events need no bundle
        return None
    in_catalogue = {item_id: catalogue.item_row(item_id) is not None for item_id in {event.item_id for event in events}}
    return sum(not in_catalogue[event.item_id] for event in events)


def _types(parts: Parts) -> Collection[str]:
    try:
        return parts.bundles.loaded.event_types.accepted
    except NotReadyError:  # events need no bundle
        return OF_EVERY_SERVER


def _event(body: EventBody, now: float, types: Collection[str], place: str) -> Event:
    """The event as it is kept.

    Raises:
        ProblemError: of a type that nobody knows.
    """
    try:
        event_type = check_event_type(body.event_type, types)
    except ValueError as error:
        raise ProblemError(422, f"{place}.event_type: {error}") from None
    return Event(
        event_id=body.event_id or uuid.uuid4().hex,
        user_id=body.user_id,
        item_id=body.item_id,
        event_type=event_type,
        timestamp=now if body.timestamp is None else body.timestamp,
        rating=body.rating,
        price=body.price,
        quantity=body.quantity,
    )
