"""Explanations of items in lists, and blurbs of items."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from serve.explanations.answers import BlurbResponse, ExplanationResponse
from serve.explanations.queue import ExplanationQueue
from serve.explanations.schemas import BlurbQuery, ExplanationBody, LanguageQuery
from serve.http.bodies import JsonRoute
from serve.http.documentation import answers
from serve.http.routing import LoadedOf, NoParameters, json_response
from serve.http.schemas import ID_LIMITS

router = APIRouter(tags=["explanations"], route_class=JsonRoute)


@router.post(
    "/explanations",
    summary="Why an item is in a list, or is not",
    dependencies=[NoParameters],
    **answers(ExplanationResponse, 400, 404),
)
async def explain(request: Request, body: Annotated[ExplanationBody, Body()]) -> Response:
    """Why an item stands where it does in the list of a user, or of an anonymous session, or why it is not in it.

    Everything is computed from the numbers that make the list: contributions add up to the difference of two scores,
    ranks are those of the recommender run again, and the text says nothing that is no fact. Popular items that fill a
    list up give no personal reason, and unknown users get such lists.
    """
    queue: ExplanationQueue = request.app.state.explanations
    return json_response(await queue.submit(body.request(time.perf_counter())))


@router.get("/items/by-id/blurb", summary="A blurb of an item, whatever its id", **answers(BlurbResponse, 404))
async def blurb_by_id(request: Request, query: Annotated[BlurbQuery, Query()], loaded: LoadedOf) -> Response:
    """As `/items/{item_id}/blurb`, also for an item called by-id."""
    queue: ExplanationQueue = request.app.state.explanations
    return json_response(await queue.blurb(loaded, query.item_id, query.language))


@router.get("/items/{item_id:id}/blurb", summary="A blurb of an item", **answers(BlurbResponse, 404))
async def blurb(
    request: Request,
    item_id: Annotated[str, Path(**ID_LIMITS, description="Percent-encoded where it must be.")],
    query: Annotated[LanguageQuery, Query()],
    loaded: LoadedOf,
) -> Response:
    """An item in a few words, from what the catalogue says of it: by rules, or by a language model under a guard."""
    queue: ExplanationQueue = request.app.state.explanations
    return json_response(await queue.blurb(loaded, item_id, query.language))
