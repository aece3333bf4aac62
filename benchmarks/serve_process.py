"""A server for benchmarks in a process of its own, the events in its store, and loads on it."""

from __future__ import annotations

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.serve_memory import Memory
from recsys.bundle import Bundle, open_bundle
from recsys.store import Event, Store

ROOT = Path(__file__).resolve().parents[1]
LIVE_EVENTS = 3
START_TIMEOUT_S, INDEXING_TIMEOUT_S = 600, 3600
# What a worker says in the log once it takes requests; all but the first have a bundle then.
_BEGUN = "Application startup complete"


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    process: psutil.Process
    ready_s: float

    def wait_for_search(self) -> None:
        """Wait until the process that loads the catalogue into the store has ended."""
        deadline = time.monotonic() + INDEXING_TIMEOUT_S
        while self.process.children():
            if time.monotonic() > deadline:
                raise RuntimeError("the catalogue did not get into the store")
            time.sleep(0.1)

    def cpu_s(self) -> float:
        """Seconds of CPU that it has used, all of its processes together."""
        times = [one.cpu_times() for one in (self.process, *self.process.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))

    def memory(self) -> Memory:
        """What is resident now."""
        return Memory.of(self.process.pid)


@contextmanager
def running_server(bundle: Path, store: str, **settings: str) -> Iterator[Running]:
    """Start one worker; its settings beside those given are read from the environment (RECSYS_...)."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = ["-m", "uvicorn", "benchmarks.floor:create_benchmark_app", "--factory", "--port", str(port)]
    given = {f"RECSYS_{name.upper()}": value for name, value in settings.items()}
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, *command, "--no-access-log", "--log-level", "warning"],
        env={"RECSYS_LOG_LEVEL": "warning", **os.environ, "RECSYS_BUNDLE": str(bundle), "RECSYS_STORE": store, **given},
        cwd=ROOT,
    )
    try:
        wait_until_ready(url, server)
        yield Running(url, psutil.Process(server.pid), time.perf_counter() - started)
    finally:
        server.terminate()
        server.wait()


@contextmanager
def running_workers(bundle: Path, store: str, workers: int) -> Iterator[Running]:
    """A server of several workers, as it is started, with the floor in addition; once all of them serve."""
    options = ["--bundle", str(bundle), "--store", store, "--workers", str(workers)]
    options += ["--port", "0", "--index-items", "false", "--log-level", "info"]
    command, started = [sys.executable, "-m", "benchmarks.floor_command", *options], time.perf_counter()
    with tempfile.NamedTemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert server.stdout is not None
            address = re.search(r"http://[\w.:]+", server.stdout.readline())
            deadline = time.monotonic() + START_TIMEOUT_S
            while address and Path(log.name).read_text().count(_BEGUN) < workers and time.monotonic() < deadline:
                time.sleep(0.2)
            if address is None or server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {Path(log.name).read_text()}")
            yield Running(address.group(), psutil.Process(server.pid), time.perf_counter() - started)
        finally:
            server.terminate()
            server.communicate()


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Ask /ready until it says so."""
    deadline = time.monotonic() + START_TIMEOUT_S
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and server.poll() is None:
        try:
            direct.open(f"{url}/ready", timeout=START_TIMEOUT_S).close()
        except urllib.error.URLError:  # not listening yet, or 503
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("the server did not become ready")


def fill_store(url: str, bundle: Bundle) -> None:
    """Give every other user recent events."""
    random = np.random.default_rng(0)
    users = bundle.catalogue.user_ids(np.arange(0, bundle.catalogue.n_users, 2))
    rows = random.integers(bundle.catalogue.n_items, size=len(users) * LIVE_EVENTS)
    items, now = bundle.catalogue.item_ids(rows), time.time()
    events = [
        Event(f"e{n}", users[n // LIVE_EVENTS], item, "view", now - 86_400 * random.random())
        for n, item in enumerate(items)
    ]
    with Store.open(url, timeout_s=60) as store:
        store.upgrade()
        for start in range(0, len(events), 5000):
            store.append(events[start : start + 5000])


@dataclass
class Rounds:
    """Loads on one running server, and the figures of every round by name."""

    server: Running
    seconds: float
    figures: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def load(self, name: str, urls: Sequence[str], *options: str) -> None:
        """Run the load generator once."""
        command = ["benchmarks/http_load.py", *urls, "--seconds", str(self.seconds), *options]
        before = self.server.cpu_s()
        run = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True, cwd=ROOT)
        figures: dict[str, Any] = json.loads(run.stdout)
        if figures["failed"]:
            raise RuntimeError(f"{name}: not every request was answered: {figures}")
        figures["cpu_ms"] = 1000 * (self.server.cpu_s() - before) / figures["answers"]
        self.figures[name].append(figures)

    def median(self, name: str, figure: str) -> float:
        """Median over the rounds."""
        return float(statistics.median(round_[figure] for round_ in self.figures[name]))


def user_paths(bundle_path: Path, count: int) -> list[str]:
    """Request paths for users drawn with a seed."""
    with open_bundle(bundle_path, verify="quick") as bundle:
        n_users = bundle.catalogue.n_users
        rows = np.random.default_rng(0).choice(n_users, min(count, n_users), replace=False)
        return [f"/recommendations/{urllib.parse.quote(user, safe='')}" for user in bundle.catalogue.user_ids(rows)]
