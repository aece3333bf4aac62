"""A load generator for HTTP GETs: kept connections, a closed loop, a few microseconds of its own a request.

    python benchmarks/http_load.py URL [URL ...] --connections 16 --seconds 5

Each connection asks for the next URL as soon as it is answered. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np
import uvloop


class Connection(asyncio.Protocol):
    """One kept connection with one request under way."""

    transport: asyncio.Transport

    def __init__(self, load: Load) -> None:
        self.load = load
        self.buffer = b""
        self.expected = 0  # bytes of the answer under way, 0 until its head has come
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(next(self.load.requests))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.expected:
            head, found, _ = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            lines = head.lower().split(b"\r\n")
            length = next(int(line.removeprefix(b"content-length:")) for line in lines if b"content-length:" in line)
            self.expected = len(head) + len(found) + length
        if len(self.buffer) >= self.expected:
            self.load.record(self.buffer, time.perf_counter() - self.sent)
            self.buffer, self.expected = b"", 0
            self.send()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.load.lost += not self.load.over


class Load:
    """What all connections send, in turn, and what came back."""

    def __init__(self, urls: Sequence[str]) -> None:
        first = urlsplit(urls[0])
        self.host, self.port = first.hostname, first.port
        self.requests = cycle([f"GET {_target(url)} HTTP/1.1\r\nHost: {first.netloc}\r\n\r\n".encode() for url in urls])
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.bytes = self.lost = 0
        self.over = False

    def record(self, answer: bytes, latency: float) -> None:
        self.latencies.append(latency)
        self.statuses[answer[9:12].decode()] += 1
        self.bytes += len(answer)

    async def run(self, connections: int, seconds: float) -> dict[str, Any]:
        """Figures of one run: rates a second, latencies in milliseconds."""
        loop = asyncio.get_running_loop()
        opened = [
            await loop.create_connection(lambda: Connection(self), self.host, self.port) for _ in range(connections)
        ]
        started = time.perf_counter()
        for _, connection in opened:
            connection.send()
        await asyncio.sleep(seconds)
        elapsed = time.perf_counter() - started
        self.over = True
        for transport, _ in opened:
            transport.abort()
        p50, p99 = np.quantile(self.latencies, [0.5, 0.99]) * 1000
        return {
            "requests_per_s": len(self.latencies) / elapsed,
            "p50_ms": p50,
            "p99_ms": p99,
            "bytes": self.bytes / len(self.latencies),
            "statuses": dict(self.statuses),
            "lost_connections": self.lost,
        }


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


def main() -> None:
    """Run one load and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("urls", nargs="+", metavar="URL", help="percent-encoded; all of one server")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    print(json.dumps(uvloop.run(Load(arguments.urls).run(arguments.connections, arguments.seconds))))


if __name__ == "__main__":
    main()
