"""What the API answers: one typed model a response, with an example each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_K = 100


class RecommendationQuery(BaseModel):
    """Query parameters of a recommendation; a parameter that does not exist is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    k: Annotated[int, Field(ge=1, le=MAX_K, description="Number of items wanted.")] = 10
    exclude_seen: Annotated[bool, Field(description="Leave out items already in the user's history.")] = True


class BundleInfo(BaseModel):
    """The bundle that answers."""

    name: str = Field(description="Name of the dataset and its bundles.", examples=["beauty"])
    version: str = Field(description="Version of the bundle that answered.", examples=["20250102T030405Z-1a2b3c4d"])
    synthetic: bool = Field(description="The catalogue and the users are generated, not real.", examples=[False])


class RecommendedItem(BaseModel):
    """One place of a list."""

    rank: int = Field(description="Place in the list, from 1.", examples=[1])
    item_id: str = Field(description="The catalogue's id of the item.", examples=["B0009RF9DW"])
    title: str | None = Field(examples=["Argan oil shampoo, 500 ml"])
    brand: str | None = Field(examples=["Arganics"])
    price: float | None = Field(description="In the catalogue's currency; null if unknown.", examples=[12.95])
    score: float = Field(
        description="What the list is ordered by, as the ranker gives it; the retrieval score where the bundle has no "
        "ranker, a popularity in a fallback. Comparable within one answer only.",
        examples=[2.31],
    )
    retrieval_score: float = Field(
        description="Inner product of the user's and the item's vector; a popularity in a fallback.", examples=[7.1]
    )
    predicted_rating: float | None = Field(
        description="Rating the user would give, on the dataset's scale; null if the model predicts none.",
        examples=[4.4],
    )
    sources: list[str] = Field(
        description="Names of the retrievers that proposed the item; none in a fallback.",
        examples=[["two_tower", "transitions"]],
    )


class RecommendationResponse(BaseModel):
    """The list for one user and where it came from."""

    user_id: str = Field(examples=["A1YJEY40YUW4SE"])
    model_source: str = Field(
        description="two_tower: a personal list, see the sources of each item; popularity: a fallback.",
        examples=["two_tower"],
    )
    fallback_used: bool = Field(
        description="Popular items, the same for everyone, were given instead.", examples=[False]
    )
    fallback_reason: str | None = Field(description="Why, if fallback_used.", examples=[None])
    bundle: BundleInfo
    items: list[RecommendedItem] = Field(description="Best first; fewer than k where the catalogue has no more.")


class HealthResponse(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ReadyResponse(BaseModel):
    """A bundle is loaded."""

    status: Literal["ready"] = "ready"
    bundle: BundleInfo


class IndexResponse(BaseModel):
    """Where to find what."""

    name: str = Field(examples=["Recommendations"])
    version: str = Field(examples=["0.1.0"])
    docs: str = Field(examples=["/docs"])
    recommendations: str = Field(examples=["/recommendations/{user_id}"])
    health: str = Field(examples=["/health"])
    ready: str = Field(examples=["/ready"])


class Problem(BaseModel):
    """The body of every error (RFC 9457, application/problem+json)."""

    type: str = Field(description="Kind of problem; about:blank: what the status says.", examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Entity"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["k: Input should be less than or equal to 100 (got '1000')"])
