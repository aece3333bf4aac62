"""Recommendations for users and sessions.

These routes carry the load: the query is read once for each distinct text, and answers are encoded as they are.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Body, Request, Response
from pydantic import ValidationError

from recsys.core.values.ids import id_fault, is_id
from serve.bundles.options import Options
from serve.http.bodies import JsonRoute
from serve.http.context import gathered, once
from serve.http.documentation import answers
from serve.http.problems import ProblemError, explain
from serve.http.routing import DirectRoute, NoParameters, json_response
from serve.http.schemas import LISTED, parameters
from serve.recommendations.answers import RecommendationList, RecommendationResponse
from serve.recommendations.queue import RecommendationQueue
from serve.recommendations.schemas import RecommendationBody, RecommendationQuery
from serve.recommendations.service import RecommendationRequest

router = APIRouter(tags=["recommendations"], route_class=JsonRoute)

PATH = "/recommendations/{user_id:id}"
CACHED_QUERY_BYTES = 256
USER_ID = "Percent-encoded where it must be."


@router.get(
    PATH,
    summary="Items for a user",
    openapi_extra={"parameters": parameters(RecommendationQuery, {"user_id": USER_ID})},
    **answers(RecommendationResponse),
)
async def recommend(request: Request) -> Response:
    """The k best items for a user.

    Proposed by the two-tower model and item-to-item sources, put in order by the ranker. The user's latest events
    count as soon as they have been accepted. Popular items fill up what the model leaves open, and the answer says so.
    """
    started = time.perf_counter()
    query_string: bytes = request.scope["query_string"]
    options = _cached_query(query_string) if len(query_string) <= CACHED_QUERY_BYTES else _query(query_string)
    user_id: str = request.path_params["user_id"]
    if not is_id(user_id):
        raise ProblemError(422, f"user_id: {id_fault(user_id)}")
    results = await _submit(request, RecommendationRequest(options, (user_id,), started))
    return json_response(results[0])


# Stands before FastAPI's routes.
direct = DirectRoute(PATH, recommend)


@router.post(
    "/recommendations",
    summary="Items for many users, or for a session",
    dependencies=[NoParameters],
    **answers(RecommendationList, 400),
)
async def recommend_many(request: Request, body: Annotated[RecommendationBody, Body()]) -> Response:
    """One answer for each of `user_ids`, scored together; or one for an anonymous session, from its `history`."""
    started = time.perf_counter()
    subjects = tuple(body.user_ids) or (tuple(body.history),)
    wanted = RecommendationRequest(body.options(), subjects, started, body.visitor_id)
    results = await _submit(request, wanted)
    return json_response(RecommendationList(results=results))


async def _submit(request: Request, wanted: RecommendationRequest) -> list[RecommendationResponse]:
    queue: RecommendationQueue = request.app.state.recommendations
    return await queue.submit(request.scope["request_id"], wanted)


def _query(query_string: bytes) -> Options:
    """Options from a query.

    Raises:
        ProblemError: a parameter does not exist, does not fit, or is given twice.
    """
    given = once(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True), LISTED)
    try:
        return RecommendationQuery.model_validate(gathered(given)).options()
    except ValidationError as error:
        raise ProblemError(422, explain(error)) from None


_cached_query = lru_cache(1024)(_query)
