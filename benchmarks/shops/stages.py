"""Run a command and measure its stages: seconds, seconds of CPU, and the peak of memory of all its processes.

A stage begins where the command announces it, with a line such as `[2/9] Train the two-tower`; a command that announces
none is one stage.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

SAMPLE_S = 0.25
FAILED, STOPPED = "failed", "stopped here"
_HEADING = re.compile(r"^\[(\d+)/\d+\] (.+?)(: skipped, .*)?$")
Stage = dict[str, Any]


class _Tree:
    """What a process and its descendants use."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._cpu: dict[int, float] = {}

    def sample(self) -> tuple[float, float]:
        """Seconds of CPU so far, also of processes that have ended since the last sample; bytes that are resident."""
        resident = 0
        try:
            processes = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            processes = []
        for process in processes:
            try:
                times = process.cpu_times()
                resident += process.memory_info().rss
            except psutil.Error:  # ended meanwhile
                continue
            self._cpu[process.pid] = times.user + times.system
        return sum(self._cpu.values()), float(resident)


class Measured:
    """The stages of a command under way."""

    def __init__(self, first: str) -> None:
        self.stages: list[Stage] = []
        self._lock = threading.Lock()
        self._began, self._cpu_before, self._cpu = time.monotonic(), 0.0, 0.0
        self._name, self._peak = first, 0.0

    def begin(self, name: str) -> None:
        """The stage before is over."""
        with self._lock:
            self._end()
            self._name, self._peak = name, 0.0

    def sampled(self, cpu: float, resident: float) -> None:
        """Take a sample of what is used."""
        with self._lock:
            self._cpu, self._peak = max(self._cpu, cpu), max(self._peak, resident)

    def finish(self, note: str = "") -> list[Stage]:
        """End the last stage; its note says why it ended early."""
        self._end(note)
        return self.stages

    def _end(self, note: str = "") -> None:
        now = time.monotonic()
        self.stages.append(
            {
                "stage": self._name,
                "seconds": round(now - self._began, 1),
                "cpu_s": round(self._cpu - self._cpu_before, 1),
                "peak_mb": round(self._peak / 1e6),
                "note": note,
            }
        )
        self._began, self._cpu_before = now, self._cpu


def measure(first: str, command: Sequence[str | Path], log: Path) -> list[Stage]:
    """Run `command`, whose output goes to `log`.

    Args:
        first: name of what comes before the first announced stage, or of the command as a whole.
        command: to be run from the root of the repository.
        log: file for its output.

    Returns:
        The stages in their order. If the command failed or Ctrl-C stopped it, the last one's note says so.
    """
    measured = Measured(first)
    with log.open("w", encoding="utf8", buffering=1) as output:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            cwd=Path(__file__).resolve().parents[2],
        )
        tree = _Tree(process.pid)
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(SAMPLE_S):
                measured.sampled(*tree.sample())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        stopped = False
        try:
            for line in process.stdout or ():
                output.write(line)
                if found := _HEADING.match(line.rstrip()):
                    measured.sampled(*tree.sample())
                    measured.begin(found[2])
        except KeyboardInterrupt:  # what was measured until then is kept
            stopped = True
            process.terminate()
        usage = os.wait4(process.pid, 0)
        ended.set()
        watcher.join()
    status, resources = os.waitstatus_to_exitcode(usage[1]), usage[2]
    measured.sampled(resources.ru_utime + resources.ru_stime, 0.0)
    return measured.finish(STOPPED if stopped else _how_it_ended(status))


def added(before: Sequence[Stage], after: Sequence[Stage]) -> list[Stage]:
    """The stages of a command that was stopped, and went on: seconds of both, and the higher peak.

    What the second run did once more, such as reading the data, counts twice: so much is lost by stopping.
    """
    stages = {stage["stage"]: stage for stage in before}
    for stage in after:
        earlier = stages.get(stage["stage"], {"seconds": 0.0, "cpu_s": 0.0, "peak_mb": 0})
        stages[stage["stage"]] = {
            **stage,
            "seconds": round(earlier["seconds"] + stage["seconds"], 1),
            "cpu_s": round(earlier["cpu_s"] + stage["cpu_s"], 1),
            "peak_mb": max(earlier["peak_mb"], stage["peak_mb"]),
        }
    return list(stages.values())


def _how_it_ended(status: int) -> str:
    """A note on an exit status; nothing if all went well."""
    if not status:
        return ""
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return "killed, most likely for want of memory"
    return f"{FAILED} with exit code {status}"


def python(*arguments: str | Path) -> list[str | Path]:
    """A command of this interpreter."""
    return [sys.executable, *arguments]
