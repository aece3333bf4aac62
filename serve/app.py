"""The app factory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import recsys
from serve import problems, routes
from serve.batching import Batcher
from serve.service import RecommendationService
from serve.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The server as an ASGI app; without `settings` they come from the environment (`uvicorn --factory`).

    The bundle is loaded after start-up, in a thread: /health answers at once, /ready when it is loaded.
    """
    settings = settings or load_settings()
    service = RecommendationService(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.batcher = Batcher(service.recommend, settings.max_batch)
        loading = asyncio.create_task(asyncio.to_thread(service.load))
        yield
        await loading
        app.state.batcher.close()

    app = FastAPI(
        title="Recommendations",
        description="Personal recommendations: a two-tower model and item-to-item retrievers propose, a ranker orders.",
        version=recsys.__version__,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(routes.router)
    problems.install(app)
    return app
