"""A bundle with the right checksums and arrays that do not fit is refused, or harmless. It never ends the process."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Attributes, open_bundle
from tests.support.bundles import make_bundle
from tests.support.damage import arrays_in, change_array, mutation
from tests.support.server_processes import ROOT

SIZES = {"exact index": (200, 20), "tree": (5500, 40)}
ROUNDS = 60


@contextmanager
def asked() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.damage_worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("index", SIZES)
def test_no_array_of_a_bundle_ends_the_process(index: str, tmp_path: Path) -> None:
    n_items, n_users = SIZES[index]
    attributes = Attributes.of(
        {"stock": "number", "colours": "texts"},
        {
            "stock": [row % 7 for row in range(n_items)],
            "colours": [["red", "blue"][: row % 3] for row in range(n_items)],
        },
    )
    sound = open_bundle(make_bundle(tmp_path, n_items=n_items, n_users=n_users, attributes=attributes)).path
    names = arrays_in(sound)
    outcomes: dict[str, int] = {"refused": 0, "served": 0}
    with asked() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(ROUNDS):
            random = np.random.default_rng(number)
            name, copy = names[number % len(names)], tmp_path / f"round{number}"
            shutil.copytree(sound, copy)
            change_array(copy, name, mutation(random))
            process.stdin.write(f"{copy}\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, f"{name}, round {number}: the process ended with exit code {process.wait()}"
            ((outcome, said),) = json.loads(line).items()
            outcomes[outcome] += 1
            assert outcome == "refused" or not said, f"{name}, round {number}: {said}"
            if outcome == "refused":
                assert said.count("\n") == 2, said
            shutil.rmtree(copy)
    assert outcomes["refused"] > ROUNDS // 3
