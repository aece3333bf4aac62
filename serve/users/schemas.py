"""What can be asked about users."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from recsys.core.attributes import NAME_PATTERN
from recsys.core.events import MAX_ID_CHARS
from serve.http.schemas import MAX_K, Cursor, Id, Limit, Query
from serve.users.attribute_types import MAX_TEXT, MAX_TEXTS

MAX_ATTRIBUTES = 100


class UsersQuery(Query):
    """Which users, and which page of them."""

    query: Annotated[
        str | None,
        Field(
            max_length=MAX_ID_CHARS,
            description="What their ids begin with; large and small letters differ. Left out: every user.",
            examples=["A1YJ"],
        ),
    ] = None
    cursor: Cursor = None
    limit: Limit = 20


class UserQuery(Query):
    """Which user."""

    user_id: Annotated[Id, Field(examples=["A1YJEY40YUW4SE"])]


class ProfileQuery(Query):
    """How much of it."""

    limit: Annotated[int, Field(ge=1, le=MAX_K, description="Most recent items of the history shown.")] = 20


_TEXT = {"type": "string", "maxLength": MAX_TEXT}
_VALUE = {
    "anyOf": [
        _TEXT,
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": _TEXT, "maxItems": MAX_TEXTS},
        {"type": "null"},
    ]
}
AttributeName = Annotated[str, Field(pattern=NAME_PATTERN.replace(r"\Z", "$"))]


class UserBody(Query):
    """What is to be kept of a user, as a whole."""

    model_config = ConfigDict(strict=True)

    consent: Annotated[
        bool,
        Field(
            description="Whether the user agrees to the attributes being kept. false: those that are kept are deleted, "
            "and none of these are kept."
        ),
    ]
    attributes: Annotated[
        dict[AttributeName, Annotated[Any, WithJsonSchema(_VALUE)]],
        Field(
            max_length=MAX_ATTRIBUTES,
            default_factory=dict,
            description="Values by name, of the types of data.user_attributes where the bundle's dataset has some; "
            "null is none. No explanation tells of them.",
            examples=[{"age": 41, "city": "Bremen", "newsletter": True}],
            json_schema_extra={"additionalProperties": False},
        ),
    ]


class MergeBody(Query):
    """Which other id."""

    model_config = ConfigDict(strict=True, populate_by_name=True)

    from_id: Annotated[Id, Field(alias="from", description="The id whose doings are the user's.", examples=["anon-7"])]
