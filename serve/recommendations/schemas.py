"""What can be asked for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from recsys.bundle.layout import FULL
from recsys.pipeline.allow import PURCHASES, ExcludeSeen
from serve.http.schemas import MAX_SESSION, MAX_USERS, Filters, Id, K, Moment, Name
from serve.recommendations.options import DEFAULT_K, Options


class Wanted(Filters):
    """What is wanted; the same for every user of a request."""

    k: K = DEFAULT_K
    model: Annotated[Name, Field(description="full: all sources and the ranker; or a source of GET /models.")] = FULL
    exclude_seen: Annotated[
        bool | Literal["purchases", "purchase"],
        # Both types in one place, where clients that were made from the page before look for the first.
        WithJsonSchema({"type": ["boolean", "string"], "enum": [True, False, PURCHASES]}),
        Field(
            description="Leave out items already in the user's history; or purchases: those that the user bought or "
            "rated, so that what was only viewed may come back."
        ),
    ] = True
    as_of: Annotated[
        Moment | None,
        Field(
            description="A time with its offset, or seconds since 1970: histories and events after it are not read. "
            "Models and popularity stay those of the bundle.",
            examples=["2024-05-01T12:00:00Z"],
        ),
    ] = None

    def options(self) -> Options:
        """What is wanted, without for whom."""
        exclude_seen: ExcludeSeen = self.exclude_seen if isinstance(self.exclude_seen, bool) else PURCHASES
        return Options(self.k, self.model, exclude_seen, self.as_of, self.filter())


class RecommendationQuery(Wanted):
    """Query parameters of a recommendation; a parameter that does not exist is refused."""


class RecommendationBody(Wanted):
    """Body of a recommendation for one or many users, or for a session without a user."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"oneOf": [{"required": ["user_ids"]}, {"required": ["history"]}]}
    )

    user_ids: list[Id] = Field(
        default_factory=list,
        min_length=1,
        max_length=MAX_USERS,
        description="Users; scored together.",
        examples=[["u1", "u2"]],
    )
    history: list[Id] = Field(
        default_factory=list,
        min_length=1,
        max_length=MAX_SESSION,
        description="Items of an anonymous session, oldest first; those that the catalogue does not hold are ignored.",
        examples=[["B0009RF9DW"]],
    )

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if bool(self.user_ids) == bool(self.history):
            raise ValueError("give either user_ids or history")
        return self
