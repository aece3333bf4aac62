"""The page's addresses. They are no part of the API that OpenAPI describes, and need no key: no data is in them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from starlette.responses import Response

from serve.dashboard.files import StaticFile, built_files, file_for
from serve.dashboard.headers import is_known, representation, security
from serve.http.page_address import BELOW, PAGE
from serve.http.problems import problem
from serve.http.routing import NamedRoute, encoder
from serve.settings import Settings

logger = logging.getLogger(__name__)

SETTINGS = "settings.json"
UNBUILT = "the page has no files here: run `make dashboard` (docs/dashboard.md), then start the server again"
METHODS = ["GET"]  # and so HEAD


def install(app: FastAPI, settings: Settings) -> None:
    """Add the page behind all other routes, which so are found as fast as without it."""
    files, secured = _files(), security(settings.image_hosts)
    said = encoder.encode({"image_hosts": settings.image_hosts, "currency": settings.currency})

    async def to_page(request: Request) -> Response:
        query = request.url.query
        # Relative: a proxy may serve the API below a path of its own.
        return Response(status_code=308, headers={"Location": BELOW[1:] + (f"?{query}" if query else "")})

    async def page_settings(_: Request) -> Response:
        return Response(said, 200, {**secured, "Cache-Control": "no-cache"}, "application/json")

    async def page(request: Request) -> Response:
        path: str = request.path_params["path"]
        file = file_for(files, path)
        if file is None:
            return problem(404, f"no such file of the page: {path[:300]}" if files else UNBUILT, secured)
        content, headers = representation(file, request.headers.get("accept-encoding", ""))
        if is_known(headers["ETag"], request.headers.get("if-none-match")):
            kept = {name: value for name, value in headers.items() if not name.startswith("Content-")}
            return Response(None, 304, {**secured, **kept})
        return Response(content if request.method == "GET" else b"", 200, {**secured, **headers})

    endpoints = {PAGE: to_page, f"{BELOW}{SETTINGS}": page_settings, f"{BELOW}{{path:id}}": page}
    for path, endpoint in endpoints.items():
        app.router.routes.append(NamedRoute(path, endpoint, methods=METHODS, include_in_schema=False))


def _files() -> Mapping[str, StaticFile]:
    """The built files; none where they cannot be read, which is no reason to answer nothing else."""
    try:
        return built_files()
    except OSError as error:
        logger.warning("The page at %s cannot be served: %s", BELOW, error)
        return {}
