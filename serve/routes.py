"""The addresses of the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

import recsys
from serve.batching import Batcher
from serve.problems import responses
from serve.schemas import (
    HealthResponse,
    IndexResponse,
    ReadyResponse,
    RecommendationQuery,
    RecommendationResponse,
)
from serve.service import RecommendationRequest, RecommendationService

router = APIRouter()


def service_of(request: Request) -> RecommendationService:
    """The service that the app factory made."""
    service: RecommendationService = request.app.state.service
    return service


Service = Annotated[RecommendationService, Depends(service_of)]


@router.get("/", summary="Where to find what")
async def index() -> IndexResponse:
    """The addresses of this API."""
    return IndexResponse(
        name="Recommendations",
        version=recsys.__version__,
        docs="/docs",
        recommendations="/recommendations/{user_id}",
        health="/health",
        ready="/ready",
    )


@router.get("/health", summary="Is the process alive?")
async def health() -> HealthResponse:
    """Says nothing of the bundle: restart the process if this fails, see /ready for the rest."""
    return HealthResponse()


@router.get("/ready", summary="Can it answer?", responses=responses(503))
async def ready(service: Service) -> ReadyResponse:
    """503 with the reason until a bundle is loaded."""
    return ReadyResponse(bundle=service.loaded.info)


# `:path` lets an id hold a slash, which arrives decoded.
@router.get("/recommendations/{user_id:path}", summary="Items for a user", responses=responses(422, 503))
async def recommend(
    request: Request,
    user_id: Annotated[str, Path(min_length=1, description="Any string; percent-encoded where it must be.")],
    query: Annotated[RecommendationQuery, Query()],
) -> RecommendationResponse:
    """The k best items for a user.

    Proposed by the two-tower model and item-to-item retrievers, put in order by the ranker. A user whom the bundle
    does not know, or knows no interactions of, gets popular items, and the answer says so.
    """
    batcher: Batcher[RecommendationRequest, RecommendationResponse] = request.app.state.batcher
    return await batcher.submit(RecommendationRequest(user_id, query.k, query.exclude_seen))
