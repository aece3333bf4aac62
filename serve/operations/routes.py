"""The server itself: is it alive, what does it serve, how is it doing."""

from __future__ import annotations

import time

from fastapi import APIRouter, Response

import recsys
from recsys.bundle.layout import FULL
from recsys.bundle.manifest import as_json
from recsys.store import StoreUnavailable
from serve.bundles.loaded import LoadedBundle
from serve.http.problems import responses
from serve.http.routing import REFUSALS, LoadedOf, NoParameters, PartsOf
from serve.metrics import CONTENT_TYPE
from serve.operations.schemas import (
    Calibration,
    ConfigResponse,
    HealthResponse,
    IndexResponse,
    ModelRow,
    ModelsResponse,
    ReadyResponse,
    ReloadResponse,
    StatsResponse,
)
from serve.times import time_text

router = APIRouter(tags=["operations"], dependencies=[NoParameters])


@router.get("/", summary="Where to find what", responses=responses(422))
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


@router.get("/health", summary="Is the process alive?", responses=responses(422))
async def health() -> HealthResponse:
    """Says nothing of the bundle: restart the process if this fails, see /ready for the rest."""
    return HealthResponse()


@router.get("/ready", summary="Can it answer?", responses=responses(422, 503))
async def ready(loaded: LoadedOf, parts: PartsOf) -> ReadyResponse:
    """503 with the reason until a bundle is loaded."""
    return ReadyResponse.model_validate({"bundle": loaded.info, "store": parts.store_state})


@router.get("/models", summary="What can be asked for", responses=REFUSALS)
async def models(loaded: LoadedOf) -> ModelsResponse:
    """The full pipeline and every retriever of the bundle."""
    rows = [_model(loaded, name) for name in loaded.models]
    metrics = as_json(loaded.bundle.manifest.metrics)
    return ModelsResponse.model_validate({"bundle": loaded.info, "default": FULL, "models": rows, "metrics": metrics})


@router.get("/stats", summary="Sizes", responses=REFUSALS)
def stats(loaded: LoadedOf, parts: PartsOf) -> StatsResponse:
    """Of the bundle and the store."""
    bundle = loaded.bundle
    counted, state = None, parts.store_state
    if parts.link is not None:
        try:
            found = parts.link.queries.stats()
        except StoreUnavailable:
            state = "unavailable"
        else:
            counted = {
                "events": found.events,
                "users": found.users,
                "items": found.items,
                "last_event_at": time_text(found.last_event),
            }
    return StatsResponse.model_validate(
        {
            "bundle": loaded.info,
            "items": bundle.n_items,
            "users": bundle.catalogue.n_users,
            "interactions": len(bundle.histories.items),
            "store": state,
            "store_statistics": counted,
            "uptime_s": round(time.time() - parts.started, 3),
            "workers": parts.settings.workers,
        }
    )


@router.get("/config", summary="Settings", responses=REFUSALS)
async def config(parts: PartsOf) -> ConfigResponse:
    """The settings in use, without secrets."""
    return ConfigResponse(settings=parts.settings.public())


@router.post("/admin/reload", summary="Load the bundle anew", responses=REFUSALS | responses(409))
def reload(parts: PartsOf) -> ReloadResponse:
    """Load the current version of the bundle now.

    One that is not sound is refused with the reason (409), and the old one goes on.
    """
    bundles = parts.bundles
    before = bundles.info
    return ReloadResponse.model_validate({"bundle": bundles.load().info, "before": before})


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=REFUSALS | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(parts: PartsOf) -> Response:
    """Of all workers, in Prometheus' text format."""
    return Response(parts.metrics.render(), media_type=CONTENT_TYPE)


def _model(loaded: LoadedBundle, name: str) -> ModelRow:
    manifest, recommender = loaded.bundle.manifest, loaded.recommender
    kinds = {FULL: "pipeline", recommender.primary.name: "two_tower", **manifest.sources}
    scale, offset = loaded.calibration(name)
    return ModelRow(
        name=name,
        kind=kinds.get(name, "hybrid"),
        proposes=name in recommender.sources,
        weights=manifest.hybrids.get(name),
        confidence=None
        if kinds.get(name) == "popularity" and name == recommender.popularity.name
        else Calibration(scale=scale, offset=offset, fitted=loaded.calibrated(name)),
    )
