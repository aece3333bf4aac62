"""What can be asked for."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from recsys.explain.explainer import Depth
from recsys.explain.text.rule_text import Style
from serve.explanations.options import ExplanationRequest
from serve.http.schemas import MAX_SESSION, Id, Query, VisitorId
from serve.http.wanted import Wanted

Language = Annotated[
    str,
    Field(
        min_length=2,
        max_length=32,
        pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
        description="Of texts and numbers, such as en or de_CH; null: the server's.",
        examples=["en"],
    ),
]


class ExplanationBody(Wanted):
    """Which item is to be explained, in whose list; what is wanted of the list as of recommendations."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "oneOf": [{"required": ["user_id"]}, {"required": ["history"]}],
            "examples": [
                {"user_id": "A1YJEY40YUW4SE", "item_id": "B0009RF9DW"},
                {"history": ["B000142FVW"], "item_id": "B0009RF9DW", "depth": "cheap", "style": "paragraph", "k": 20},
            ],
        },
    )

    user_id: Id = Field(
        default_factory=str,  # none; a default would be described, and is no id
        description="The user whose list it is.",
        examples=["A1YJEY40YUW4SE"],
    )
    history: list[Id] = Field(
        default_factory=list,
        min_length=1,
        max_length=MAX_SESSION,
        description="Items of an anonymous session, oldest first; those that the catalogue does not hold are ignored.",
        examples=[["B000142FVW"]],
    )
    visitor_id: VisitorId = None
    item_id: Annotated[Id, Field(description="The item to explain.", examples=["B0009RF9DW"])]
    depth: Annotated[
        Depth, Field(description="cheap leaves out what runs the recommender again: rank_without, counterfactual.")
    ] = "full"
    style: Annotated[Style, Field(description="Of the text: one sentence, or a few.")] = "sentence"
    reference: Annotated[
        Id | None,
        Field(
            description="Item that it is compared with, which must have been ranked; null: the first that is not in "
            "the list, of an item behind it the last one in it.",
            examples=[None],
        ),
    ] = None
    language: Language | None = None
    sensitive: Annotated[
        bool, Field(description="Show facts that are not shown without being asked for; texts never tell them.")
    ] = False

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if bool(self.user_id) == bool(self.history):
            raise ValueError("give either user_id or history")
        if self.user_id and self.visitor_id is not None:
            raise ValueError("give visitor_id with history alone: users are known by their ids")
        return self

    def request(self, started: float) -> ExplanationRequest:
        """What is wanted; `started`: `time.perf_counter()` at the arrival."""
        return ExplanationRequest(
            subject=self.user_id or tuple(self.history),
            item_id=self.item_id,
            options=self.options(),
            depth=self.depth,
            style=self.style,
            reference=self.reference,
            language=self.language,
            sensitive=self.sensitive,
            visitor_id=self.visitor_id,
            started=started,
        )


class LanguageQuery(Query):
    """In which language."""

    language: Language | None = None


class BlurbQuery(LanguageQuery):
    """A blurb of which item."""

    item_id: Annotated[Id, Field(examples=["B0009RF9DW"])]
