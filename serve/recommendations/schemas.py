"""What can be asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from serve.bundles.options import Options
from serve.http.schemas import MAX_SESSION, MAX_USERS, Id, VisitorId
from serve.http.wanted import Wanted


class WantedList(Wanted):
    """What is wanted of a list, and whether it gives its reasons."""

    explain: Annotated[
        Literal["none", "cheap"],
        Field(
            description="cheap: each item says `why` it is there, in a sentence and two facts, from what made the list "
            "anyway; POST /explanations says more of a single item.",
            examples=["cheap"],
        ),
    ] = "none"
    logged: Annotated[
        bool,
        Field(
            description="false: the list is looked at by somebody else than its user. It is as the user's would be and "
            "is not in the served log: it counts for no experiment and no outcome."
        ),
    ] = True

    def options(self) -> Options:
        options = super().options()
        asked = options.asked | {"why"} if "explain" in self.model_fields_set else options.asked
        return replace(options, why=self.explain == "cheap", asked=asked, logged=self.logged)


class RecommendationQuery(WantedList):
    """Query parameters of a recommendation; a parameter that does not exist is refused."""


class RecommendationBody(WantedList):
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

    visitor_id: VisitorId = None

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if bool(self.user_ids) == bool(self.history):
            raise ValueError("give either user_ids or history")
        if self.user_ids and self.visitor_id is not None:
            raise ValueError("give visitor_id with history alone: users are known by their ids")
        return self
