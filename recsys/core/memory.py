"""How much memory is left to a process: what ends a run that takes more is the kernel, which leaves no word."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")
# Of a group of processes: its limit, what it uses, and the files among that, in versions 2 and 1 of control groups.
_GROUP_FILES = (
    ("memory.max", "memory.current", ("inactive_file", "active_file")),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
)
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
    """The memory of the machine, or of what has less: the container, a group the process is in, `ulimit -v`.

    None: this system does not say.
    """
    try:
        machine = _numbers(proc / "meminfo")
        pages = (proc / "self" / "statm").read_text("utf8").split()
        mapped, held = (int(number) * os.sysconf("SC_PAGE_SIZE") for number in pages[:2])
        total, left = machine["MemTotal"] * 1024, machine["MemAvailable"] * 1024
    except (OSError, KeyError, ValueError, IndexError):
        return None
    for folder in _groups(proc, cgroup):
        for of_group in _GROUP_FILES:
            found = _group(folder, *of_group)
            if found is not None:
                total, left = min(total, found[0]), min(left, found[1])
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        left = min(left, max(most - mapped, 0))
    return Memory(held, total, left)


def _groups(proc: Path, cgroup: Path) -> Iterator[Path]:
    """Folders of the groups that this process may be in: a container sees its own as the root, others are below it."""
    yield cgroup
    try:
        lines = (proc / "self" / "cgroup").read_text("utf8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        group = Path(path.lstrip("/"))
        for part in (group, *group.parents):
            yield cgroup / controllers / part


def _group(folder: Path, limit_file: str, used_file: str, of_files: tuple[str, ...]) -> tuple[int, int] | None:
    """Bytes that there are for a group, and that are left of them; None where it has no limit."""
    try:
        limit = int((folder / limit_file).read_text("utf8"))
        # Pages of files count as used and go first when memory is short, as in what the machine has available.
        stated = _numbers(folder / "memory.stat")
        used = int((folder / used_file).read_text("utf8")) - sum(stated[name] for name in of_files)
    except (OSError, KeyError, ValueError):  # no group, or none with a limit
        return None
    return limit, max(limit - used, 0)


def _numbers(path: Path) -> dict[str, int]:
    """The first number of each line, by the word before it."""
    lines = (line.replace(":", " ").split() for line in path.read_text("utf8").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}
