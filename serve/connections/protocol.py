"""HTTP over one connection: uvicorn's protocol, with an end to everything that a client may keep it waiting with."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from serve.connections.door import AT_WORK, Door
from serve.connections.refusals import refusal, refusing
from serve.connections.transport import EndingTransport

MAX_HEADERS = 100
MAX_PIPELINED = 32  # requests sent ahead that wait for their turn
LINGER_S = 2.0  # for a client to notice an answer that came before the end of its request
MAX_DRAINED = 16 << 20  # bytes thrown away meanwhile
LEAST_READ = 65_536  # bytes of an answer that a client has to read within the limit's seconds, or the rest


class Reading(Enum):
    """How far the client's latest request has been read."""

    HEAD = auto()
    BODY = auto()
    WHOLE = auto()  # or nothing of one


HEAD, BODY, WHOLE = Reading  # a member of an enum takes three times as long to look up


class RefusedError(Exception):
    """Raised while a request is read: the status to answer with, and why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Connection(HttpToolsProtocol):
    """One connection, in its process's count.

    A head is read up to a number of bytes and within a time; what is no HTTP is answered 400; each wait for the
    client has an end. An answer given before its request was read whole ends the connection, once the client had
    a moment to read it: what it still sends is thrown away.

    Attributes:
        home, since, deadline, unread: for the door.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        door: Door,
    ) -> None:
        """As uvicorn makes it, and with the door of this process."""
        super().__init__(config, server_state, app_state, _loop)
        self._door, self._limits = door, door.limits
        self.url = b""
        self._reading = WHOLE
        self._fruitless = 0  # bytes since a head began, that are part of no body
        self._deaf = False  # what comes is thrown away
        self._ended = False  # nothing more is written
        self._drained = 0
        self._by_proxy = False
        self.home: object = None
        self.since, self.deadline, self.unread = 0.0, AT_WORK, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._socket = transport
        self.transport: EndingTransport = EndingTransport(transport, self.end)  # type: ignore[assignment]
        host = self.client[0] if self.client else None
        self._by_proxy = self._door.proxies.trusts(host)
        self.home = self._door.home_of(host)
        if self._door.enter(self, self.loop):
            self._wait(self._limits.head_s)
        else:
            self._deaf = True
            transport.write(refusal(503, "too many connections; try again in a moment"))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.leave(self)
        self.transport.fall_silent()
        super().connection_lost(exc)

    # What comes from the client

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._drain(len(data))
            return
        room = self._limits.max_head_bytes - self._fruitless
        if len(data) <= room:
            self._feed(data)
            return
        # Whatever stands in it, no head gets longer than it may before it is looked at.
        step, view = self._limits.max_head_bytes, memoryview(data)
        start, end = 0, room
        while start < len(data) and not self._deaf:
            self._feed(view[start:end])
            start, end = end, end + max(step - self._fruitless, 1)

    def _feed(self, data: bytes | memoryview) -> None:
        before = self._reading
        if before is WHOLE:
            self._reading = HEAD
        self._fruitless += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._refuse_for(error)
            return
        except httptools.HttpParserUpgrade:
            self._keep_to_http()
            return
        now = self._reading
        if now is HEAD:
            if self._fruitless >= self._limits.max_head_bytes:
                self._refuse_long_head()
            elif before is WHOLE:
                self._wait(self._limits.head_s)
        elif now is BODY:
            if self._fruitless >= self._limits.max_head_bytes:
                self._refuse(400, "expected a body, got bytes around it alone")
            elif before is not BODY:
                # The app, which knows the setting, says so first if the body does not come.
                self._wait(self._limits.body_s + LINGER_S)
            elif self.cycle.response_complete:
                self._drain(len(data))

    def _keep_to_http(self) -> None:
        """Of a request to speak another protocol: answer it in this one, as the connection's last.

        The parser takes what follows the head for the other protocol, so there is no body to answer with one.
        """
        headers = self.cycle.scope["headers"]
        if any(name in (b"content-length", b"transfer-encoding") and value != b"0" for name, value in headers):
            self._reading = BODY
            self._refuse(400, "expected a request with a body to ask for no other protocol (the header Upgrade)")
            return
        self.cycle.keep_alive = False
        self._deaf = True

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS:
            raise RefusedError(431, f"expected {MAX_HEADERS} header fields at most")
        if len(self.pipeline) >= MAX_PIPELINED:
            raise RefusedError(400, f"expected {MAX_PIPELINED} requests sent ahead at most")
        if self._by_proxy:
            self._door.proxies.apply(self.scope)  # type: ignore[arg-type]  # a mapping, whatever its keys
        super().on_headers_complete()
        self.headers = []  # those after a body, which nobody asked for, do not get into the request's
        self._reading, self._fruitless = BODY, 0

    def on_body(self, body: bytes) -> None:
        self._fruitless = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._reading, self._fruitless = WHOLE, 0
        if self.cycle.response_complete:
            self._drained = 0
            self._wait(self._limits.idle_s)
        elif not self.unread:
            self.deadline = AT_WORK

    # What comes from the app

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self._ended or self._socket.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._reading is WHOLE:
            self._wait(self._limits.idle_s)
        elif self._reading is BODY:
            self._wait(LINGER_S)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait(self._limits.send_s)
        self.unread = self._socket.get_write_buffer_size()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.unread = 0
        if self._ended:
            self._wait(LINGER_S)
        elif self.cycle is None or self.cycle.response_complete:
            self._wait(self._limits.idle_s)
        else:
            self.deadline = AT_WORK

    # Waits and ends

    def _wait(self, seconds: float) -> None:
        """From now on the client is waited for, unless it is already, to read an answer."""
        if not self.unread:
            self.since = self.loop.time()
            self.deadline = self.since + seconds

    def expire(self, now: float) -> None:
        """As the door says: the wait has ended."""
        unread = self._socket.get_write_buffer_size()
        if 0 < unread <= self.unread - LEAST_READ:
            self.unread, self.deadline = unread, now + self._limits.send_s
        elif self._ended or self.flow.write_paused:
            self._cut("nothing read" if unread else "lingered")
        elif self._reading is HEAD:
            self._refuse(408, f"no whole head within {self._limits.head_s:g} s")
        elif self._reading is BODY and not self.cycle.response_complete:
            self._refuse(408, f"no whole body within {self._limits.body_s:g} s")
        else:
            self.end()

    def make_room(self) -> None:
        """As the door says: others want to come in."""
        self._door.leave(self)
        self._cut("made room")

    def shutdown(self) -> None:
        """As uvicorn says: the process ends."""
        if self.cycle is None or self.cycle.response_complete:
            self._socket.close()
        else:
            self.cycle.keep_alive = False

    def end(self) -> None:
        """End the connection once what was answered is on its way."""
        if self._ended or self._socket.is_closing():
            return
        self.flow.resume_reading()
        if self._reading is WHOLE and not self._deaf:
            self._socket.close()
        else:
            self._socket.write_eof()  # closed with bytes unread, the system would take the answer back
        self.transport.fall_silent()
        self._deaf = self._ended = True
        self._wait(LINGER_S)

    def _drain(self, count: int) -> None:
        """Throw bytes away, so many and no more."""
        self._drained += count
        if self._drained > MAX_DRAINED:
            self._cut("sent on")

    def _cut(self, why: str) -> None:
        """End the connection, whatever is on its way."""
        self._door.refused(why)
        self.transport.fall_silent()
        self._socket.abort()

    def _refuse_for(self, error: httptools.HttpParserError) -> None:
        cause = error.__context__
        if isinstance(cause, RefusedError):
            self._refuse(cause.status, cause.detail)
        else:
            self._refuse(400, "expected HTTP/1.1")

    def _refuse_long_head(self) -> None:
        most = self._limits.max_head_bytes
        status = 414 if len(self.url) > most // 2 else 431
        self._refuse(status, f"expected a head of {most} bytes at most: request line and header fields")

    def _refuse(self, status: int, detail: str) -> None:
        """Answer what cannot be read, where it is its turn, and end the connection."""
        self._door.refused(f"{status} {detail}")
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self.pipeline or self._reading is not BODY or cycle.response_started:
                # An earlier request has no answer yet: this one would pass for it.
                if self.pipeline and self._reading is BODY:
                    self.pipeline[0] = (cycle, refusing(status, detail))  # type: ignore[assignment]
                cycle.keep_alive = False
                self._deaf = True
                if not self.unread:
                    self.deadline = AT_WORK
                return
            cycle.disconnected = True
            cycle.message_event.set()
        if self._reading is not BODY or cycle is None or not cycle.response_complete:
            self._socket.write(refusal(status, detail, self.server_state.default_headers))
        self._reading = HEAD  # it will never be read whole
        self.end()
