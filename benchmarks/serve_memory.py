"""Memory of the processes of a server; `benchmarks/serve.py --workers N` prints it for several workers."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 600.0
# What a worker says in the log once it takes requests; all but the first have a bundle then.
_BEGUN = "Application startup complete"
# Scoring, store, watches, log, metrics: what only helps and waits has a few of NumPy's at most.
_THREADS_OF_A_WORKER = 8


class Memory(NamedTuple):
    """Megabytes of a process, as the kernel counts them (/proc/PID/smaps_rollup).

    Attributes:
        anonymous: resident and of no file; those of a forked process are shared until one of them writes.
        mapped: resident and of files, among them libraries; in memory once for all processes that map them, and
            dropped by the kernel when memory is short.
        pss_anonymous, pss_mapped: the same, where what n processes share counts as one nth (proportional set size):
            the sum over all processes of a machine is what they take together.
    """

    anonymous: float
    mapped: float
    pss_anonymous: float
    pss_mapped: float

    @classmethod
    def of(cls, pid: int) -> Memory:
        """That of a process now."""
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
        lines = re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)
        found = {name: int(kilobytes) * 1024 / 1e6 for name, kilobytes in lines}
        anonymous, pss_anonymous = found["Anonymous"], found["Pss_Anon"]
        return cls(anonymous, found["Rss"] - anonymous, pss_anonymous, found["Pss"] - pss_anonymous)

    @property
    def resident(self) -> float:
        """All that is resident, shared or not."""
        return self.anonymous + self.mapped

    @property
    def pss(self) -> float:
        """Its share of what is resident."""
        return self.pss_anonymous + self.pss_mapped


def memory_of_workers(bundle: Path, store: str, workers: int, paths: Sequence[str]) -> dict[str, list[Memory]]:
    """Of every process of a server of several workers after a load, of workers and of the others."""
    with _server(bundle, store, workers) as (server, url):
        load = ["benchmarks/http_load.py", *(url + path for path in paths), "--connections=64", "--seconds=5"]
        subprocess.run([sys.executable, *load], check=True, capture_output=True, cwd=ROOT)
        found: dict[str, list[Memory]] = {"worker": [], "other": []}
        for process in (server, *server.children(recursive=True)):
            serves = process.num_threads() >= _THREADS_OF_A_WORKER
            found["worker" if serves else "other"].append(Memory.of(process.pid))
    return found


@contextmanager
def _server(bundle: Path, store: str, workers: int) -> Iterator[tuple[psutil.Process, str]]:
    """A server as it is started, once all of its workers serve."""
    options = ["--bundle", str(bundle), "--store", store, "--workers", str(workers)]
    options += ["--port", "0", "--index-items", "false", "--log-level", "info"]
    with tempfile.NamedTemporaryFile("w+") as log:
        command = [sys.executable, "-m", "serve", *options]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert server.stdout is not None
            address = re.search(r"http://[\w.:]+", server.stdout.readline())
            deadline = time.monotonic() + START_TIMEOUT_S
            while address and Path(log.name).read_text().count(_BEGUN) < workers and time.monotonic() < deadline:
                time.sleep(0.2)
            if address is None or server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {Path(log.name).read_text()}")
            yield psutil.Process(server.pid), address.group()
        finally:
            server.terminate()
            server.communicate()
