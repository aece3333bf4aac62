"""How much memory is left to a process: what ends a run that takes more is the kernel, which leaves no word."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
SHORT_SHARE = 0.06  # of the memory there is: with less than this left, the next large array may be one too many


class Memory(NamedTuple):
    """Bytes that this process holds, that there are for it and its neighbours, and that are left of them."""

    held: int
    total: int
    left: int

    @property
    def is_short(self) -> bool:
        """Whether so little is left that the process may be ended soon."""
        return self.left < SHORT_SHARE * self.total

    def __str__(self) -> str:
        return f"{self.held / 1e9:.1f} GB held, {self.left / 1e9:.1f} of {self.total / 1e9:.1f} GB left"


def memory(proc: Path = PROC, cgroup: Path = CGROUP) -> Memory | None:
    """The memory of the machine, or of the container if that has less; None: this system does not say."""
    try:
        machine = _numbers(proc / "meminfo")
        held = int((proc / "self" / "statm").read_text("utf8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        total, left = machine["MemTotal"] * 1024, machine["MemAvailable"] * 1024
    except (OSError, KeyError, ValueError, IndexError):
        return None
    try:
        limit = int((cgroup / "memory.max").read_text("utf8"))
        # Pages of files count as used and go first when memory is short.
        files = _numbers(cgroup / "memory.stat")["inactive_file"]
        used = int((cgroup / "memory.current").read_text("utf8")) - files
    except (OSError, KeyError, ValueError):  # no container, or none with a limit
        return Memory(held, total, left)
    return Memory(held, min(total, limit), min(left, max(limit - used, 0)))


def _numbers(path: Path) -> dict[str, int]:
    """The first number of each line, by the word before it."""
    lines = (line.replace(":", " ").split() for line in path.read_text("utf8").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}
