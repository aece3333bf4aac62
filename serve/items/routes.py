"""Items: one, similar ones, popular ones, those that match a search."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from msgspec import UnsetType
from pydantic import ValidationError

from recsys.store import UNCHANGED
from serve.http.bodies import JsonRoute
from serve.http.context import gathered, once
from serve.http.documentation import answers
from serve.http.etags import tagged
from serve.http.problems import ProblemError, explain
from serve.http.routing import HistoriesOf, LinkOf, LoadedOf, NoParameters, PartsOf, RulesOf, json_response
from serve.http.schemas import ID_LIMITS, LISTED, parameters
from serve.items import service
from serve.items.answers import (
    ItemResponse,
    LookupResponse,
    NamesResponse,
    PopularityResponse,
    PopularResponse,
    SearchResponse,
    SimilarResponse,
)
from serve.items.choice import Choice
from serve.items.found import lookup
from serve.items.names import found_names
from serve.items.obeyed import Obeyed
from serve.items.over_time import popularity_over_time
from serve.items.schemas import ItemQuery, LookupBody, NamesQuery, PopularQuery, SearchQuery, SimilarQuery

router = APIRouter(tags=["items"])
bodies = APIRouter(tags=["items"], route_class=JsonRoute)

T = TypeVar("T")
Q = TypeVar("Q", PopularQuery, SimilarQuery)
ItemId = Annotated[str, Path(**ID_LIMITS, description="Percent-encoded where it must be.")]


def _read(request: Request, model: type[Q]) -> Q:
    """A query whose parameters may be a context, or lists."""
    given = once(request.query_params.multi_items(), LISTED)
    try:
        return model.model_validate(gathered(given))
    except ValidationError as error:
        raise ProblemError(422, explain(error)) from None


async def _popular_query(request: Request) -> PopularQuery:
    return _read(request, PopularQuery)


async def _similar_query(request: Request) -> SimilarQuery:
    return _read(request, SimilarQuery)


@router.get("/items", summary="Search", **answers(SearchResponse))
def search(query: Annotated[SearchQuery, Query()], link: LinkOf, loaded: LoadedOf) -> Response:
    """Items of the store by words, names and price, in the order that is wanted, a page at a time."""
    return json_response(service.search(link, loaded, query.search(), query.cursor, query.limit))


@bodies.post("/items/lookup", summary="Items by their ids", dependencies=[NoParameters], **answers(LookupResponse, 400))
def look_up(body: Annotated[LookupBody, Body()], loaded: LoadedOf, parts: PartsOf) -> Response:
    """Up to 100 items in the order asked, as catalogue and shop have them: the cards of a list. It is a read."""
    return json_response(lookup(parts, loaded, body.item_ids))


@router.get(
    "/items/popular",
    summary="Popular items",
    openapi_extra={"parameters": parameters(PopularQuery)},
    **answers(PopularResponse),
)
def popular(
    query: Annotated[PopularQuery, Depends(_popular_query)], loaded: LoadedOf, rules: RulesOf, histories: HistoriesOf
) -> Response:
    """The k items of the most interactions among those that the filters and the shop's rules let through."""
    obeyed, options = Obeyed.of(rules.of(loaded), query.scenario, query.context), query.options()
    choice = Choice.of(loaded, histories, options, query.user_id)
    return json_response(service.popular(loaded, obeyed, choice))


@router.get("/items/by-id", summary="An item, whatever its id", **answers(ItemResponse, 404))
def item_by_id(query: Annotated[ItemQuery, Query()], loaded: LoadedOf, parts: PartsOf) -> Response:
    """As `/items/{item_id}`, also of an item called popular, lookup or by-id, or with an id that ends in /similar."""
    return item(query.item_id, loaded, parts)


@router.get(
    "/items/{item_id:id}/similar",
    summary="Similar items",
    openapi_extra={"parameters": parameters(SimilarQuery)},
    **answers(SimilarResponse, 404),
)
def similar(
    item_id: ItemId,
    query: Annotated[SimilarQuery, Depends(_similar_query)],
    loaded: LoadedOf,
    rules: RulesOf,
    histories: HistoriesOf,
) -> Response:
    """The k items most similar to one, by what users chose, by content, or by both; the shop's rules may hide some."""
    obeyed, options = Obeyed.of(rules.of(loaded), query.scenario, query.context), query.options()
    choice = Choice.of(loaded, histories, options, query.user_id)
    return json_response(_existing(item_id, service.similar(loaded, obeyed, item_id, query.by, choice)))


@router.get("/items/by-id/popularity", summary="An item over time, whatever its id", **answers(PopularityResponse, 404))
def popularity_by_id(query: Annotated[ItemQuery, Query()], loaded: LoadedOf, parts: PartsOf) -> Response:
    """As `/items/{item_id}/popularity`."""
    return popularity(query.item_id, loaded, parts)


@router.get(
    "/items/{item_id:id}/popularity",
    summary="An item over time",
    dependencies=[NoParameters],
    **answers(PopularityResponse, 404),
)
def popularity(item_id: ItemId, loaded: LoadedOf, parts: PartsOf) -> Response:
    """How many interactions of the bundle chose the item in each day, week, month, quarter or year."""
    return json_response(_existing(item_id, popularity_over_time(parts, loaded, item_id)))


@router.get("/catalogue/brands", summary="Brands", **answers(NamesResponse))
def brands(query: Annotated[NamesQuery, Query()], loaded: LoadedOf) -> Response:
    """Brands of the catalogue, those of the most items first: what filters offer as somebody types."""
    return json_response(found_names(loaded, loaded.brands, query.query, query.limit))


@router.get("/catalogue/categories", summary="Categories", **answers(NamesResponse))
def categories(query: Annotated[NamesQuery, Query()], loaded: LoadedOf) -> Response:
    """Categories of the catalogue of every level, those of the most items first."""
    return json_response(found_names(loaded, loaded.categories, query.query, query.limit))


@router.get("/items/{item_id:item}", summary="An item", dependencies=[NoParameters], **answers(ItemResponse, 404))
def item(item_id: ItemId, loaded: LoadedOf, parts: PartsOf) -> Response:
    """What catalogue and shop say of an item. Ids that other addresses look like are reached by `/items/by-id`.

    The `ETag` is the version of the live item, "0" where nothing was said of it since the bundle was made.
    """
    found = _existing(item_id, service.item(parts, loaded, item_id))
    return tagged(json_response(found), UNCHANGED if isinstance(found.live, UnsetType) else found.live.version)


def _existing(item_id: str, answer: T | None) -> T:
    if answer is None:
        raise ProblemError(404, f"the catalogue holds no item {item_id[:60]!r}")
    return answer
