"""Every error of the API, mapped in one place to one body: a problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from serve.schemas import Problem
from serve.service import NotReadyError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these statuses, for its OpenAPI entry."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    problem = Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail)
    return Response(problem.model_dump_json(), status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document, never with a stack trace."""
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(NotReadyError)(_not_ready)
    app.exception_handler(Exception)(_bug)
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's way to extend the document


def _invalid_request(_request: Request, error: RequestValidationError) -> Response:
    problems = [f"{e['loc'][-1]}: {e['msg']} (got {_brief(e['input'])})" for e in error.errors()]
    return _problem(422, "; ".join(problems))


def _http_error(request: Request, error: HTTPException) -> Response:
    detail = f"no such address: {request.url.path}; see /docs" if error.status_code == 404 else error.detail
    return _problem(error.status_code, detail, error.headers)


def _not_ready(_request: Request, error: NotReadyError) -> Response:
    return _problem(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})


def _bug(_request: Request, _error: Exception) -> Response:
    """Starlette raises the exception again once this is sent, so that the server logs it."""
    return _problem(500, "the server failed to answer; its log says why")


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
