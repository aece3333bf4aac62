"""One connection: how much of a head is read, how long is waited for what, and how it ends."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.connections.protocol import LEAST_READ, LINGER_S, MAX_DRAINED, MAX_HEADERS, MAX_PIPELINED, Connection
from tests.support.wires import House, answer, hello, in_house

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
MAX_HEAD = 2000
FOREVER_S = 60.0


def post(length: int, body: bytes = b"") -> bytes:
    return b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length + body


def chunked(*lines: bytes) -> bytes:
    return b"\r\n".join([b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", *lines, b""])


def padded(length: int) -> bytes:
    """A request whose head is so long."""
    start, end = b"GET /x HTTP/1.1\r\nHost: ", b"\r\n\r\n"
    return start + b"a" * (length - len(start) - len(end)) + end


def cut(data: bytes, length: int) -> Iterator[bytes]:
    return (data[start : start + length] for start in range(0, len(data), length))


class Counted:
    """A parser that counts the bytes it is given."""

    def __init__(self, connection: Connection) -> None:
        self.parser, self.bytes = connection.parser, 0
        connection.parser = self  # type: ignore[assignment]

    def feed_data(self, data: bytes) -> None:
        self.bytes += len(data)
        self.parser.feed_data(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.parser, name)


@pytest.mark.parametrize("length", [7, 1999, 10_000_000])
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (padded(MAX_HEAD + 1), 431),
        (padded(400_000), 431),
        (b"GET /" + b"a" * 400_000, 414),
        (b"\r\n" * 200_000, 431),
        (chunked(b"1;" + b"a" * 400_000), 400),
        (chunked(b"1", b"a", b"0", b"X-Trailer: " + b"a" * 400_000), 400),
    ],
)
def test_no_more_of_a_head_is_read_than_allowed(request_: bytes, status: int, length: int) -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        parser = Counted(connection)
        for part in cut(request_, length):
            connection.data_received(part)
        await house.settle()
        assert wire.statuses == [status]
        assert wire.ended
        assert parser.bytes <= MAX_HEAD * (1 if status > 400 else 2), "of a head the limit; as much again around a body"
        await house.wait(LINGER_S + 1)
        assert wire.closed

    in_house(visit, max_head_bytes=MAX_HEAD)


@pytest.mark.parametrize("length", [7, 1999, 10_000_000])
@pytest.mark.parametrize("request_", [padded(MAX_HEAD), post(500_000, b"b" * 500_000), GET])
def test_a_sound_request_is_answered_however_it_comes(request_: bytes, length: int) -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        for _ in range(3):
            for part in cut(request_, length):
                connection.data_received(part)
                if connection.flow.read_paused:
                    await house.settle()
            await house.settle()
        assert wire.statuses == [200] * 3
        assert not wire.ended

    in_house(visit, max_head_bytes=MAX_HEAD)


def test_so_many_header_fields_and_no_more() -> None:
    def head(fields: int) -> bytes:
        return b"GET /x HTTP/1.1\r\n" + b"".join(b"h%d: 1\r\n" % n for n in range(fields)) + b"\r\n"

    async def visit(house: House) -> None:
        for fields, status in ((MAX_HEADERS, 200), (MAX_HEADERS + 1, 431)):
            wire, connection = house.connect()
            connection.data_received(head(fields))
            await house.settle()
            assert wire.statuses == [status]

    in_house(visit)


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [(b"", []), (b"GET /x HTT", [408]), (GET, [200]), (GET + b"GET", [200]), (post(5, b"abc"), [408])],
)
def test_every_wait_for_a_client_ends(sent: bytes, statuses: list[int]) -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        if sent:
            connection.data_received(sent)
        await house.wait(FOREVER_S)
        assert wire.statuses == statuses
        assert wire.closed

    in_house(visit)


def test_a_head_in_time_may_be_slow_and_one_that_trickles_is_refused() -> None:
    async def visit(house: House) -> None:
        slow, slow_one = house.connect()
        trickling, trickling_one = house.connect()
        for part, byte in zip(cut(GET, 4), cut(GET, 1), strict=False):
            slow_one.data_received(part)
            trickling_one.data_received(byte)
            await house.wait(1.25)
        await house.wait(2)
        assert slow.statuses == [200]
        assert trickling.statuses == [408]

    in_house(visit)


def test_an_idle_connection_is_kept_for_the_next_request() -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        for _ in range(5):
            connection.data_received(GET)
            await house.wait(4)
        assert wire.statuses == [200] * 5
        await house.wait(2)
        assert wire.closed

    in_house(visit)


def test_work_has_no_end_but_the_apps() -> None:
    done = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await done.wait()
        await answer(send)

    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(GET)
        await house.wait(FOREVER_S)
        assert (wire.statuses, wire.ended) == ([], False)
        done.set()
        await house.settle()
        assert wire.statuses == [200]

    in_house(visit, slow)


async def refuse_body(scope: Any, receive: Any, send: Any) -> None:
    """An app that answers without a look at the body, and for good."""
    await answer(send, (b"connection", b"close"))


async def ignore_body(scope: Any, receive: Any, send: Any) -> None:
    await answer(send)


@pytest.mark.parametrize("app", [refuse_body, ignore_body])
def test_a_body_trickled_after_the_answer_holds_no_connection(app: Any) -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(post(1000))
        for _ in range(40):
            await house.wait(0.25)
            if wire.closed:
                break
            connection.data_received(b"b")
        assert wire.statuses == [200]
        assert wire.closed

    in_house(visit, app)


def test_a_body_that_comes_after_the_answer_costs_its_connection_little() -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(post(1 << 30))
        await house.settle()
        assert wire.ended
        assert not wire.closed, "the client gets a moment to read the answer"
        for _ in range(MAX_DRAINED // 1_000_000 + 1):
            connection.data_received(b"b" * 1_000_000)
        assert wire.aborted
        assert len(connection.cycle.body) == 0

    in_house(visit, refuse_body)


def test_a_body_unread_but_whole_keeps_the_connection() -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        for _ in range(3):
            connection.data_received(post(1000))
            await house.settle()
            connection.data_received(b"b" * 1000)
        await house.settle()
        assert wire.statuses == [200] * 3
        assert not wire.ended

    in_house(visit, ignore_body)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 50,
        bytes.fromhex("16030100a5010000a10303") + b"\1" * 150,
        b"hello\r\n\r\n",
        post(0).replace(b": 0", b": -5"),
        b"POST /x HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHo st: a\r\n\r\n",
        b"GET /x HTTP/1.1\r\n\xff: a\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA: \0\r\n\r\n",
        b"GET /x HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\n\r\n",
        b"GET http://host HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/9.9\r\n\r\n",
        b"CONNECT host:443 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        chunked(b"ffffffffffffffffff"),
        chunked(b"-1"),
        chunked(b"4", b"abcd", b"zz"),
    ],
)
def test_what_is_no_request_is_refused(garbage: bytes) -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(garbage)
        await house.settle()
        assert wire.statuses == [400]
        assert b"application/problem+json" in wire.written
        assert wire.ended
        # After a request that has no answer yet, no answer of that kind may stand: it would pass for the other one's.
        wire, connection = house.connect()
        connection.data_received(GET + garbage)
        await house.settle()
        assert wire.statuses in ([200], [200, 400])
        assert wire.ended

    in_house(visit)


def test_requests_sent_ahead_are_answered_in_turn_and_not_too_many() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, (b"x-path", scope["raw_path"]))

    def requests(count: int) -> bytes:
        return b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(count))

    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(requests(MAX_PIPELINED))
        await house.wait(1)
        asked = [f"/{n}".encode() for n in range(MAX_PIPELINED)]
        assert [line[8:] for line in wire.written.split(b"\r\n") if line.startswith(b"x-path")] == asked
        wire, connection = house.connect()
        connection.data_received(requests(5000))
        await house.wait(1)
        assert wire.statuses == [200] * (MAX_PIPELINED + 1)
        assert wire.ended

    in_house(visit, echo)


def test_fields_after_a_body_are_none_of_the_request() -> None:
    seen: list[Any] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        await hello(scope, receive, send)
        seen.extend(name for name, _ in scope["headers"])

    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(chunked(b"1", b"a", b"0", b"X-API-Key: k", b""))
        await house.settle()
        assert wire.statuses == [200]
        assert seen == [b"host", b"transfer-encoding"]

    in_house(visit, note)


def test_an_upgrade_is_not_made_and_the_request_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    async def visit(house: House) -> None:
        for protocol in (b"h2c", b"websocket"):
            wire, connection = house.connect()
            head = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"
            connection.data_received(head % protocol + b"\0\0frames")
            await house.settle()
            assert wire.statuses == [200]
            assert b"connection: close" in wire.written
            assert wire.ended

    in_house(visit)
    assert {record.name for record in caplog.records} <= {"uvicorn.access"}, "nobody is warned of what was asked"


def test_a_body_that_asks_for_another_protocol_is_not_taken_for_none() -> None:
    async def visit(house: House) -> None:
        head = post(3).replace(b"Host: a\r\n", b"Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n")
        for before in ([], [200]):
            wire, connection = house.connect()
            connection.data_received(GET * len(before) + head + b"abc")
            await house.settle()
            assert wire.statuses == [*before, 400]
            assert b"Upgrade" in wire.written
            assert wire.ended

    in_house(visit)


@pytest.mark.parametrize("read_each_time", [0, 100, LEAST_READ])
def test_a_client_that_does_not_read_is_let_go(read_each_time: int) -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(GET)
        wire.unread = 10 * LEAST_READ
        connection.pause_writing()
        await house.settle()
        for _ in range(8):
            await house.wait(9)
            wire.unread -= read_each_time
        assert wire.aborted == (read_each_time < LEAST_READ)
        if not wire.aborted:
            wire.unread = 0
            connection.resume_writing()
            await house.settle()
            assert wire.statuses == [200]
            await house.wait(FOREVER_S)
            assert wire.closed
            assert not wire.aborted

    in_house(visit)


def test_what_a_client_never_reads_does_not_outlive_its_connection() -> None:
    """Less than what stops the app from writing, but more than the system takes."""

    async def visit(house: House) -> None:
        wire, connection = house.connect()
        connection.data_received(GET)
        wire.unread = 1000
        await house.wait(FOREVER_S)
        assert wire.aborted

    in_house(visit)


PIECES = st.one_of(
    st.sampled_from(
        [GET, post(3, b"abc"), post(3), chunked(b"1", b"a", b"0", b""), chunked(b"5"), b"\r\n", b"a: b\r\n"]
    ),
    st.sampled_from([b"GET / HTTP/1.0\r\n\r\n", b"Connection: close\r\n", b"GET /%zz?a&&=%ff#x HTTP/1.1\r\n"]),
    st.binary(max_size=40),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(PIECES, st.sampled_from([0.0, 0.0, 0.25, 3.0])), max_size=8))
def test_whatever_comes_it_is_answered_or_refused_and_ends(sent: list[tuple[bytes, float]]) -> None:
    async def visit(house: House) -> None:
        wire, connection = house.connect()
        for data, pause in sent:
            if wire.closed:
                break
            connection.data_received(data)
            await house.wait(pause)
        await house.wait(FOREVER_S)
        assert wire.closed
        assert not (set(wire.statuses) - {200, 400, 408})
        assert not [status for status in wire.statuses[:-1] if status != 200], "a refusal is the last answer"
        assert len(wire.statuses) <= sum(data.count(b"HTTP/1") for data, _ in sent) + 1

    in_house(visit)
