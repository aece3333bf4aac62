"""The page to try the API from: Swagger UI, from a package on this machine. No other host is asked for anything."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

PAGE, ASSETS = "/docs", "/swagger-ui"
FILES = ("fastapi_swagger", "resources")  # a package and its folder
# Addresses are relative to the page: a proxy may serve the API below a path of its own.
_HERE = ASSETS.removeprefix("/")


def install(app: FastAPI) -> None:
    """Add the page and what it loads."""
    app.mount(ASSETS, StaticFiles(packages=[FILES]), name="swagger-ui")

    @app.get(PAGE, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url=f"{_HERE}/swagger-ui-bundle.js",
            swagger_css_url=f"{_HERE}/swagger-ui.css",
            swagger_favicon_url=f"{_HERE}/favicon-32x32.png",
            swagger_ui_parameters={"validatorUrl": None},  # a badge of another host
        )
