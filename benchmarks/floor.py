"""The server with one more route, which returns a constant answer: what a route takes that computes nothing.

    uvicorn benchmarks.floor:create_benchmark_app --factory

A module of its own, as all that it imports takes memory of the server that is measured.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from serve.api.common import encoder
from serve.app import create_app
from serve.schemas.recommendations import Options
from serve.server import Server
from serve.service import RecommendationRequest

FLOOR = "/floor"


def create_benchmark_app() -> FastAPI:
    """The server with the floor route in addition: as FastAPI runs any route, behind the same layers as the others."""
    app = create_app()
    body = b""

    @app.get(FLOOR)
    async def floor(request: Request) -> Response:
        nonlocal body
        if not body:
            server: Server = request.app.state.server
            user_id = server.bundles.loaded.bundle.catalogue.user_ids([0])[0]
            answers = await server.batcher.submit(RecommendationRequest(Options(), (user_id,)))
            body = encoder.encode(answers[0])
        return Response(body, media_type="application/json")

    return app
