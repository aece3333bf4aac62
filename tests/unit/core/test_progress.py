"""What a run says of its steps, on a terminal and in a log."""

from __future__ import annotations

import io
import re
import threading
import time

import pytest
from rich.console import Console

from recsys.core import progress
from recsys.core.memory import Memory
from recsys.core.progress import Step, Steps

TITLES = ("Read", "Train", "Publish")


def make(*, terminal: bool) -> tuple[Steps, io.StringIO]:
    output = io.StringIO()
    return Steps(Console(file=output, force_terminal=terminal, width=100, color_system=None), TITLES), output


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the steps read: the sum of the list."""
    times = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: sum(times))
    return times


def test_a_log_gets_a_line_when_a_step_begins_and_when_it_is_done(clock: list[float]) -> None:
    steps, output = make(terminal=False)
    with steps.step("Train") as step:
        assert output.getvalue() == "[2/3] Train\n", "at once, not when it is over"
        with step.bar("Epochs", 4) as bar:
            clock.append(3.0)
            bar.advance()
        step.print("the weights of epoch 1 are kept")
        clock.append(80.0)
    assert output.getvalue() == "[2/3] Train\nthe weights of epoch 1 are kept\n      done in 1 min 23 s\n"


def test_a_log_hears_of_a_long_step_every_half_minute(clock: list[float]) -> None:
    steps, output = make(terminal=False)
    with steps.step("Train") as step, step.bar("Epochs", 20, completed=5) as bar:
        for second in range(1, 72, 10):  # 71 seconds
            clock.append(10.0 if second > 1 else 1.0)
            bar.advance(1, f"loss {second}")
        lines = output.getvalue().splitlines()[1:]
    # Four of fifteen took 31 seconds, so that the other eleven take 85; then seven 61, and the other eight 70.
    assert lines == [
        "      Epochs: 9 of 20  loss 31  31.0 s, about 1 min 25 s left",
        "      Epochs: 12 of 20  loss 61  1 min 01 s, about 1 min 10 s left",
    ]


def test_what_was_printed_counts_as_a_sign_of_life(clock: list[float]) -> None:
    steps, output = make(terminal=False)
    with steps.step("Train") as step, step.bar("Trials", None) as bar:
        clock.append(29.0)
        step.print("als: 0.1")
        clock.append(29.0)
        bar.advance()
        assert "Trials" not in output.getvalue()
        clock.append(1.0)
        bar.advance(3)
    assert "      Trials: 4  59.0 s\n" in output.getvalue()


def test_a_step_that_is_not_needed_says_why() -> None:
    steps, output = make(terminal=False)
    steps.skip("Publish", "nothing to show")
    assert output.getvalue() == "[3/3] Publish: skipped, nothing to show\n"


def test_a_terminal_shows_a_bar_that_goes_away(clock: list[float]) -> None:
    steps, output = make(terminal=True)
    with steps.step("Train") as step, step.bar("Epochs", 4) as bar:
        clock.append(60.0)
        bar.advance(3, "loss 0.5")
        step._live.refresh()
        assert re.search(r"Epochs .*3/4 loss 0\.5", output.getvalue())
        clock.append(60.0)
        bar.advance()
        assert "Epochs: " not in output.getvalue(), "lines are for logs"
    assert output.getvalue().rstrip().endswith("done in 2 min 00 s")


def test_a_silent_step_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    step = Step.silent()
    with step.bar("Epochs", 2) as bar:
        bar.advance()
    step.print("something")
    assert capsys.readouterr() == ("", "")


def test_a_bar_within_another_says_what_is_left_of_both(clock: list[float]) -> None:
    steps, output = make(terminal=False)
    with steps.step("Train") as step, step.bar("Epochs", 10, completed=2) as epochs:
        clock.append(3000.0)
        epochs.advance()
        with step.bar("Steps", 4) as bar:
            clock.append(1000.0)
            bar.advance(2, "loss 0.5")
            # 1.5 epochs of 8 took 4000 seconds: 6.5 are left, 17,333 seconds, 288 minutes.
            line = output.getvalue().splitlines()[2]
        assert line.startswith("      Steps: 2 of 4  loss 0.5  16 min 40 s, about 16 min 40 s left; ")
        assert line.endswith("; Epochs: 3 of 10, about 4 h 48 min left")


def test_a_long_silence_is_broken(clock: list[float]) -> None:
    steps, output = make(terminal=False)
    with steps.step("Train") as step:
        clock.append(59.0)
        step.watch()
        assert output.getvalue() == "[2/3] Train\n"
        clock.append(31.0)
        step.watch()
        with step.bar("Settings tried", None) as bar:
            bar.advance(3, "als")
            clock.append(60.0)
            step.watch()
    assert output.getvalue().splitlines()[1:3] == [
        "      under way for 1 min 30 s",
        "      Settings tried: 3  als  1 min 00 s",
    ]


def test_short_memory_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "memory", lambda: Memory(11_400_000_000, 12_000_000_000, 500_000_000))
    steps, output = make(terminal=True)
    with steps.step("Train") as step:
        step.watch()
        step.watch()
    said = output.getvalue()
    assert said.count("Memory is short: 11.4 GB held, 0.5 of 12.0 GB left") == 1
    assert "exit code 137" in said


def test_a_watching_thread_ends_with_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(progress, "WATCH_SECONDS", 0.001)
    monkeypatch.setattr(progress, "memory", lambda: looks.append(1))
    steps, _ = make(terminal=False)
    with steps.step("Train"):
        while not looks:
            time.sleep(0.001)
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_a_part_that_knows_nothing_of_its_step_breaks_the_silence_too(clock: list[float]) -> None:
    steps, output = make(terminal=False)
    with steps.step("Read") as step, Step.alone(steps.console) as part:
        with part.bar("Texts", 4_000_000, shown=lambda count: f"{count / 1e6:.1f} million") as bar:
            clock.append(59.0)
            bar.advance(1_000_000)
        clock.append(1.0)
        step.watch()
    assert output.getvalue().splitlines()[1] == "      Texts: 1.0 million of 4.0 million  59.0 s, about 2 min 57 s left"
    assert "under way" not in output.getvalue()
