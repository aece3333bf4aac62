"""Around every request: an id, a measurement, a line of the log, and an answer even where the code has a bug."""

from __future__ import annotations

import logging
import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve import logs
from serve.http.problems import problem
from serve.metrics import Metrics

logger = logging.getLogger(__name__)
access = logging.getLogger("serve.access")

HEADER = b"x-request-id"
_random = random.Random()  # asking the system each time would hand the interpreter to the scoring thread
_SOUND_ID = re.compile(rb"[\w.:-]{1,128}")
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
        request_id = _request_id(scope)
        scope["request_id"] = request_id
        token = logs.request_id.set(request_id)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id.encode("ascii"))]
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
            self._metrics.answered(route, _method(scope), status, seconds)
            if self._access_log:
                _log_access(scope, route, status, seconds)
            logs.request_id.reset(token)


def _request_id(scope: Scope) -> str:
    """The client's id of the request where it is a sound one, else a new one."""
    for name, value in scope["headers"]:
        if name == HEADER:
            if _SOUND_ID.fullmatch(value):
                return str(value.decode("ascii"))
            break
    return f"{_random.getrandbits(96):024x}"


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
