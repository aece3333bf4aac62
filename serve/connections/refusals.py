"""Answers to what never becomes a request: the bytes of a problem document, after which the connection ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

TITLES = {414: "URI Too Long"}  # as RFC 9110 calls it; Python's name is that of an older one


def refusal(status: int, detail: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """A whole answer. `headers`: those of every answer, such as the date."""
    own, body = _answer(status, detail)
    lines = [f"HTTP/1.1 {status} {_title(status)}".encode("ascii")]
    lines += [name + b": " + value for name, value in (*headers, *own)]
    return b"\r\n".join([*lines, b"", body])


def refusing(status: int, detail: str) -> ASGIApp:
    """An app that gives such an answer, for a request whose turn is not yet."""
    headers, body = _answer(status, detail)

    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return refuse


def _answer(status: int, detail: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body."""
    body = json.dumps({"type": "about:blank", "title": _title(status), "status": status, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"1"))
    return headers, body


def _title(status: int) -> str:
    return TITLES.get(status) or HTTPStatus(status).phrase
