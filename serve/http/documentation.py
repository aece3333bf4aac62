"""The OpenAPI document: what a route answers is described by the struct that it is."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from msgspec import Struct
from msgspec.json import schema_components

from serve.answers import Answer
from serve.http.authentication import OPEN
from serve.http.problems import REFUSALS, Problem, responses

ADDRESS = "/openapi.json"
SCHEMAS = "#/components/schemas/"
_described: list[type[Struct]] = [Problem]


def answers(kind: type[Answer], *problems: int) -> dict[str, Any]:
    """For the decorator of a route: it answers with that struct, with a refusal, or with one of these problems."""
    described = open_answers(kind, *problems)
    described["responses"] |= REFUSALS
    return described


def open_answers(kind: type[Answer], *problems: int) -> dict[str, Any]:
    """As `answers`, for a route that neither keys nor limits refuse."""
    _described.append(kind)
    content = {"application/json": {"schema": {"$ref": f"{SCHEMAS}{kind.__name__}"}}}
    return {"responses": {200: {"content": content}, **responses(*problems)}}


def install(app: FastAPI, *, keys: bool) -> None:
    """Let `app` describe its answers, and which addresses need a key where `keys` are asked for."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = generate()  # which FastAPI keeps
        schemas = document["components"]["schemas"] | struct_schemas(*_described)
        document["components"]["schemas"] = dict(sorted(schemas.items()))
        if keys:
            _add_keys(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's way to extend the document
    _answer_with_it(app)


def _answer_with_it(app: FastAPI) -> None:
    """Add the document's address: FastAPI's own encodes 60 kB anew for everyone who asks, and strangers may."""

    @cache
    def encoded(root_path: str) -> bytes:
        document = app.openapi()
        if root_path:
            document = {**document, "servers": [{"url": root_path}, *document.get("servers", ())]}
        return bytes(JSONResponse(document).body)

    async def answer(request: Request) -> Response:
        return Response(encoded(request.scope.get("root_path", "").rstrip("/")), media_type="application/json")

    app.add_route(ADDRESS, answer, include_in_schema=False)


def struct_schemas(*kinds: type[Struct]) -> dict[str, Any]:
    """JSON schemas of structs and of those within them, by name."""
    _, schemas = schema_components(kinds, ref_template=f"{SCHEMAS}{{name}}")
    for schema in schemas.values():
        _complete(schema)
        for name, field in schema.get("properties", {}).items():  # an enumeration has none
            parts = (field, *field.get("anyOf", ()))
            if not any("$ref" in part for part in parts):
                field["title"] = name.replace("_", " ").title()  # what generators of clients name a type by
            for part in parts:
                _complete(part)
    return schemas


def _complete(part: dict[str, Any]) -> None:
    """Say what msgspec leaves to be understood: generators of clients ask for it."""
    if "enum" in part:
        part["type"] = "string"
        if len(part["enum"]) == 1:
            (part["const"],) = part.pop("enum")
    if part.get("type") == "object":
        part.setdefault("additionalProperties", True)


def _add_keys(document: dict[str, Any]) -> None:
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes["key"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path not in OPEN:
                operation["security"] = [{"key": []}]
