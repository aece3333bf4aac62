"""Servers as they are started: `python -m serve` in processes of their own."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.support.databases import PATIENT_S
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S, eventually

ROOT = Path(__file__).parents[2]
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy between here and here


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def command(*options: str, python: Path | str = sys.executable) -> list[str]:
    return [str(python), "-m", "serve", *options]


def environment(**variables: str) -> Mapping[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RECSYS_", "PROMETHEUS_"))}
    unhurried = {"RECSYS_STORE_TIMEOUT_S": str(PATIENT_S), "RECSYS_STORE_READ_TIMEOUT_S": str(PATIENT_S)}
    return {**clean, "RECSYS_STORE": "none", "RECSYS_INDEX_ITEMS": "false", **unhurried, **variables}


@contextmanager
def server(
    arguments: list[str], *, folder: Path = ROOT, **variables: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server that is ready, started in `folder`: its URL and its process, which is killed at the end if it runs."""
    process = subprocess.Popen(
        arguments, cwd=folder, env=environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield _ready_url(process, lambda: process.communicate(timeout=TIMEOUT_S)), process
    finally:
        process.kill()
        process.communicate()


def ended_server(*options: str) -> subprocess.CompletedProcess[str]:
    """A server that ends by itself, because it has nothing to serve."""
    return subprocess.run(
        command(*options),
        cwd=ROOT,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
    )


@contextmanager
def logged_server(log: Path, *options: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """As `server`, with its standard error in the file `log`, which it appends to."""
    with log.open("a") as errors:
        process = subprocess.Popen(
            command(*options),
            cwd=ROOT,
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield _ready_url(process, log.read_text), process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _ready_url(process: subprocess.Popen[str], trouble: Callable[[], object]) -> str:
    """The URL that a server prints, once it is ready; `trouble` tells what it said if it prints none."""
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.search(r"http://[\w.:\[\]]+", line)
    assert address, f"{line!r} {trouble()}"
    wait_until_ready(address.group())
    return address.group()


def wait_until_ready(url: str) -> None:
    eventually(lambda: get(f"{url}/ready").status == 200, START_TIMEOUT_S)


def get(url: str, **headers: str) -> Response:
    return _ask(urllib.request.Request(url, headers=headers))


def post(url: str, body: Any = None, **headers: str) -> Response:
    data = b"" if body is None else json.dumps(body).encode()
    return _ask(urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method="POST"))


def put(url: str, body: Any, **headers: str) -> Response:
    return _change("PUT", url, body, headers)


def patch(url: str, body: Any, **headers: str) -> Response:
    return _change("PATCH", url, body, headers)


def delete(url: str, **headers: str) -> Response:
    return _ask(urllib.request.Request(url, headers=headers, method="DELETE"))


def _change(method: str, url: str, body: Any, headers: Mapping[str, str]) -> Response:
    data = json.dumps(body).encode()
    return _ask(urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method))


def _ask(request: urllib.request.Request) -> Response:
    try:
        with DIRECT.open(request, timeout=TIMEOUT_S) as response:
            return Response(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, error.headers, error.read())


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Processes that serve, all forked from one, without multiprocessing's helpers and those that fill the search."""
    found = []
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess):  # a zombie is one such
            if "multiprocessing.forkserver" in " ".join(child.cmdline()):
                found += [one for one in child.children() if one.status() != psutil.STATUS_ZOMBIE]
    return found


def metric(url: str, name: str, **headers: str) -> float:
    """A metric's value; 0 where there is none yet."""
    match = re.search(rf"^{re.escape(name)} (\S+)$", get(f"{url}/metrics", **headers).body.decode(), re.MULTILINE)
    return float(match.group(1)) if match else 0.0
