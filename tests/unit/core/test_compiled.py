"""What is kept of compiled code is found again only while all that it was compiled from is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
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


RUN_AND_TELL = "import kernels; print(kernels.answer(10), sum(kernels.answer.stats.cache_hits.values()))"


def read_only(path: Path) -> None:
    for entry in (path, *path.rglob("*")):
        entry.chmod(0o555 if entry.is_dir() else 0o444)


def as_somebody(folder: Path, command: str, **variables: str) -> list[str]:
    """What a program prints that is stopped by the modes of files, as every user but root is, and has no home."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{ROOT}", "HOME": f"{folder}/home", **variables}
    bound = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    run = subprocess.run(
        [*bound, sys.executable, "-c", command], env=environment, check=True, capture_output=True, text=True, cwd="/"
    )
    return run.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "kernels.py").write_text(KERNELS.format(imported="STEP", expression="value + STEP"))
    (tmp_path / "helpers.py").write_text(HELPERS.format(step=1))
    (tmp_path / "deeper.py").write_text(DEEPER.format(factor=1))
    yield tmp_path
    for entry in (tmp_path, *tmp_path.rglob("*")):
        entry.chmod(0o755)


@pytest.mark.parametrize("where", ["beside", "given"])
def test_compiled_code_is_used_where_nothing_can_be_written(folder: Path, where: str) -> None:
    kept = folder / "kept"
    given = {} if where == "beside" else {"NUMBA_CACHE_DIR": str(kept)}
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", **given}
    environment.pop("NUMBA_DISABLE_JIT", None)
    subprocess.run([sys.executable, "-c", "import kernels; kernels.answer(10)"], env=environment, check=True)
    read_only(folder)
    assert as_somebody(folder, RUN_AND_TELL, **given) == ["11", "1"]
    # Of another type, for which nothing was compiled: it is compiled, and kept nowhere.
    before = sorted(folder.rglob("*.nb?"))
    assert as_somebody(folder, RUN_AND_TELL.replace("(10)", "(10.5)"), **given) == ["11.5", "0"]
    assert sorted(folder.rglob("*.nb?")) == before != []


def test_nothing_was_compiled_and_nothing_can_be_written(folder: Path) -> None:
    read_only(folder)
    assert as_somebody(folder, RUN_AND_TELL, NUMBA_CACHE_DIR=str(folder / "none")) == ["11", "0"]
    assert as_somebody(folder, RUN_AND_TELL) == ["11", "0"]


def test_code_for_a_named_kind_of_processor_is_not_that_of_this_machine(folder: Path) -> None:
    """An image is compiled for a kind of processor; another kind would not find the code, and the same one does."""
    named = {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(folder / "kept")}
    assert as_somebody(folder, RUN_AND_TELL, **named) == ["11", "0"]
    assert as_somebody(folder, RUN_AND_TELL, **named) == ["11", "1"]
    assert as_somebody(folder, RUN_AND_TELL, NUMBA_CACHE_DIR=named["NUMBA_CACHE_DIR"]) == ["11", "0"]
