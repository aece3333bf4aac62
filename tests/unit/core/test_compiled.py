"""What is kept of compiled code is found again only while all that it was compiled from is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KERNELS = """
from recsys.core.compiled import compiled
from helpers import {imported}

@compiled
def answer(value):
    return {expression}
"""
HELPERS = """
from recsys.core.compiled import compiled
from deeper import deepest
STEP = {step}

@compiled
def helped(value):
    return deepest(value) + 1
"""
DEEPER = """
from recsys.core.compiled import compiled

@compiled
def deepest(value):
    return value * {factor}
"""


def answer(folder: Path, imported: str, expression: str, step: int = 1, factor: int = 1) -> tuple[int, int]:
    """What the kernel answers in a process of its own, and how often it was read from the disk."""
    sources = {
        "kernels": KERNELS.format(imported=imported, expression=expression),
        "helpers": HELPERS.format(step=step),
        "deeper": DEEPER.format(factor=factor),
    }
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    command = "import kernels; print(kernels.answer(10), sum(kernels.answer.stats.cache_hits.values()))"
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_DISABLE_JIT", None)
    run = subprocess.run(
        [sys.executable, "-c", command], env=environment, check=True, capture_output=True, text=True, cwd=folder
    )
    value, hits = run.stdout.split()
    return int(value), int(hits)


@pytest.mark.parametrize(
    ("imported", "expression", "changed"),
    [("STEP", "value + STEP", {"step": 5}), ("helped", "helped(value)", {"factor": 3})],
)
def test_code_kept_on_disk_is_left_when_what_it_was_compiled_from_elsewhere_changes(
    tmp_path: Path, imported: str, expression: str, changed: dict[str, int]
) -> None:
    assert answer(tmp_path, imported, expression) == (11, 0)
    assert answer(tmp_path, imported, expression) == (11, 1)
    value, hits = answer(tmp_path, imported, expression, **changed)
    assert hits == 0
    assert value == {"step": 15, "factor": 31}[next(iter(changed))]
