"""How often a caller may ask.

Every answer that the limit holds for says how much is left, in the fields RateLimit and RateLimit-Policy of the draft
draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.buckets import Buckets, Taken
from serve.connections.proxies import home_of
from serve.http.limits import limited
from serve.http.page_address import BELOW
from serve.http.problems import problem
from serve.metrics import Metrics

HEADERS = ("RateLimit", "RateLimit-Policy")


class RateLimit:
    """So many requests a second of each API key, or of each address where no key came."""

    def __init__(self, app: ASGIApp, buckets: Buckets, metrics: Metrics) -> None:
        self._app, self._buckets, self._metrics = app, buckets, metrics
        self._policy = policy(buckets.rate, buckets.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not limited(scope) or scope["path"].removeprefix(scope.get("root_path", "")).startswith(BELOW):
            await self._app(scope, receive, send)
            return
        taken = self._buckets.take(caller(scope))
        if taken.wait_s:
            self._metrics.refused("rate")
            detail = f"more than {self._buckets.rate:g} requests a second; try again in {taken.wait_s:.1f} s"
            headers = {**self._headers(taken), "Retry-After": str(math.ceil(taken.wait_s))}
            await problem(429, detail, headers)(scope, receive, send)
            return
        told = [(name.lower().encode(), value.encode()) for name, value in self._headers(taken).items()]

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *told]
            await send(message)

        await self._app(scope, receive, tell)

    def _headers(self, taken: Taken) -> Mapping[str, str]:
        return {
            "RateLimit": f'"default";r={taken.left};t={math.ceil(taken.full_s)}',
            "RateLimit-Policy": self._policy,
        }


def policy(rate: float, burst: int) -> str:
    """The limit as so many requests in a time of whole seconds: those of a full bucket, in what it takes to fill it."""
    seconds = max(1, math.ceil(burst / rate))
    return f'"default";q={max(burst, math.floor(rate * seconds))};w={seconds}'


def caller(scope: Scope) -> str:
    """Whose bucket a request takes from."""
    key = scope.get("key_name")
    if key is not None:
        return f"key {key}"
    client = scope.get("client")
    address = client[0] if client else "unknown"
    return f"address {home_of(address) if ':' in address else address}"
