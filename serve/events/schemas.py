"""What is sent about events."""

from __future__ import annotations

import time
from typing import Annotated, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from recsys.core.events import MAX_TYPE_CHARS, RATING, SECONDS_PER_DAY
from recsys.core.values.amounts import AMOUNTS, ANY_RATING
from recsys.core.values.event_types import normal_event_type
from recsys.histories.event_types import OF_EVERY_SERVER
from serve.http.schemas import MAX_EVENTS, Id, Moment, Query

CLOCK_SKEW_S = SECONDS_PER_DAY
Amount = Annotated[float, Field(ge=AMOUNTS[0], le=AMOUNTS[1], allow_inf_nan=False)]


class EventBody(Query):
    """Something that a user did to an item."""

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
            "its data.undo_events, which take back an earlier event. Capitals and blanks around it do not matter.",
            examples=["purchase"],
            json_schema_extra={"enum": list(OF_EVERY_SERVER)},
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

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if normal_event_type(self.event_type) == RATING and self.rating is None:
            raise ValueError("an event of type rating needs a rating")
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
