"""What workers are forked from, and what they share with it."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

LOOPS = """
from recsys.core.compiled import compiled

@compiled
def twice(number):
    return FACTOR * number
"""
READ = """
import loops_of_a_test
from recsys.core.compiled import read_compiled
print(read_compiled(), len(loops_of_a_test.twice.overloads), loops_of_a_test.twice(4), loops_of_a_test.twice(0.5))
print(sum(loops_of_a_test.twice.stats.cache_misses.values()))
"""
LOOK = """
import gc, threading
import psutil
import serve.preloaded
here = psutil.Process()
files = [one.path for one in here.open_files() if one.fd > 2]
print(threading.active_count(), len(files), len(here.net_connections()), gc.get_freeze_count() > 100_000)
"""

IDS = """
import os, sys
from serve.http.request_ids import request_id
for worker in range(3):
    sys.stdout.flush()
    if os.fork() == 0:
        print(request_id([]), flush=True)
        os._exit(0)
    os.wait()
"""


def said_by(code: str, folder: Path | None = None) -> list[str]:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_nothing_that_a_fork_would_break_is_begun() -> None:
    assert said_by(LOOK) == ["1", "0", "0", "True"]


def test_workers_draw_ids_of_their_own() -> None:
    ids = said_by(IDS)
    assert len(ids) == len(set(ids)) == 3


def test_kept_loops_are_read_and_none_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "loops_of_a_test.py"
    module.write_text(LOOPS.replace("FACTOR", "2"))
    loops = importlib.import_module("loops_of_a_test")
    assert (loops.twice(1), loops.twice(1.5)) == (2, 3.0)
    assert said_by(READ, tmp_path) == ["2", "2", "8", "1.0", "0"]
    module.write_text(LOOPS.replace("FACTOR", "10"))  # what was kept is of another loop
    assert said_by(READ, tmp_path) == ["0", "0", "40", "5.0", "2"]
