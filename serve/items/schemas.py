"""Items: one, similar ones, popular ones, found ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from serve.http.schemas import Answer, BundleInfo, Cursor, Filters, K, Limit, Query

By = Literal["behaviour", "content", "both"]


class ItemResponse(Answer):
    """An item of the catalogue."""

    item_id: str = Field(examples=["B0009RF9DW"])
    title: str | None = Field(examples=["Argan oil shampoo, 500 ml"])
    brand: str | None = Field(examples=["Arganics"])
    categories: list[str] = Field(description="From general to specific.", examples=[["Beauty", "Hair Care"]])
    price: float | None = Field(examples=[12.95])
    image: str | None = Field(examples=["https://images.example/1.jpg"])
    description: str | None = Field(examples=["Gentle, without sulphates."])
    popularity: float = Field(description="Weighted number of interactions in the bundle.", examples=[42.0])
    bundle: BundleInfo


class ItemQuery(Query):
    """Which item."""

    item_id: Annotated[str, Field(min_length=1, description="Any string.", examples=["B0009RF9DW"])]


class SimilarQuery(Query):
    """What similar means."""

    k: K = 10
    by: Annotated[
        By,
        Field(description="behaviour: chosen by the same users or one after the other; content: by text; or both."),
    ] = "both"


class SimilarItem(Answer):
    """One similar item."""

    rank: int = Field(description="Place in the list, from 1.", examples=[1])
    item_id: str = Field(examples=["B000142FVW"])
    title: str | None = Field(examples=["Argan oil conditioner"])
    brand: str | None = Field(examples=["Arganics"])
    price: float | None = Field(examples=[10.5])
    score: float = Field(
        ge=0,
        le=1,
        description="1 where every retriever named has the item first (reciprocal rank fusion).",
        examples=[0.83],
    )
    sources: list[str] = Field(description="Retrievers that hold it similar.", examples=[["transitions"]])


class SimilarResponse(Answer):
    """Items similar to one."""

    item_id: str = Field(examples=["B0009RF9DW"])
    by: By = Field(examples=["both"])
    fallback_used: bool = Field(
        description="No retriever of that kind knows the item: the nearest vectors of the two-tower were taken.",
        examples=[False],
    )
    bundle: BundleInfo
    items: list[SimilarItem] = Field(description="Most similar first.")


class PopularQuery(Filters):
    """Which popular items."""

    k: K = 10


class PopularItem(Answer):
    """One popular item."""

    rank: int = Field(examples=[1])
    item_id: str = Field(examples=["B0009RF9DW"])
    title: str | None = Field(examples=["Argan oil shampoo, 500 ml"])
    brand: str | None = Field(examples=["Arganics"])
    price: float | None = Field(examples=[12.95])
    popularity: float = Field(description="Weighted number of interactions in the bundle.", examples=[42.0])


class PopularResponse(Answer):
    """The most popular items."""

    bundle: BundleInfo
    items: list[PopularItem] = Field(description="Most popular first.")


class SearchQuery(Query):
    """What is searched for."""

    query: Annotated[
        str | None,
        Field(
            max_length=512,
            description="Words; an item matches if for each it has a word in title, brand, categories or id "
            "that begins with it. Left out: every item.",
            examples=["argan oil"],
        ),
    ] = None
    category: Annotated[
        str | None, Field(min_length=1, max_length=512, description="One of the item's categories, exactly.")
    ] = None
    cursor: Cursor = None
    limit: Limit = 20


class FoundItem(Answer):
    """An item found."""

    item_id: str = Field(examples=["B0009RF9DW"])
    title: str | None = Field(examples=["Argan oil shampoo, 500 ml"])
    brand: str | None = Field(examples=["Arganics"])
    categories: list[str] = Field(examples=[["Beauty", "Hair Care"]])
    price: float | None = Field(examples=[12.95])
    image: str | None = Field(examples=[None])


class SearchResponse(Answer):
    """A page of what was found, the most popular first."""

    items: list[FoundItem]
    next_cursor: str | None = Field(description="For the next page; null after the last.", examples=[None])
    catalogue_version: str | None = Field(
        description="Bundle whose items are searched; null until the first are in the store.",
        examples=["beauty/20250102T030405Z-1a2b3c4d"],
    )
