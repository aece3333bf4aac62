"""Connections without sockets, and a clock that tests move."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from serve.connections.door import ConnectionLimits, Door
from serve.connections.protocol import Connection
from serve.connections.proxies import TrustedProxies

STEP_S = 0.25
App = Callable[[Any, Any, Any], Awaitable[None]]


class ClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose time goes on when it is told to."""

    now = 1000.0

    def time(self) -> float:
        return self.now


class Wire(asyncio.Transport):
    """A transport that keeps what is written. Tests say how much of that its client leaves unread."""

    def __init__(self, host: str, connection: Connection) -> None:
        super().__init__({"peername": (host, 50_000), "sockname": ("192.0.2.2", 8000)})
        self.connection = connection
        self.written = b""
        self.ended = self.closing = self.closed = self.aborted = False
        self.unread = 0

    def write(self, data: Any) -> None:
        assert not self.ended, "written after the end"
        self.written += data

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = self.closing = True
        if not self.unread:
            self._lose()

    def abort(self) -> None:
        self.ended = self.closing = self.aborted = True
        self._lose()

    def _lose(self) -> None:
        if not self.closed:
            self.closed = True
            self.connection.loop.call_soon(self.connection.connection_lost, None)

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unread

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1.1 (\d{3})", self.written)]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """An app that answers once it has the body."""
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] != "http.disconnect":
        await answer(send)


async def answer(send: Any, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2"), *headers]})
    await send({"type": "http.response.body", "body": b"ok"})


class House:
    """A door, and the connections that come to it."""

    def __init__(self, loop: ClockLoop, app: App, proxies: TrustedProxies, **limits: Any) -> None:
        self.loop = loop
        self.door = Door(ConnectionLimits(**limits), proxies)
        self.config = Config(app, ws="none", proxy_headers=False, log_config=None)
        self.config.load()
        self.state = ServerState()
        self.wires: list[Wire] = []

    def connect(self, host: str = "192.0.2.1") -> tuple[Wire, Connection]:
        connection = Connection(self.config, self.state, {}, self.loop, door=self.door)
        wire = Wire(host, connection)
        self.wires.append(wire)
        connection.connection_made(wire)
        return wire, connection

    async def visited(self, visit: Callable[[House], Coroutine[Any, Any, None]]) -> None:
        """A visit, after which every connection is cut."""
        await visit(self)
        for wire in self.wires:
            wire.abort()
        await self.settle()

    async def settle(self) -> None:
        """Let the app answer."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.loop.now + seconds
        while self.loop.now < end:
            self.loop.now += STEP_S
            await self.settle()


def in_house(
    visit: Callable[[House], Coroutine[Any, Any, None]],
    app: App = hello,
    proxies: TrustedProxies = TrustedProxies(),  # noqa: B008  # never changed
    **limits: Any,
) -> None:
    """Run a visit."""
    loop = ClockLoop()
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(House(loop, app, proxies, **limits).visited(visit))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
