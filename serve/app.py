"""The app factory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

import recsys
from serve import logs
from serve.dashboard import routes as dashboard
from serve.events import routes as events
from serve.experiments import routes as experiments
from serve.explanations import routes as explanations
from serve.http import docs_page, documentation, problems
from serve.http.authentication import Authentication
from serve.http.limits import BodyLimit, ConcurrencyLimit, QueryLimit
from serve.http.rate_limit import HEADERS as RATE_HEADERS
from serve.http.rate_limit import RateLimit
from serve.http.telemetry import Telemetry
from serve.items import live_routes as live_items
from serve.items import routes as items
from serve.operations import routes as operations
from serve.outcomes import routes as outcomes
from serve.recommendations import routes as recommendations
from serve.rules import routes as rules
from serve.server import Server
from serve.settings import Settings, load_settings
from serve.shared import Shared
from serve.users import routes as users

DESCRIPTION = "Personal recommendations: a two-tower model and item-to-item sources propose, a ranker orders."


def create_app(settings: Settings | None = None, *, early: bool = False, shared: Shared | None = None) -> FastAPI:
    """The server as an ASGI app; without `settings` they are read from the environment (`uvicorn --factory`).

    Limits of heads and connections (`serve/connections/`) are those of `python -m serve`, no other server knows them.

    It accepts requests once the bundle has been loaded, or has proved not to be sound, unless it is to do so `early`;
    /ready says which, or what it is waiting for. `shared` is what other processes of the server hand over.

    Raises:
        ConfigError: a setting, or the file of API keys, is not in order.
        StoreError: the store's URL is wrong.
    """
    settings = settings or load_settings()
    logs.configure(settings.log_level, settings.log_format)
    server = Server(settings, shared)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        server.end_with_parent()
        server.reload_on_hangup(asyncio.get_running_loop())
        server.start()
        if not early:
            await asyncio.shield(asyncio.wrap_future(server.parts.bundles.first))
        yield
        await server.explanations.texts.close()
        await asyncio.to_thread(server.close)

    app = FastAPI(
        title="Recommendations",
        description=DESCRIPTION,
        version=recsys.__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,  # see serve.http.documentation
        docs_url=None,  # FastAPI's page loads Swagger UI from another host
        redoc_url=None,
        # Layers of this package measure; to look for OpenTelemetry at every request takes a quarter of the app's time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.server, app.state.parts = server, server.parts
    app.state.recommendations, app.state.explanations = server.recommendations, server.explanations
    app.state.previews, app.state.outcomes, app.state.results = server.previews, server.outcomes, server.results
    for subject in (recommendations, explanations, items, users, events, rules, experiments, operations, outcomes):
        app.include_router(subject.router)
    for router in (items.bodies, live_items.batches, live_items.router):
        app.include_router(router)
    app.router.routes.insert(0, recommendations.direct)
    problems.install(app)
    docs_page.install(app)
    documentation.install(app, keys=server.parts.keys is not None)
    if settings.ui:
        dashboard.install(app, settings)
    _add_layers(app, server)
    return app


def _add_layers(app: FastAPI, server: Server) -> None:
    """What every request passes through; the last one added is the outermost."""
    settings, metrics = server.parts.settings, server.parts.metrics
    app.add_middleware(ConcurrencyLimit, most=settings.max_in_flight, metrics=metrics)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, timeout_s=settings.body_timeout_s, metrics=metrics)
    app.add_middleware(QueryLimit, metrics=metrics)
    if server.buckets is not None:
        app.add_middleware(RateLimit, buckets=server.buckets, metrics=metrics)
    if server.parts.keys is not None:
        app.add_middleware(Authentication, keys=server.parts.keys.keys, metrics=metrics)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Content-Type", "If-Match", "If-None-Match", "X-API-Key", "X-Request-ID"],
            expose_headers=["ETag", "X-Request-ID", "Retry-After", *RATE_HEADERS],
        )
    app.add_middleware(Telemetry, metrics=metrics, access_log=settings.access_log)
