"""Items: one, similar ones, popular ones, found ones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from serve.bundles.loaded import LoadedBundle
from serve.http.problems import ProblemError, responses
from serve.http.routing import REFUSALS, LinkOf, LoadedOf, NoParameters
from serve.items.schemas import (
    ItemQuery,
    ItemResponse,
    PopularQuery,
    PopularResponse,
    SearchQuery,
    SearchResponse,
    SimilarQuery,
    SimilarResponse,
)
from serve.items.similar import similar_items

router = APIRouter(tags=["items"])

ItemId = Annotated[str, Path(min_length=1, description="Any string; percent-encoded where it must be.")]


@router.get("/items", summary="Search", responses=REFUSALS)
def search(query: Annotated[SearchQuery, Query()], link: LinkOf) -> SearchResponse:
    """Items of the store by words and category, the most popular first, a page at a time."""
    store = link.queries
    page = store.search_items(query.query, query.category, query.cursor, query.limit)
    items = [
        {
            "item_id": row.item_id,
            "title": row.title,
            "brand": row.brand,
            "categories": list(row.categories),
            "price": row.price,
            "image": row.image,
        }
        for row in page.rows
    ]
    found = {"items": items, "next_cursor": page.next_cursor, "catalogue_version": store.items_version()}
    return SearchResponse.model_validate(found)


@router.get("/items/popular", summary="Popular items", responses=REFUSALS)
def popular(query: Annotated[PopularQuery, Query()], loaded: LoadedOf) -> PopularResponse:
    """The k items of the most interactions among those that the filters let through."""
    rows = loaded.popular
    wanted = query.filter()
    if wanted is not None:
        rows = rows[loaded.facets.mask(wanted)[rows]]
    chosen = rows[: query.k].tolist()
    cards = loaded.cards(chosen)
    items = [
        {"rank": rank, **cards[row]._asdict(), "popularity": float(loaded.popularity[row])}
        for rank, row in enumerate(chosen, start=1)
    ]
    return PopularResponse.model_validate({"bundle": loaded.info, "items": items})


@router.get("/items/by-id", summary="An item, whatever its id", responses=REFUSALS | responses(404))
def item_by_id(query: Annotated[ItemQuery, Query()], loaded: LoadedOf) -> ItemResponse:
    """As `/items/{item_id}`, also for an item called popular or by-id, and one whose id ends in /similar."""
    return item(query.item_id, loaded)


@router.get("/items/{item_id:id}/similar", summary="Similar items", responses=REFUSALS | responses(404))
def similar(item_id: ItemId, query: Annotated[SimilarQuery, Query()], loaded: LoadedOf) -> SimilarResponse:
    """The k items most similar to one, by what users chose, by content, or by both."""
    items, fallback_used = similar_items(loaded, _row(loaded, item_id), query.by, query.k)
    found: dict[str, Any] = {"item_id": item_id, "by": query.by, "fallback_used": fallback_used}
    return SimilarResponse.model_validate({**found, "bundle": loaded.info, "items": items})


@router.get("/items/{item_id:id}", summary="An item", responses=REFUSALS | responses(404), dependencies=[NoParameters])
def item(item_id: ItemId, loaded: LoadedOf) -> ItemResponse:
    """What the catalogue says of an item. Ids that other addresses look like are reached by `/items/by-id`."""
    row = _row(loaded, item_id)
    (record,) = loaded.bundle.catalogue.items([row])
    return ItemResponse.model_validate(
        {
            "item_id": record.item_id,
            "title": record.title,
            "brand": record.brand,
            "categories": list(record.categories),
            "price": record.price,
            "image": record.image,
            "description": record.description,
            "popularity": float(loaded.popularity[row]),
            "bundle": loaded.info,
        }
    )


def _row(loaded: LoadedBundle, item_id: str) -> int:
    row = loaded.bundle.catalogue.item_row(item_id)
    if row is None:
        raise ProblemError(404, f"the catalogue holds no item {item_id[:60]!r}")
    return row
