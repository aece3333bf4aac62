"""Every error of the API, mapped here to one body: a problem document (RFC 9457)."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from msgspec import Meta, Struct, json
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from recsys.core.errors import BundleError, DamagedBundleError, said
from recsys.experiments.lifecycle import ExperimentConflict
from recsys.rules.preview import TooManyPartsError
from recsys.store import (
    InvalidCursor,
    InvalidRecord,
    ItemConflict,
    PersonConflict,
    StoreError,
    StoreUnavailable,
    TextConflict,
    TooManyTexts,
)
from serve.errors import (
    NoReportError,
    NotReadyError,
    OverloadedError,
    TooManyItemsError,
    TooSlowError,
    UnfitRequestError,
    UnknownExperimentError,
    UnknownItemError,
    UnknownModelError,
    UnknownRuleError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1

_FOLDERS = re.compile(r"[\w.~@+-]*/(?:[\w.@+-]+/)*(?=[\w.@+-])")
MOST_ERRORS = 20  # that an answer lists
MAX_TEXT = 300  # characters of what else a message quotes

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _brief.maxlong = 60
_brief.maxlevel = 2
_brief.maxlist = _brief.maxdict = 3
brief = _brief.repr


class Problem(Struct):
    """The body of every error (RFC 9457, application/problem+json)."""

    type: Annotated[
        str, Meta(description="Kind of problem; about:blank: what the status says.", examples=["about:blank"])
    ]
    title: Annotated[str, Meta(examples=["Unprocessable Entity"])]
    status: Annotated[int, Meta(examples=[422])]
    detail: Annotated[str, Meta(examples=["k: Input should be less than or equal to 100 (got '1000')"])]


class ProblemError(Exception):
    """Raised by a route: the problem to answer with."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these statuses, for its OpenAPI entry."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


# Of every route that a key, a limit or an unknown parameter can refuse.
REFUSALS = responses(401, 403, 408, 413, 414, 422, 429, 503)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that failed. A 503 or 429 says when to try again."""
    body = Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail)
    given = dict(headers or {})
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        given.setdefault("Retry-After", str(RETRY_AFTER_S))
    return Response(json.encode(body), status, given, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document, never with a stack trace.

    What is no error of the request or the environment is a bug, which `serve.http.telemetry` logs and answers.
    """
    handlers: dict[type[Exception], Any] = {
        RequestValidationError: _invalid_request,
        HTTPException: _http_error,
        ProblemError: lambda _, error: problem(error.status, error.detail, error.headers),
        UnknownItemError: lambda _, error: problem(404, str(error)),
        NoReportError: lambda _, error: problem(404, str(error)),
        TooManyItemsError: lambda _, error: problem(507, str(error)),
        UnknownRuleError: lambda _, error: problem(404, str(error)),
        UnknownExperimentError: lambda _, error: problem(404, str(error)),
        UnfitRequestError: lambda _, error: problem(422, str(error)),
        UnknownModelError: lambda _, error: problem(422, str(error)),
        InvalidCursor: lambda _, error: problem(422, f"cursor: {error.remedy}"),
        InvalidRecord: lambda _, error: problem(422, f"expected {error.expected}, got {error.got}"),
        TextConflict: lambda _, error: problem(412, f"expected {error.expected}, got {error.got}: {error.remedy}"),
        TooManyPartsError: lambda _, error: problem(422, f"expected {error.expected}, got {error.got}: {error.remedy}"),
        PersonConflict: lambda _, error: problem(409, f"expected {error.expected}, got {error.got}: {error.remedy}"),
        ExperimentConflict: _experiment_conflict,
        ItemConflict: _item_conflict,
        TooManyTexts: lambda _, error: problem(409, f"expected {error.expected}, got {error.got}: {error.remedy}"),
        NotReadyError: lambda request, error: problem(503, str(error) if for_admin(request) else error.in_general),
        OverloadedError: lambda *_: problem(503, "too many requests are waiting; try again in a moment"),
        TooSlowError: lambda _, error: problem(503, str(error)),
        StoreUnavailable: lambda *_: problem(503, "the store does not answer; try again in a moment"),
        StoreError: lambda *_: problem(503, "the store is not in order; the server's log says why"),
        DamagedBundleError: lambda *_: problem(503, "the bundle cannot be read any more; the server's log says why"),
        BundleError: _refused_bundle,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _asynchronous(handler))


