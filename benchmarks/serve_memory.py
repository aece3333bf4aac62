"""Memory of the processes of a server; `benchmarks/serve.py --workers N` prints it for several workers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import psutil

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


def memory_of_workers(server: psutil.Process) -> dict[str, list[Memory]]:
    """Of every process of a server of several workers, of workers and of the others."""
    found: dict[str, list[Memory]] = {"worker": [], "other": []}
    for process in (server, *server.children(recursive=True)):
        serves = process.num_threads() >= _THREADS_OF_A_WORKER
        found["worker" if serves else "other"].append(Memory.of(process.pid))
    return found
