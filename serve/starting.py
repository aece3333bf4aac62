"""What answers from the first moment: the app itself takes most of a second to import, and a bundle longer to load."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Protocol, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE

from recsys.core.errors import RecsysError
from serve import logs
from serve.http.request_ids import HEADER as REQUEST_ID
from serve.http.request_ids import request_id
from serve.settings import Settings
from serve.shared import Shared

if TYPE_CHECKING:
    from fastapi import FastAPI

logger = logging.getLogger(__name__)

T = TypeVar("T")

CRASHED = 1  # Python's exit code; signals have negative ones, what keeps a server from starting has greater ones

ALIVE: dict[str, object] = {"status": "ok"}
WAITING: dict[str, object] = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "the server is starting: its code is being read",
}
NOT_ALLOWED: dict[str, object] = {
    "type": "about:blank",
    "title": "Method Not Allowed",
    "status": 405,
    "detail": "Method Not Allowed",
}
HEALTH = "/health"
JSON, PROBLEM = b"application/json", b"application/problem+json"


class Text(Protocol):
    """A text that threads or processes share."""

    value: bytes


class Starting:
    """An ASGI app that says at once that the process is alive, and hands over to the server's app once that is made.

    The first process of a server does so, and ends with the exit code of the error where it has nothing to serve.
    Workers beside it take no request before they have loaded the bundle: one that is not ready would answer 503
    beside others that are.

    Attributes:
        first: whether it is the first process.
        served: version of the bundle that the first process serves; empty: it serves none yet.
        shared: what the processes have in common; None: the app makes its own.
    """

    def __init__(self, settings: Settings, served: Text, shared: Shared | None = None) -> None:
        """Nothing is imported before the process serves; a worker gets this object from the process that starts it."""
        self._settings, self.first, self.served, self.shared = settings, True, served, shared
        self._app: ASGIApp | None = None

    def trust_what_is_served(self) -> None:
        """From now on this starts workers beside the first, which has verified the files that they open."""
        self.first = False
        self.shared = replace(self.shared or Shared.of(self._settings), later=True)
        self._settings = self._settings.model_copy(update={"trusted_version": self.served.value.decode()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            if multiprocessing.parent_process() is not None:
                logs.catch_what_escapes()
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _answer(scope, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # that the process starts
        stop, listen = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(self._serve(stop, listen))
        if not self.first:
            with _told_to_end(listen):
                await listen.wait()
        await send({"type": "lifespan.startup.complete"})
        await receive()  # that the process is told to stop
        stop.set()
        await serving
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, stop: asyncio.Event, listen: asyncio.Event) -> None:
        """Make the app and let it serve until told to stop; `listen` is set when it has a bundle, or there is none.

        Where there is nothing to serve, the process ends: the first one with the exit code of the error.
        """
        try:
            app = await asyncio.to_thread(_make_app, self._settings, self.shared)
            async with app.router.lifespan_context(app):
                self._app = app
                bundles = app.state.parts.bundles
                error = await _either(asyncio.wrap_future(bundles.first), stop)
                if error is not None and self.first:
                    raise error
                if bundles.info is not None and self.first:
                    self.served.value = bundles.info.version.encode()
                listen.set()
                await stop.wait()
        except RecsysError as error:
            logger.critical("%s: %s", type(error).__name__, error)
            _end(error.exit_code if self.first else CRASHED)
        except Exception:  # a bug: the process must not go on to say that it is starting
            logger.exception("The server cannot start")
            _end(STARTUP_FAILURE if self.first else CRASHED)


@contextmanager
def _told_to_end(event: asyncio.Event) -> Iterator[None]:
    """Set the event at a signal to end, too: uvicorn, which takes note of it, says so after the start alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, frame: FrameType | None) -> None:
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        loop.call_soon_threadsafe(event.set)

    for number in handlers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _end(code: int) -> None:
    """End the event loop, and so the process."""
    asyncio.get_running_loop().call_soon(sys.exit, code)


def _make_app(settings: Settings, shared: Shared | None) -> FastAPI:
    from serve.app import create_app  # noqa: PLC0415  # what takes its time, while the process answers already

    return create_app(settings, early=True, shared=shared)


async def _either(first: asyncio.Future[T], stop: asyncio.Event) -> T | None:
    """What the future gives, or None where the process is told to stop before."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((first, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    return first.result() if first.done() else None


async def _answer(scope: Scope, send: Send) -> None:
    """What the app itself would answer: to /health, that the process lives; to all else, that it is not ready."""
    if scope["path"] != HEALTH:
        status, media_type, content, more = 503, PROBLEM, WAITING, [(b"retry-after", b"1")]
    elif scope["method"] != "GET":
        status, media_type, content, more = 405, PROBLEM, NOT_ALLOWED, [(b"allow", b"GET")]
    else:
        status, media_type, content, more = 200, JSON, ALIVE, []
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (REQUEST_ID, request_id(scope["headers"]).encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
