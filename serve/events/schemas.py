"""What is sent about events."""

from __future__ import annotations

import time
from typing import Annotated, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from recsys.core.events import (
    EXPLANATION_FEEDBACK,
    LIST_EVENT_TYPES,
    MAX_POSITION,
    MAX_TYPE_CHARS,
    RATING,
    SECONDS_PER_DAY,
    Feedback,
)
from recsys.core.values.amounts import AMOUNTS, ANY_RATING
from recsys.core.values.event_types import normal_event_type
from recsys.core.values.whole_numbers import AS_WHOLE
from recsys.histories.event_types import OF_EVERY_SERVER
from serve.http.schemas import MAX_EVENTS, Id, Moment, Query

CLOCK_SKEW_S = SECONDS_PER_DAY
Amount = Annotated[float, Field(ge=AMOUNTS[0], le=AMOUNTS[1], allow_inf_nan=False)]


class EventBody(Query):
    """Something that a user did to an item, or that is told of an item in a list."""

    model_config = ConfigDict(strict=True)

    event_id: Annotated[
        Id | None,
        Field(
            description="Names the event for good: sent again, it changes nothing. Left out, the server makes one, and "
            "sending again counts twice.",
            examples=["9b2d7a1e"],
        ),
    ] = None
    user_id: Annotated[Id, Field(examples=["A1YJEY40YUW4SE"])]
    item_id: Annotated[Id, Field(description="The catalogue may not hold it yet.", examples=["B0009RF9DW"])]
    event_type: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_TYPE_CHARS,
            description="Beside those of the list, types that the bundle was trained with: its data.event_weights, and "
            "its data.undo_events, which take back an earlier event. impression, explanation_open and "
            "explanation_feedback tell what became of a list: they enter no history and no training. Capitals and "
            "blanks around it do not matter.",
            examples=["purchase"],
            json_schema_extra={"enum": [*OF_EVERY_SERVER, *LIST_EVENT_TYPES]},
        ),
    ]
    timestamp: Annotated[
        Moment | None,
        Field(
            description="A time with its offset, or seconds since 1970; at most a day ahead. Left out: now.",
            examples=["2024-05-01T12:00:00Z"],
        ),
    ] = None
    rating: Annotated[
        Annotated[float, Field(ge=ANY_RATING[0], le=ANY_RATING[1], allow_inf_nan=False)] | None,
        Field(description="On the dataset's scale; needed for event_type rating.", examples=[5.0]),
    ] = None
    price: Annotated[Amount | None, Field(description="Of one piece.", examples=[12.95])] = None
    quantity: Annotated[Amount | None, Field(description="Pieces.", examples=[1])] = None
    recommendation_id: Annotated[
        Id | None,
        Field(
            description="Of the answer with the list that led to it. Left out, it is counted as of no list.",
            examples=["3f2a9c0e5b7d41688a1c0d9e2f4b6a73"],
        ),
    ] = None
    position: Annotated[
        Annotated[int, Field(ge=1, le=MAX_POSITION), AS_WHOLE] | None,
        Field(description="Of the item in that list, from 1: its rank.", examples=[3]),
    ] = None
    value: Annotated[
        Feedback | None, Field(description="What an explanation_feedback says, and no other event.", examples=[None])
    ] = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        kind = normal_event_type(self.event_type)
        if kind == RATING and self.rating is None:
            raise ValueError("an event of type rating needs a rating")
        if (kind == EXPLANATION_FEEDBACK) != (self.value is not None):
            raise ValueError(
                f"an event of type {EXPLANATION_FEEDBACK} needs a value"
                if self.value is None
                else f"an event of type {kind[:60]!r} has no value, one of type {EXPLANATION_FEEDBACK} alone has"
            )
        if kind in LIST_EVENT_TYPES and (self.rating, self.price, self.quantity) != (None, None, None):
            raise ValueError(f"an event of type {kind} has no rating, price or quantity")
        if self.timestamp is not None and self.timestamp > time.time() + CLOCK_SKEW_S:
            raise ValueError("timestamp must not lie more than a day ahead")
        return self


def _kind(body: object) -> str:
    return "batch" if isinstance(body, list) else "event"


EventsBody = Annotated[
    Annotated[EventBody, Tag("event")]
    | Annotated[list[EventBody], Field(min_length=1, max_length=MAX_EVENTS), Tag("batch")],
    Discriminator(_kind),
]