def for_admin(request: Request) -> bool:
    """Whether the answer is for somebody who runs the server, by the key's scopes; without keys nobody is known."""
    return "admin" in request.scope.get("key_scopes", ())


def _asynchronous(handler: Any) -> Any:
    """Starlette would run a plain function in another thread."""

    async def handle(request: Request, error: Exception) -> Response:
        response: Response = handler(request, error)
        return response

    return handle


def explain(error: ValidationError | RequestValidationError) -> str:
    """What does not fit in a request, with what came instead: the first of it, and how much more there is."""
    errors = _without_consequences(error.errors())
    return listed([_fault(e) for e in errors[:MOST_ERRORS]], len(errors), "; ")


def listed(shown: Sequence[str], count: int, separator: str) -> str:
    """The first of so many."""
    more = count - len(shown)
    return separator.join(shown) + (f"{separator}and {more:,} more" if more else "")


def _without_consequences(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without the errors of sequences that are too short only since elements of them are left out, which do not fit."""
    outer = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in outer]


def _fault(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return f"the body is no JSON: {error['ctx']['error']}"
    return f"{_location(error['loc'])}: {said(error)[:MAX_TEXT]} (got {brief(error['input'])})"


def _location(parts: tuple[int | str, ...]) -> str:
    """The name of a parameter, or the path to a field of the body."""
    inner = parts[1:] if parts[:1] in (("query",), ("path",), ("body",), ("header",)) else parts
    return ".".join(str(part) if len(str(part)) <= _brief.maxstring else brief(part) for part in inner) or "request"


def _refused_bundle(request: Request, error: Exception) -> Response:
    """Why a bundle is not sound; to strangers without the folders of its files, which are nobody's business."""
    return problem(409, _for_whoever_asks(request, str(error)))


def _experiment_conflict(request: Request, error: ExperimentConflict) -> Response:
    """What stands in an experiment's way, which may be a bundle that is not sound."""
    said = f"expected {error.expected}, got {_for_whoever_asks(request, error.got)}: {error.remedy}"
    return problem(409, said)


def _for_whoever_asks(request: Request, said: str) -> str:
    """A message about a bundle, for strangers without the folders of its files."""
    if for_admin(request):
        return said
    bundle: Path = request.app.state.parts.settings.bundle
    for folder in (bundle.absolute().parent, bundle.parent):
        said = said.replace(f"{folder}/", "")
    return _FOLDERS.sub("", said)


def _invalid_request(_request: Request, error: RequestValidationError) -> Response:
    return problem(422, explain(error))


def _item_conflict(_request: Request, error: ItemConflict) -> Response:
    """Not what the caller believes them to be: 412; items that are not there to be changed: no such request."""
    return problem(422 if error.missing else 412, f"expected {error.expected}, got {error.got}: {error.remedy}")


def _http_error(request: Request, error: HTTPException) -> Response:
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"no such address: {request.url.path[:MAX_TEXT]}; see /docs"
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {**(headers or {}), "Allow": ", ".join(_methods(request))}
    return problem(error.status_code, detail, headers)


def _methods(request: Request) -> list[str]:
    """Methods that an address takes: each of its routes knows its own alone."""
    by_path: dict[str, set[str]] = {}
    for included in request.app.router.routes:
        subject = getattr(included, "original_router", None)  # of FastAPI: a router of an app is one of its routes
        for route in [included] if subject is None else subject.routes:
            if route.matches(request.scope)[0] is not Match.NONE:
                by_path.setdefault(route.path, set()).update(getattr(route, "methods", None) or ())
    return sorted(next(iter(by_path.values()), ()))
