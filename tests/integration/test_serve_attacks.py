"""Strangers with sockets: what they send, hold open or do not read keeps nobody else from an answer."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.support.bundles import make_bundle
from tests.support.server_processes import ROOT, command, environment, get, logged_server
from tests.support.waiting import TIMEOUT_S, eventually

MB = 1 << 20
HALF_HEAD = b"GET /recommendations/user3 HTTP/1.1\r\nHost: a\r\nX-Never-Ending: "
UNWANTED_BODY = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n"


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


@contextmanager
def attacked(
    bundle: Path, log: Path, *options: str, files: int | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server that may open so many files; in the end no line of its log is a traceback."""
    with logged_server(log, "--bundle", str(bundle), "--port", "0", *options) as (url, process):
        for each in family(process) if files else ():
            each.rlimit(psutil.RLIMIT_NOFILE, (files, files))
        yield url, process
        assert get(f"{url}/recommendations/user3").status == 200
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def shop(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server that several of the attacks are tried on."""
    with attacked(bundle_path, tmp_path_factory.mktemp("shop") / "log") as (url, process):
        yield url, process


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def connect(url: str) -> socket.socket:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    return socket.create_connection((address.hostname, address.port), TIMEOUT_S)


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and all that comes until the server ends the connection; 0 where it was cut off without a word."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionError:
        pass
    return int(received[9:12] or 0), received


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_unfinished_heads_keep_nobody_out(bundle_path: Path, tmp_path: Path, workers: int) -> None:
    """More of them than the server may open files, all from the address of the client that asks beside them."""
    with (
        attacked(bundle_path, tmp_path / "log", "--workers", str(workers), files=1024) as (url, _),
        ExitStack() as held,
    ):
        for number in range(1100):
            connection = held.enter_context(connect(url))
            connection.sendall(HALF_HEAD)
            if number % 100 == 0:
                assert get(f"{url}/recommendations/user3").status == 200
        for _ in range(20):
            assert get(f"{url}/recommendations/user3").status == 200
            assert get(f"{url}/health").status == 200


def test_a_head_without_an_end_takes_little_memory_and_nobodys_time(shop: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = shop
    with connect(url) as connection:
        before = psutil.Process(process.pid).memory_info().rss
        connection.sendall(HALF_HEAD)
        sent = 0
        try:
            for _ in range(100):
                sent += connection.send(b"a" * MB)
                assert get(f"{url}/recommendations/user3").status == 200
        except (ConnectionError, TimeoutError):
            pass
        assert sent < 50 * MB, "what the system buffers, and what is thrown away while the client may read the answer"
        assert psutil.Process(process.pid).memory_info().rss - before < 30 * MB


@pytest.mark.parametrize("start", [b"GET /", HALF_HEAD])
def test_a_client_is_told_that_its_head_is_too_long(start: bytes, shop: tuple[str, subprocess.Popen[str]]) -> None:
    url, _ = shop
    with connect(url) as connection:
        connection.sendall(start + b"a" * MB)
        status, received = answer(connection)
        assert status == (414 if start == b"GET /" else 431)
        assert b"connection: close" in received
        head, _, body = received.partition(b"\r\n\r\n")
        assert b"content-type: application/problem+json" in head
        assert json.loads(body)["status"] == status


def test_what_is_unfinished_ends(bundle_path: Path, tmp_path: Path) -> None:
    short = ("--head-timeout-s", "0.5", "--body-timeout-s", "0.5", "--idle-timeout-s", "0.5")
    with attacked(bundle_path, tmp_path / "log", *short) as (url, _):
        for sent, expected in {
            b"": 0,
            HALF_HEAD: 408,
            b"POST /recommendations HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{": 408,
            b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n": 200,
            UNWANTED_BODY: 413,
        }.items():
            with connect(url) as connection:
                connection.sendall(sent)
                assert answer(connection)[0] == expected, sent


def test_a_body_trickled_after_its_refusal_holds_no_connection(shop: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = shop
    with connect(url) as connection:
        connection.sendall(UNWANTED_BODY)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")
        port = connection.getsockname()[1]

        def gone() -> bool:
            try:
                connection.send(b"b")
            except ConnectionError:
                return True
            held = psutil.Process(process.pid).net_connections("tcp")
            return not any(each.raddr and each.raddr.port == port for each in held)

        eventually(gone)


def test_a_large_body_that_is_refused_does_not_hide_the_refusal(shop: tuple[str, subprocess.Popen[str]]) -> None:
    """Of clients that read only when they have sent everything."""
    url, _ = shop
    with connect(url) as connection:
        connection.sendall(UNWANTED_BODY.replace(b"50000000", b"8000000") + b"b" * 8_000_000)
        assert answer(connection)[0] == 413


def test_a_client_that_never_reads_is_let_go(bundle_path: Path, tmp_path: Path) -> None:
    body = json.dumps({"user_ids": [f"stranger {n}" for n in range(256)], "k": 100}).encode()
    head = b"POST /recommendations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with attacked(bundle_path, tmp_path / "log", "--send-timeout-s", "0.5") as (url, process), ExitStack() as held:
        for _ in range(5):
            address = urlsplit(url)
            connection = held.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((address.hostname, address.port))
            connection.sendall((head % len(body) + body) * 3)
        time.sleep(1)

        def open_connections() -> int:
            listed = psutil.Process(process.pid).net_connections("tcp")
            return sum(each.status == psutil.CONN_ESTABLISHED for each in listed)

        eventually(lambda: open_connections() == 0)


@pytest.mark.parametrize(("trusted", "expected"), [("", "127.0.0.1"), ("127.0.0.0/8", "192.0.2.5")])
def test_nobody_chooses_an_address(trusted: str, expected: str, bundle_path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--access-log", "true", "--trusted-proxies", trusted)
    with attacked(bundle_path, log, *options) as (url, _):
        asked = {"X-Forwarded-For": "1.1.1.1, 192.0.2.5", "X-Request-ID": "forwarded"}
        assert get(f"{url}/health", **asked).status == 200

        def clients() -> list[str]:
            lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
            return [line["client"] for line in lines if line.get("request_id") == "forwarded"]

        eventually(lambda: clients() == [expected])  # the line follows the answer


def test_a_server_that_starts_is_no_easier_prey(bundle_path: Path, tmp_path: Path) -> None:
    """Before it has read its own code it takes heads of the same length, and no body."""
    options = ("--bundle", str(bundle_path), "--port", "0", "--head-timeout-s", "0.5")
    process = subprocess.Popen(
        command(*options), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split(" on ")[1].split()[0]
        with connect(url) as long, connect(url) as slow, connect(url) as trickling:
            trickling.sendall(UNWANTED_BODY)
            slow.sendall(HALF_HEAD)
            long.sendall(HALF_HEAD + b"a" * MB)
            assert answer(long)[0] == 431
            assert answer(slow)[0] == 408
            assert answer(trickling)[0] in (503, 413)
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=TIMEOUT_S)
    assert "Traceback" not in errors
