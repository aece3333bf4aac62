"""How much memory is left, by what the kernel says."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from recsys.core.memory import memory

PAGE = os.sysconf("SC_PAGE_SIZE")
GB = 1 << 30


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine of 16 GB with 10 GB available, where this process holds 1000 pages."""
    folder = tmp_path / "proc"
    (folder / "self").mkdir(parents=True)
    (folder / "self" / "statm").write_text("5000 1000 300 1 0 900 0\n")
    (folder / "meminfo").write_text("MemTotal:       16777216 kB\nMemFree: 100 kB\nMemAvailable:   10485760 kB\n")
    return folder


def make_container(folder: Path, limit: str, current: int, inactive_file: int, active_file: int = 0) -> Path:
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text(limit + "\n")
    (folder / "memory.current").write_text(f"{current}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {inactive_file}\nactive_file {active_file}\n")
    return folder


def test_the_machine_s_memory(proc: Path, tmp_path: Path) -> None:
    assert memory(proc, tmp_path / "none") == (1000 * PAGE, 16 * GB, 10 * GB)


def test_a_container_with_less_counts_and_its_files_are_no_burden(proc: Path, tmp_path: Path) -> None:
    container = make_container(tmp_path / "cgroup", str(4 * GB), 3 * GB, GB, active_file=GB)
    found = memory(proc, container)
    assert found == (1000 * PAGE, 4 * GB, 3 * GB)
    assert found is not None
    assert not found.is_short


def test_a_container_without_a_limit_has_what_the_machine_has(proc: Path, tmp_path: Path) -> None:
    container = make_container(tmp_path / "cgroup", "max", 3 * GB, 0)
    assert memory(proc, container) == (1000 * PAGE, 16 * GB, 10 * GB)


def test_a_process_has_no_more_than_the_groups_around_it(proc: Path, tmp_path: Path) -> None:
    """As under systemd, where the root has no files of its own."""
    root = tmp_path / "cgroup"
    (proc / "self" / "cgroup").write_text("1:cpu:/other\n0::/batch/job\n")
    make_container(root / "batch" / "job", "max", GB, 0)
    assert memory(proc, root) == (1000 * PAGE, 16 * GB, 10 * GB)
    make_container(root / "batch" / "job" / "step", str(GB), 0, 0)  # somebody else's
    (root / "batch" / "memory.max").write_text(f"{8 * GB}\n")
    (root / "batch" / "memory.current").write_text(f"{3 * GB}\n")
    (root / "batch" / "memory.stat").write_text("inactive_file 0\nactive_file 0\n")
    assert memory(proc, root) == (1000 * PAGE, 8 * GB, 5 * GB)


def test_a_group_of_the_first_version(proc: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cgroup" / "memory" / "job"
    folder.mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("4:memory:/job\n0::/\n")
    (folder / "memory.limit_in_bytes").write_text(f"{6 * GB}\n")
    (folder / "memory.usage_in_bytes").write_text(f"{5 * GB}\n")
    (folder / "memory.stat").write_text(f"inactive_file 7\ntotal_inactive_file {GB}\ntotal_active_file {GB}\n")
    assert memory(proc, tmp_path / "cgroup") == (1000 * PAGE, 6 * GB, 3 * GB)


def test_what_ulimit_leaves(proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It bounds what is mapped, 5000 pages here, not what is held."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (4 * GB, resource.RLIM_INFINITY))
    assert memory(proc, tmp_path / "none") == (1000 * PAGE, 16 * GB, 4 * GB - 5000 * PAGE)


def test_little_left_is_short(proc: Path, tmp_path: Path) -> None:
    found = memory(proc, make_container(tmp_path / "cgroup", str(4 * GB), 4 * GB - 200_000_000, 0))
    assert found is not None
    assert found.left == 200_000_000
    assert found.is_short
    assert str(found) == f"{found.held / 1e9:.1f} GB held, 0.2 of 4.3 GB left"


def test_a_system_that_does_not_say(tmp_path: Path) -> None:
    assert memory(tmp_path / "proc", tmp_path / "cgroup") is None
