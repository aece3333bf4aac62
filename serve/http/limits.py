"""What a request may take: how long a query or body, how many at once. Refused before anything is computed."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.http.problems import problem
from serve.metrics import Metrics

# The rest of a body that is not wanted may come for ever: the answer is the connection's last one.
CLOSE = {"Connection": "close"}
UNLIMITED = frozenset({"/health", "/ready", "/metrics"})
BODIES_AT_ONCE = 64  # of the greatest length, in part
MAX_QUERY_BYTES = 16_384  # a name of 512 characters takes 6 KiB where each is escaped
MAX_PARAMETERS = 64
_CUT_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class QueryLimit:
    """Refuses queries that are longer than any that can be meant, and texts in them that are none."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"")
        short = len(query) < MAX_PARAMETERS and b"%" not in query  # as nearly all are: nothing can be wrong with it
        fault = None if short else fault_of_query(query)
        if fault is None:
            await self._app(scope, receive, send)
            return
        self._metrics.refused("query")
        await problem(*fault)(scope, receive, send)


def fault_of_query(query: bytes) -> tuple[int, str] | None:
    """Status and detail of the refusal of a query that cannot be meant."""
    if len(query) > MAX_QUERY_BYTES:
        return 414, f"expected a query of {MAX_QUERY_BYTES:,} bytes at most, got {len(query):,}"
    if query.count(b"&") >= MAX_PARAMETERS:
        return 422, f"expected {MAX_PARAMETERS} query parameters at most, got {query.count(b'&') + 1:,}"
    if b"%" in query:
        try:
            unquote_to_bytes(query).decode()
        except UnicodeDecodeError as error:
            return 422, f"query: expected percent-encoded UTF-8, got {error.object[error.start : error.end]!r}"
        cut = _CUT_ESCAPE.search(query)
        if cut:
            return 422, f"query: expected two hexadecimal digits after %, got {query[cut.start() : cut.start() + 3]!r}"
    return None


class TooManyBodiesError(Exception):
    """Clients have sent parts of more bodies than are held at once."""


class BodyLimit:
    """Reads the whole body of a request before it counts as one that is being answered, if it is not too long."""

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_s: float, metrics: Metrics) -> None:
        self._app, self._max_bytes, self._timeout_s, self._metrics = app, max_bytes, timeout_s, metrics
        self._held = 0  # bytes of bodies that are not whole yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await self._read(scope, receive)
        except TimeoutError:
            self._metrics.refused("slow body")
            await problem(408, f"no whole body within {self._timeout_s:g} s", CLOSE)(scope, receive, send)
            return
        except ClientDisconnect:
            return
        except TooManyBodiesError:
            self._metrics.refused("bodies")
            await problem(503, "too many bodies are being read; try again in a moment", CLOSE)(scope, receive, send)
            return
        if body is None:
            self._metrics.refused("body")
            await problem(413, f"expected a body of {self._max_bytes} bytes at most", CLOSE)(scope, receive, send)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, receive_again, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The body; None if it is too long.

        Raises:
            ClientDisconnect: before all of it came: a part that happens to be sound is not what was meant.
            TooManyBodiesError: as much of them is held as there may be.
        """
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if declared.isdigit() and int(declared[:20]) > self._max_bytes:
            return None
        parts, length = [], 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                part = message.get("body", b"")
                parts.append(part)
                length += len(part)
                self._held += len(part)
                if length > self._max_bytes:
                    return None
                if not message.get("more_body", False):
                    return b"".join(parts)
                if self._held > BODIES_AT_ONCE * self._max_bytes:
                    raise TooManyBodiesError
        finally:
            self._held -= length


class ConcurrencyLimit:
    """Answers 503 at once where more requests are being answered than the server can serve in a short time."""

    def __init__(self, app: ASGIApp, most: int, metrics: Metrics) -> None:
        self._app, self._most, self._metrics = app, most, metrics
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not limited(scope):
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            self._metrics.refused("overload")
            await problem(503, f"{self._under_way} requests are being answered; try again in a moment")(
                scope, receive, send
            )
            return
        self._under_way += 1
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
            self._metrics.in_flight.dec()


def limited(scope: Scope) -> bool:
    """Whether limits hold for a request; those that look after the server are answered always."""
    return scope["type"] == "http" and scope["path"].removeprefix(scope.get("root_path", "")) not in UNLIMITED


def _has_body(scope: Scope) -> bool:
    for name, _ in scope["headers"]:  # noqa: SIM110  # a generator takes three times as long
        if name in (b"content-length", b"transfer-encoding"):
            return True
    return False
