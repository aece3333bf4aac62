"""The server with two more routes, which compute nothing: a constant answer, and a page that is nearly empty.

    uvicorn benchmarks.floor:create_benchmark_app --factory

A module of its own, as all that it imports takes memory of the server that is measured.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from serve.app import create_app
from serve.bundles.options import Options
from serve.http.routing import encoder
from serve.recommendations.service import RecommendationRequest
from serve.server import Server

FLOOR, FLOOR_PAGE = "/floor", "/floor.html"
EMPTY = b"""<!doctype html>
<html lang="en">
<title>Empty</title>
<main><h1>Nothing</h1><label>Field <input></label> <button>Button</button></main>
</html>
"""


def create_benchmark_app() -> FastAPI:
    """The server with the floor in addition; its settings are read from the environment."""
    return with_floor(create_app())


def with_floor(app: FastAPI) -> FastAPI:
    """The app with the floor in addition: as FastAPI runs any route, behind the same layers as the others."""
    body = b""

    @app.get(FLOOR)
    async def floor(request: Request) -> Response:
        nonlocal body
        if not body:
            server: Server = request.app.state.server
            user_id = server.parts.bundles.loaded.bundle.catalogue.user_ids([0])[0]
            (made,) = await server.recommendations.batcher.submit(RecommendationRequest(Options(), (user_id,)))
            body = encoder.encode(made.answer)
        return Response(body, media_type="application/json")

    @app.get(FLOOR_PAGE)
    async def floor_page() -> Response:
        return Response(EMPTY, media_type="text/html")

    return app
