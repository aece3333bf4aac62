"""Events: what users did."""

from __future__ import annotations

import time
import uuid
from typing import Annotated

from fastapi import APIRouter, Body, Response

from recsys.store import Event
from serve.errors import NotReadyError
from serve.events.answers import EventsResponse
from serve.events.schemas import EventBody, EventsBody
from serve.http.documentation import answers
from serve.http.routing import LinkOf, NoParameters, PartsOf, json_response
from serve.parts import Parts

router = APIRouter(tags=["events"])


@router.post("/events", summary="Tell what users did", dependencies=[NoParameters], **answers(EventsResponse, 400))
def append(body: Annotated[EventsBody, Body()], link: LinkOf, parts: PartsOf) -> Response:
    """One event, or a list of them: all or none.

    They are on disk when this answers, and count for the next recommendation, whichever worker makes it.
    """
    now = time.time()
    events = [_event(event, now) for event in (body if isinstance(body, list) else [body])]
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


def _event(body: EventBody, now: float) -> Event:
    return Event(
        event_id=body.event_id or uuid.uuid4().hex,
        user_id=body.user_id,
        item_id=body.item_id,
        event_type=body.event_type,
        timestamp=now if body.timestamp is None else body.timestamp,
        rating=body.rating,
        price=body.price,
        quantity=body.quantity,
    )
