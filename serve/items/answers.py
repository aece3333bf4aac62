"""What is answered about items."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from recsys.histories.reading import StoreState
from serve.answers import Answer, ShortenedBy, Unknown
from serve.bundles.info import BundleInfo
from serve.items.live_answers import LiveState
from serve.items.similar import By

ReadStore = Annotated[
    StoreState | UnsetType,
    Meta(
        description="Where the items of a user are left out: whether the user's latest events were among them "
        "(`live`), or those that the bundle knows alone.",
        examples=["live"],
    ),
]


class ItemResponse(Answer):
    """An item of the catalogue."""

    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    categories: Annotated[list[str], Meta(description="From general to specific.", examples=[["Beauty", "Hair Care"]])]
    price: Annotated[float | None, Meta(examples=[12.95])]
    image: Annotated[str | None, Meta(examples=["https://images.example/1.jpg"])]
    description: Annotated[str | None, Meta(examples=["Gentle, without sulphates."])]
    popularity: Annotated[float, Meta(description="Weighted number of interactions in the bundle.", examples=[42.0])]
    attributes: Annotated[
        dict[str, float | str | bool | list[str]],
        Meta(
            description="Further columns of the catalogue, see data.attributes; those that the item has.",
            examples=[{"seller": "Arganics", "stock": 12, "organic": True, "colours": ["red", "blue"]}],
        ),
    ]
    bundle: BundleInfo
    live: Annotated[
        LiveState | UnsetType, Meta(description="Absent where nothing was said of it since the bundle was made.")
    ] = UNSET


class SimilarItem(Answer):
    """One similar item."""

    rank: Annotated[int, Meta(description="Position in the list, from 1.", examples=[1])]
    item_id: Annotated[str, Meta(examples=["B000142FVW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil conditioner"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    price: Annotated[float | None, Meta(examples=[10.5])]
    score: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="1 where every source named has the item first (reciprocal rank fusion).",
            examples=[0.83],
        ),
    ]
    sources: Annotated[list[str], Meta(description="Sources that hold it similar.", examples=[["transitions"]])]


class SimilarResponse(Answer):
    """Items similar to one."""

    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    by: Annotated[By, Meta(examples=["both"])]
    fallback_used: Annotated[
        bool,
        Meta(
            description="No source of that kind has a list for it: the nearest vectors of the two-tower were taken.",
            examples=[False],
        ),
    ]
    bundle: BundleInfo
    items: Annotated[list[SimilarItem], Meta(description="Most similar first.")]
    shortened_by: Annotated[
        ShortenedBy | UnsetType, Meta(description="Where rules of the shop are why there are fewer than k.")
    ] = UNSET
    unknown_items: Unknown = UNSET
    store: ReadStore = UNSET


class PopularItem(Answer):
    """One popular item."""

    rank: Annotated[int, Meta(examples=[1])]
    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    price: Annotated[float | None, Meta(examples=[12.95])]
    popularity: Annotated[float, Meta(description="Weighted number of interactions in the bundle.", examples=[42.0])]


class PopularResponse(Answer):
    """The most popular items."""

    bundle: BundleInfo
    items: Annotated[list[PopularItem], Meta(description="Most popular first.")]
    shortened_by: Annotated[
        ShortenedBy | UnsetType, Meta(description="Where rules of the shop are why there are fewer than k.")
    ] = UNSET
    unknown_items: Unknown = UNSET
    store: ReadStore = UNSET


class FoundItem(Answer):
    """An item that matches a search, or was asked for by its id."""

    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    categories: Annotated[list[str], Meta(examples=[["Beauty", "Hair Care"]])]
    price: Annotated[float | None, Meta(examples=[12.95])]
    image: Annotated[str | None, Meta(examples=[None])]
    popularity: Annotated[
        float | None,
        Meta(
            description="Weighted number of interactions in the bundle; null: the bundle does not hold the item.",
            examples=[42.0],
        ),
    ]


class LookupResponse(Answer):
    """Items by their ids."""

    bundle: BundleInfo
    items: Annotated[list[FoundItem], Meta(description="In the order of the request.")]
    unknown_items: Annotated[
        list[str],
        Meta(description="Ids that no item bears, or none any more; each once.", examples=[["no such item"]]),
    ]


class SearchResponse(Answer):
    """A page of the items that match."""

    items: list[FoundItem]
    next_cursor: Annotated[str | None, Meta(description="For the next page; null after the last.", examples=[None])]
    total: Annotated[int, Meta(description="How many items match, on all pages together.", examples=[1234])]
    total_exact: Annotated[
        bool,
        Meta(
            description="false: counting so many takes long and stopped early; there are at least `total`.",
            examples=[True],
        ),
    ]
    catalogue_version: Annotated[
        str | None,
        Meta(
            description="Bundle whose items are searched; null until the first are in the store.",
            examples=["beauty/20250102T030405Z-1a2b3c4d"],
        ),
    ]


Period = Literal["day", "week", "month", "quarter", "year"]


class PeriodCount(Answer):
    """What happened in one period."""

    start: Annotated[str, Meta(description="First day of the period, in UTC.", examples=["2014-03-01"])]
    interactions: Annotated[int, Meta(examples=[12])]


class PopularityResponse(Answer):
    """How often an item was chosen, over time."""

    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    period: Annotated[
        Period,
        Meta(
            description="The shortest of which there are not more than 60; weeks begin on Mondays.", examples=["month"]
        ),
    ]
    counts: Annotated[
        list[PeriodCount],
        Meta(
            description="Interactions of the bundle, from the first one of the item to the last one of all, without "
            "gaps; empty for an item that nobody has chosen."
        ),
    ]
    bundle: BundleInfo


class CatalogueName(Answer):
    """A brand or a category."""

    name: Annotated[str, Meta(examples=["Arganics"])]
    items: Annotated[int, Meta(description="How many items of the catalogue bear it.", examples=[12])]


class NamesResponse(Answer):
    """Names of the catalogue that match."""

    bundle: BundleInfo
    names: Annotated[list[CatalogueName], Meta(description="Those of the most items first.")]
    total: Annotated[int, Meta(description="How many names match.", examples=[3])]
