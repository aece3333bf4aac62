"""What a log hears of a preparation that takes long."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from recsys.core import progress
from recsys.prepare.terminal import StageProgress


def test_a_log_hears_how_much_is_read_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: sum(times))
    output = io.StringIO()
    with StageProgress(Console(file=output, width=100)) as stages:
        for on_bytes in stages.reading([(Path("log.csv"), 8_000_000)]):
            times.append(40.0)
            on_bytes(2_000_000)
        with stages.stage("Filtering"):
            times.append(61.0)
            stages._step.watch()
        assert output.getvalue().splitlines()[:2] == [
            "      Reading log.csv: 2.0 MB of 8.0 MB  40.0 s, about 2 min 00 s left",
            "      Filtering  1 min 01 s",
        ]
