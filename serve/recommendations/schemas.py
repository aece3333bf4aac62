"""Recommendations: what can be asked for and what is answered."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from recsys.bundle.layout import FULL
from serve.http.schemas import MAX_SESSION, MAX_USERS, Answer, BundleInfo, Filters, Id, K, Moment, Name
from serve.recommendations.options import DEFAULT_K, Options
from serve.store.link import StoreState


class Wanted(Filters):
    """What is wanted; the same for every user of a request."""

    k: K = DEFAULT_K
    model: Annotated[Name, Field(description="full: all retrievers and the ranker; or a retriever of GET /models.")] = (
        FULL
    )
    exclude_seen: Annotated[bool, Field(description="Leave out items already in the user's history.")] = True
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
        return Options(self.k, self.model, self.exclude_seen, self.as_of, self.filter())


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


class UserSummary(Answer):
    """What the list was made from."""

    known: bool = Field(description="The bundle or the store knows the user.", examples=[True])
    interactions: int = Field(description="Items in the history that was read.", examples=[7])
    live_events: int = Field(description="Events that the store gave of this user.", examples=[2])
    last_interaction_at: str | None = Field(
        description="Of the history; null if it is empty.", examples=["2024-05-01T11:59:58Z"]
    )


class RecommendedItem(Answer):
    """One place of a list."""

    rank: int = Field(description="Place in the list, from 1.", examples=[1])
    item_id: str = Field(description="The catalogue's id of the item.", examples=["B0009RF9DW"])
    title: str | None = Field(examples=["Argan oil shampoo, 500 ml"])
    brand: str | None = Field(examples=["Arganics"])
    price: float | None = Field(description="In the catalogue's currency; null if unknown.", examples=[12.95])
    score: float = Field(
        description="What items of the same model_source are ordered by; comparable within one answer only.",
        examples=[2.31],
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="Grows with the score: logistic function of scale * score + offset, which the bundle gives for "
        "each model (1 and 0 where it does not, see GET /models); of popular items, their share of all interactions.",
        examples=[0.91],
    )
    retrieval_score: float | None = Field(
        description="Inner product of the user's and the item's vector; null where it was not computed.",
        examples=[7.1],
    )
    predicted_rating: float | None = Field(
        description="Rating the user would give, on the dataset's scale; null if the model predicts none.",
        examples=[4.4],
    )
    source: str = Field(description="The first retriever that proposed the item.", examples=["two_tower"])
    sources: list[str] = Field(
        description="All retrievers that proposed the item.", examples=[["two_tower", "transitions"]]
    )
    model_source: str = Field(
        description="What gave the score: ranker, a retriever, or popularity where the list was filled up.",
        examples=["ranker"],
    )


class Timing(Answer):
    """Milliseconds; requests that wait at the same moment are computed together and share all but the total."""

    store_ms: float = Field(description="Reading the events of the users.", examples=[0.4])
    query_tower_ms: float = Field(examples=[0.6])
    ann_ms: float = Field(description="Search in the index.", examples=[0.2])
    ranking_ms: float = Field(description="The other retrievers and the ranker.", examples=[2.2])
    total_ms: float = Field(description="From the request's arrival to this answer.", examples=[4.1])


class RecommendationResponse(Answer):
    """The list for one user and where it came from."""

    user_id: str | None = Field(description="null: an anonymous session.", examples=["A1YJEY40YUW4SE"])
    user: UserSummary
    primary_model: str = Field(
        description="The model that was asked for, or popularity where it had nothing to offer.", examples=[FULL]
    )
    fallback_used: bool = Field(
        description="The list was filled up with popular items, the same for everyone.", examples=[False]
    )
    fallback_reason: str | None = Field(description="Why, if fallback_used.", examples=[None])
    shortfall: int = Field(description="Items fewer than k: no more of the catalogue fit.", examples=[0])
    store: StoreState = Field(
        description="live: the user's latest events were read; off: there is no store; unavailable: the list comes "
        "from the bundle alone.",
        examples=["live"],
    )
    bundle: BundleInfo
    timing: Timing
    generated_at: str = Field(examples=["2024-05-01T12:00:00.123Z"])
    items: list[RecommendedItem] = Field(description="Best first.")


class RecommendationList(Answer):
    """One answer for each user asked for, in their order."""

    results: list[RecommendationResponse]
