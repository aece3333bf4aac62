"""Stages of a command are measured as it announces them, and become tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.scale import shape
from benchmarks.shops.scale_tables import tables
from benchmarks.shops.stages import added, measure, python

ANNOUNCES = """
import time
print("[1/3] Read")
data = bytearray(60_000_000)
time.sleep(0.7)
del data
print("[2/3] Fit: skipped, nothing to fit")
print("[3/3] Write")
print("[not a stage]")
{end}
"""


def test_stages_are_those_that_are_announced(tmp_path: Path) -> None:
    stages = measure("Start", python("-c", ANNOUNCES.format(end="")), tmp_path / "log")
    assert [stage["stage"] for stage in stages] == ["Start", "Read", "Fit", "Write"]
    read = stages[1]
    assert read["seconds"] >= 0.7
    assert read["peak_mb"] >= 60
    assert not any(stage["note"] for stage in stages)
    assert (tmp_path / "log").read_text().splitlines()[-1] == "[not a stage]"


def test_a_failure_is_noted_where_it_happened(tmp_path: Path) -> None:
    stages = measure("Start", python("-c", ANNOUNCES.format(end="raise SystemExit(4)")), tmp_path / "log")
    assert stages[-1]["note"] == "failed with exit code 4"
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    stages = measure("Start", python("-c", killed), tmp_path / "log")
    assert [stage["note"] for stage in stages] == ["killed, most likely for want of memory"]


def test_a_command_that_went_on_took_the_time_of_both_runs() -> None:
    def stage(name: str, seconds: float, peak: int, note: str = "") -> dict[str, Any]:
        return {"stage": name, "seconds": seconds, "cpu_s": 2 * seconds, "peak_mb": peak, "note": note}

    before = [stage("Start", 1.0, 100), stage("Read", 5.0, 300), stage("Fit", 60.0, 500, "stopped here")]
    after = [stage("Start", 1.5, 90), stage("Read", 2.0, 310), stage("Fit", 40.0, 400), stage("Write", 3.0, 200)]
    assert added(before, after) == [
        stage("Start", 2.5, 100),
        stage("Read", 7.0, 310),
        stage("Fit", 100.0, 500),
        stage("Write", 3.0, 200),
    ]
    assert before[2] == stage("Fit", 60.0, 500, "stopped here")


def test_a_million_items_at_a_hundred_million_events() -> None:
    assert shape("1e5") == (8_333, 5_000, 100_000)
    assert shape("cds")[2] == 4_500_000
    assert shape("1e8") == (8_333_333, 999_900, 100_000_000)


def test_tables() -> None:
    fit = {"stage": "Train the two-tower", "seconds": 3720.0, "cpu_s": 90.0, "peak_mb": 2500, "note": ""}
    prepare = {"stage": "Prepare", "seconds": 12.0, "cpu_s": 9.5, "peak_mb": 1600, "note": ""}
    killed = prepare | {"note": "killed, most likely for want of memory"}
    figures = {"recall@10": 0.4, "ndcg@10": 0.25}
    results = {
        "cds": {"shape": [3, 2, 4_500_000], "commands": {"prepare": {"epochs": 1, "stages": [killed]}}},
        "1e5": {
            "shape": [8333, 5000, 100000],
            "commands": {"prepare": {"epochs": 1, "stages": [prepare]}, "train": {"epochs": 1, "stages": [fit]}},
            "quality": {"knowing": figures, "system": figures},
        },
    }
    sizes, stages, quality = tables(results).split("\n\n")
    assert sizes.splitlines()[2] == "| 10^5 | 8,333 | 5,000 | 100,000 |"
    assert stages.splitlines() == [
        "| stage | 10^5 | CDs and Vinyl |",
        "| --- | --- | --- |",
        "| Prepare | 12.0 s (9.5 s), 1,600 MB | 12.0 s (9.5 s), 1,600 MB; killed, most likely for want of memory |",
        "| Train the two-tower | 1 h 02 min (1 min 30 s), 2,500 MB; 1 epoch measured |  |",
    ]
    assert "| whole system | 0.4000 / 0.2500 |" in quality
