"""The server itself: is it alive, what does it serve, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

import recsys
from serve.errors import NotReadyError
from serve.http.documentation import answers, open_answers
from serve.http.page_address import BELOW
from serve.http.problems import REFUSALS, responses
from serve.http.routing import LoadedOf, NoParameters, PartsOf, json_response
from serve.metrics import CONTENT_TYPE
from serve.operations import service
from serve.operations.answers import (
    ConfigResponse,
    HealthResponse,
    IndexResponse,
    KeyResponse,
    ModelsResponse,
    ReadyResponse,
    ReloadResponse,
    StatsResponse,
)
from serve.operations.report import HEADERS, page

router = APIRouter(tags=["operations"], dependencies=[NoParameters])


@router.get("/", summary="Where to find what", **open_answers(IndexResponse, 422))
async def index(parts: PartsOf) -> Response:
    """The addresses of this API."""
    return json_response(
        IndexResponse(
            name="Recommendations",
            version=recsys.__version__,
            docs="/docs",
            ui=BELOW if parts.settings.ui else None,
            recommendations="/recommendations/{user_id}",
            health="/health",
            ready="/ready",
        )
    )


@router.get("/health", summary="Is the process alive?", **open_answers(HealthResponse, 422))
async def health() -> Response:
    """Says nothing of the bundle: restart the process if this fails, see /ready for the rest."""
    return json_response(HealthResponse())


@router.get("/ready", summary="Can it answer?", **open_answers(ReadyResponse, 422, 503))
async def ready(loaded: LoadedOf, parts: PartsOf) -> Response:
    """503 with the reason until a bundle is loaded and the store has been asked once."""
    if parts.link is not None and not parts.link.attempted:
        raise NotReadyError("opening the store")
    return json_response(
        ReadyResponse(
            bundle=loaded.info,
            store=parts.store_state,
            rules=parts.rules.state,
            live_items=parts.live_items.state,
            persons=parts.persons.state,
            experiments=parts.experiments.state,
        )
    )


@router.get("/models", summary="What can be asked for", **answers(ModelsResponse))
async def models(loaded: LoadedOf) -> Response:
    """The full pipeline and every source of the bundle."""
    return json_response(service.models(loaded))


@router.get("/stats", summary="Sizes and times", **answers(StatsResponse))
def stats(loaded: LoadedOf, parts: PartsOf) -> Response:
    """Sizes of the bundle and the store; how long the stages of lists take, in all workers."""
    return json_response(service.stats(loaded, parts))


@router.get(
    "/report",
    summary="The bundle's evaluation",
    response_class=Response,
    responses=REFUSALS | responses(404) | {200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def report(loaded: LoadedOf, parts: PartsOf) -> Response:
    """The page that evaluate.py wrote of the version that answers, where the setting report says; else 404.

    It loads nothing, runs nothing, and only pages of this server may frame it.
    """
    content = page(parts.settings.report, loaded.info)
    return Response(content, headers=HEADERS, media_type="text/html; charset=utf-8")


@router.get("/config", summary="Settings", **answers(ConfigResponse))
async def config(parts: PartsOf) -> Response:
    """The settings in use, without secrets."""
    return json_response(ConfigResponse(settings=parts.settings.public()))


@router.get("/key", summary="What a key may do", **open_answers(KeyResponse, 422, 429))
async def key(request: Request, parts: PartsOf) -> Response:
    """What the caller may ask for: by the key in X-API-Key, or without one where none is needed.

    A key that opens nothing, unknown or expired, is answered like none.
    """
    name, scopes = request.scope.get("key_name"), request.scope.get("key_scopes", ())
    return json_response(service.key(parts, name, scopes))


@router.post("/admin/reload", summary="Load the bundle anew", **answers(ReloadResponse, 409))
def reload(parts: PartsOf) -> Response:
    """Load the current version of the bundle, and the API keys, now.

    One that is not sound is refused with the reason (409), and the old one goes on.
    """
    bundles = parts.bundles
    if parts.keys is not None:
        parts.keys.look()
    before = bundles.info
    return json_response(ReloadResponse(bundle=bundles.load().info, keys=parts.keys_state, before=before))


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=REFUSALS | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(parts: PartsOf) -> Response:
    """Of all workers, in Prometheus' text format."""
    return Response(parts.metrics.render(), media_type=CONTENT_TYPE)
