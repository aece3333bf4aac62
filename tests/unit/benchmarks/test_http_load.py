"""The load generator against small servers whose behaviour is known."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.http_load import Load, target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STALL_S = 0.9


@contextmanager
def serving(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A server of one connection at a time that gives `answer(request)`; empty: it closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the test is over
                    return
                with connection:
                    while (request := read(connection)) and (given := answer(request)):
                        connection.sendall(given)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/things/1?k=2"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def read(connection: socket.socket) -> bytes:
    """One request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            received = connection.recv(1 << 16)
        except ConnectionResetError:
            return b""
        if not received:
            return b""
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
    while len(body) < length:
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body


def stalling() -> Callable[[bytes], bytes]:
    """Answers at once, but the first request only after `STALL_S`."""
    first = iter([STALL_S])

    def answer(_: bytes) -> bytes:
        time.sleep(next(first, 0))
        return OK

    return answer


def test_a_stall_counts_for_every_request_that_fell_due_in_it() -> None:
    with serving(stalling()) as url:
        figures = Load([url]).run(connections=1, seconds=1.0, rate=100)
    # Due evenly over a second, answered after 0.9 s at the earliest: half of them wait longer than 0.4 s.
    assert 350 < figures["p50_ms"] < 1500
    assert figures["p99_ms"] > 800


def test_a_closed_loop_asks_on_when_it_is_answered() -> None:
    with serving(stalling()) as url:
        figures = Load([url]).run(connections=1, seconds=1.2)
    assert figures["p50_ms"] < 100, "one request alone met the stall"
    assert figures["answers"] > 10
    assert figures["requests_per_s"] <= figures["answers"]


def test_an_open_loop_asks_at_the_rate_and_answers_all() -> None:
    due = np.cumsum(np.random.default_rng(3).exponential(1 / 300, 1024))
    with serving(lambda _: OK) as url:
        figures = Load([url]).run(connections=1, seconds=0.5, rate=300, seed=3)
    assert figures["answers"] == (due < 0.5).sum()
    assert figures["failed"] == 0
    assert figures["bytes"] == len(OK)


def test_refusals_and_lost_connections_are_failures() -> None:
    answers = iter([OK, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", b""])
    with serving(lambda _: next(answers)) as url:
        figures = Load([url]).run(connections=1, seconds=5)
    assert (figures["answers"], figures["failed"]) == (2, 2)


def test_answers_that_come_in_pieces_are_read_to_their_end() -> None:
    body = b"x" * 1_000_000
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + body
    with serving(lambda _: answer) as url:
        figures = Load([url]).run(connections=1, seconds=0.2)
    assert figures["bytes"] == len(answer)
    assert figures["failed"] == 0


def test_bodies_are_posted_in_turn_and_targets_keep_their_query() -> None:
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        return OK

    with serving(answer) as url:
        Load([url], [json.dumps({"n": n}) for n in range(2)]).run(connections=1, seconds=0.2)
    assert seen[0].startswith(b"POST /things/1?k=2 HTTP/1.1\r\n")
    assert [json.loads(request.partition(b"\r\n\r\n")[2])["n"] for request in seen[:3]] == [0, 1, 0]


def test_a_url_without_a_path_asks_for_the_root() -> None:
    assert target("http://host:80") == "/"
    assert target("http://host/a%2Fb?c=d") == "/a%2Fb?c=d"
