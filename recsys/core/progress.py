"""What a person sees of a long run: which step it is at, how far the step is, how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_INDENT = "      "
LOG_SECONDS = 30.0  # a log hears at most so often of a step under way


class Steps:
    """The steps of a run, announced in their order.

    A terminal shows a bar for what is under way; a log, which cannot take a line back, gets a line now and then
    instead. Both get a line when a step begins and when it is done.
    """

    def __init__(self, console: Console, titles: Sequence[str]) -> None:
        """Nothing is shown before the first step.

        Args:
            console: a terminal or a log.
            titles: of all steps. One that turns out not to be needed is announced by `skip`.
        """
        self.console = console
        self._titles = list(titles)

    @classmethod
    def silent(cls, titles: Sequence[str]) -> Steps:
        """Steps that nobody hears of."""
        return cls(Console(quiet=True), titles)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Announce the step `title`, one of the titles, and how long it took."""
        started = time.monotonic()
        self.console.print(self._heading(title), style="bold", highlight=False)
        with _live(self.console) as live:
            yield Step(self.console, live)
        self.console.print(f"{_INDENT}done in {_duration(time.monotonic() - started)}", style="dim", highlight=False)

    def skip(self, title: str, reason: str) -> None:
        """Say why there is no step `title` in this run."""
        self.console.print(f"{self._heading(title)}: skipped, {reason}", style="dim", highlight=False)

    def _heading(self, title: str) -> str:
        return f"[{self._titles.index(title) + 1}/{len(self._titles)}] {title}"


class Step:
    """A step under way: prints what it learns, shows how far it is."""

    def __init__(self, console: Console, live: Progress) -> None:
        self.console, self._live = console, live
        self._last_line = time.monotonic()

    @classmethod
    def silent(cls) -> Step:
        """One that shows nothing."""
        console = Console(quiet=True)
        return cls(console, _live(console))

    def print(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line)
        self._last_line = time.monotonic()

    @contextmanager
    def bar(self, doing: str, total: int | None, completed: int = 0) -> Iterator[Bar]:
        """A bar over `total` units of work; None: nobody knows how many there are."""
        task = self._live.add_task(doing, total=total, completed=completed, figures="")
        yield Bar(self, self._live, task, doing, total, completed)
        self._live.remove_task(task)

    def line_is_due(self) -> bool:
        """Whether a log has waited long enough for its next line."""
        return not self.console.is_terminal and time.monotonic() - self._last_line >= LOG_SECONDS


class Bar:
    """How far a part of a step is."""

    def __init__(self, step: Step, live: Progress, task: TaskID, doing: str, total: int | None, completed: int) -> None:
        self._step, self._live, self._task = step, live, task
        self._doing, self._total, self._completed = doing, total, completed
        self._started = time.monotonic()

    def advance(self, count: int = 1, figures: str = "") -> None:
        """`count` more units are done; say `figures` of what was done so far."""
        self._completed += count
        self._live.update(self._task, advance=count, figures=figures)
        if self._step.line_is_due():
            of = "" if self._total is None else f" of {self._total}"
            words = [f"{self._doing}: {self._completed}{of}", figures, _duration(time.monotonic() - self._started)]
            self._step.print(_INDENT + "  ".join(filter(None, words)))


def _live(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
