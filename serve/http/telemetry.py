"""Around every request: an id, a measurement, a line of the log, and an answer even where the code has a bug."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve import logs
from serve.http.problems import problem
from serve.http.request_ids import HEADER, request_id
from serve.metrics import Metrics

logger = logging.getLogger(__name__)
access = logging.getLogger("serve.access")

UNMATCHED = "none"


class Telemetry:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access_log: bool) -> None:
        self._app, self._metrics, self._access_log = app, metrics, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        name = request_id(scope["headers"])
        scope["request_id"] = name
        token = logs.request_id.set(name)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, name.encode("ascii"))]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("A request met a bug: %s %s", scope["method"], scope["path"])
            if status:
                raise  # the answer is under way: all that is left is to cut it off
            await problem(500, "the server failed to answer; its log says why")(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", UNMATCHED)
            if status:  # else the client has gone
                self._metrics.answered(route, _method(scope), status, seconds)
            if self._access_log:
                _log_access(scope, route, status, seconds)
            logs.request_id.reset(token)


def _method(scope: Scope) -> str:
    """The method as a label: a client may invent any, and each would be kept."""
    method: str = scope["method"]
    return method if method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE") else "other"


def _log_access(scope: Scope, route: str, status: int, seconds: float) -> None:
    client = scope.get("client")
    access.info(
        "%s %s %d",
        scope["method"],
        scope["path"],
        status,
        extra={
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 3),
            "client": client[0] if client else None,
            "key": scope.get("key_name"),
        },
    )
