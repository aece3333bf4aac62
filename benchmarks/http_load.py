"""A load generator for HTTP: kept connections, closed or open loop, less than 0.1 ms of CPU a request.

    python benchmarks/http_load.py URL [URL ...] --connections 64 --seconds 5
    python benchmarks/http_load.py URL [URL ...] --rate 500 --seconds 5

In the closed loop each connection asks for the next URL as soon as it is answered; wrk does that where it is
installed. In the open loop (--rate) requests fall due at random moments, that many a second on average, whether or not
the earlier ones are answered. A latency counts from the moment when the request was due, so that a stall of the server
shows in every request that it delays (no coordinated omission); wrk and hey cannot do that. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

GRACE_S = 10.0  # how long the end of an open loop waits for answers to requests that were due in time
WRK_SCRIPT = """
local paths, n = {}, 0
for path in io.lines(os.getenv("LOAD_PATHS")) do paths[#paths + 1] = path end
function request()
  n = n % #paths + 1
  return wrk.format("GET", paths[n])
end
function done(summary, latency)
  local e = summary.errors
  print(string.format("%d %d %d %f %f %d %d", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
"""


class Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parts: list[bytes] = []
        self._missing = 0  # bytes of the answer still to be received, 0 until its head is complete
        self.due = 0.0

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The whole answer; None while a part of it is missing.

        Raises:
            ConnectionError: the server has closed the connection.
        """
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionResetError
        self._parts.append(data)
        if self._missing:
            self._missing -= len(data)
        else:
            answer = b"".join(self._parts)
            self._parts = [answer]
            head, separator, body = answer.partition(b"\r\n\r\n")
            if not separator:
                return None
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self._missing = int(length[15:]) - len(body)
        if self._missing:
            return None
        answer, self._parts = b"".join(self._parts), []
        return answer


class Load:
    """The requests that all connections send in turn, and the figures of their answers."""

    def __init__(self, urls: Sequence[str], bodies: Sequence[str] = ()) -> None:
        """`bodies`: JSON texts to post to the URLs; without any, the URLs are requested by GET."""
        first = urlsplit(urls[0])
        self._host, self._port = first.hostname or "localhost", first.port or 80
        pairs = zip(cycle(urls), bodies, strict=False) if bodies else ((url, None) for url in urls)
        self._requests = cycle([_request(first.netloc, target(url), body) for url, body in pairs])
        self._latencies: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._bytes = self._lost = 0

    def run(self, connections: int, seconds: float, rate: float | None = None, seed: int = 0) -> dict[str, Any]:
        """Figures of one run: rates a second, latencies in milliseconds.

        Args:
            connections: number kept open; requests of an open loop that are due while all are busy wait.
            seconds: how long requests are sent.
            rate: requests due a second in an open loop; None for a closed loop.
            seed: of the moments when requests are due.
        """
        idle = deque(Connection(self._host, self._port) for _ in range(connections))
        busy: set[Connection] = set()
        started = time.perf_counter()
        end = started + seconds
        due = _arrivals(started, end, rate, seed)
        following = next(due, None)
        while (now := time.perf_counter()) < end or (rate and (busy or following) and now < end + GRACE_S):
            while idle and following is not None and following <= now:
                connection = idle.popleft()
                connection.send(next(self._requests), following if rate else now)
                busy.add(connection)
                following = next(due, None)
            wait = (following if idle and following is not None else max(end, now + 0.1)) - now
            for connection in select.select(busy, (), (), max(wait, 0))[0]:
                self._receive(connection, idle, busy)
            if not busy and not idle:
                break
        elapsed = min(time.perf_counter(), end) - started
        unanswered = len(busy) + (following is not None) + sum(1 for _ in due) if rate else 0
        for connection in (*idle, *busy):
            connection.socket.close()
        return self._figures(elapsed, unanswered)

    def _receive(self, connection: Connection, idle: deque[Connection], busy: set[Connection]) -> None:
        try:
            answer = connection.receive()
        except ConnectionError:
            self._lost += 1
            busy.remove(connection)
            return
        if answer is not None:
            self._latencies.append(time.perf_counter() - connection.due)
            self._statuses[answer[9:12].decode()] += 1
            self._bytes += len(answer)
            busy.remove(connection)
            idle.append(connection)

    def _figures(self, elapsed: float, unanswered: int) -> dict[str, Any]:
        answers = len(self._latencies)
        p50, p99 = np.quantile(self._latencies or [np.nan], [0.5, 0.99]) * 1000
        return {
            "generator": "benchmarks/http_load.py",
            "answers": answers,
            "requests_per_s": answers / elapsed,
            "p50_ms": float(p50),
            "p99_ms": float(p99),
            "bytes": self._bytes / max(answers, 1),
            "failed": answers - self._statuses["200"] + self._lost + unanswered,
        }


def wrk(program: str, urls: Sequence[str], connections: int, seconds: float) -> dict[str, Any]:
    """The same figures of a closed loop, by wrk."""
    first = urlsplit(urls[0])
    with tempfile.TemporaryDirectory() as folder:
        script, paths = Path(folder, "load.lua"), Path(folder, "paths")
        script.write_text(WRK_SCRIPT, "utf8")
        paths.write_text("".join(f"{target(url)}\n" for url in urls), "utf8")
        options = ["-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "-s", str(script)]
        output = subprocess.run(
            [program, *options, f"http://{first.netloc}"],
            env={**os.environ, "LOAD_PATHS": str(paths)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    answers, duration, size, p50, p99, refused, broken = map(float, output.splitlines()[-1].split())
    return {
        "generator": "wrk",
        "answers": int(answers),
        "requests_per_s": 1e6 * answers / duration,
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
        "bytes": size / max(answers, 1),
        "failed": int(refused + broken),
    }


def target(url: str) -> str:
    """Path and query."""
    parts = urlsplit(url)
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


def _arrivals(started: float, end: float, rate: float | None, seed: int) -> Iterator[float]:
    """Moments when requests are due: at once for ever, or a Poisson process, as of independent users."""
    if rate is None:
        yield from (started for _ in count())
        return
    random, due = np.random.default_rng(seed), started
    while True:
        for gap in random.exponential(1 / rate, 1024).tolist():
            due += gap
            if due >= end:
                return
            yield due


def _request(host: str, path: str, body: str | None) -> bytes:
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    content = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return head.encode() + b"\r\n\r\n" + content


def main() -> None:
    """Run one load and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("urls", nargs="+", metavar="URL", help="percent-encoded; all of one server")
    parser.add_argument("--connections", type=int, default=64, help="with --rate the most that are open")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, help="requests a second, in an open loop")
    parser.add_argument("--bodies", type=Path, help="JSON list of bodies to post; default: GET")
    arguments = parser.parse_args()
    program = shutil.which("wrk")
    if program and not arguments.rate and not arguments.bodies:
        figures = wrk(program, arguments.urls, arguments.connections, arguments.seconds)
    else:
        bodies = [json.dumps(body) for body in json.loads(arguments.bodies.read_bytes())] if arguments.bodies else []
        figures = Load(arguments.urls, bodies).run(arguments.connections, arguments.seconds, arguments.rate)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
