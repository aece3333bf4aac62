"""What a person sees of a long run: which step it is at, how far the step is, how long it took and may still take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary

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

from recsys.core.memory import memory

_INDENT = "      "
LOG_SECONDS = 30.0  # a log hears at most so often of a step under way
QUIET_SECONDS = 60.0  # and at least so often
LEAST_SHARE = 0.01  # of the work must be done before the rest is estimated: the first units take longer
WATCH_SECONDS = 5.0  # between two looks at the memory
_last_lines: WeakKeyDictionary[Console, float] = WeakKeyDictionary()  # when each console got a line of a step


class Steps:
    """The steps of a run, announced in their order.

    A terminal shows a bar for what is under way; a log, which cannot take a line back, gets a line now and then
    instead. Both get a line when a step begins, when it is done, and when memory runs short.
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
            step = Step(self.console, live)
            with watched(step):
                yield step
        self.console.print(f"{_INDENT}done in {duration(time.monotonic() - started)}", style="dim", highlight=False)

    def skip(self, title: str, reason: str) -> None:
        """Say why there is no step `title` in this run."""
        self.console.print(f"{self._heading(title)}: skipped, {reason}", style="dim", highlight=False)

    def _heading(self, title: str) -> str:
        return f"[{self._titles.index(title) + 1}/{len(self._titles)}] {title}"


class Step:
    """A step under way: prints what it learns, shows how far it is."""

    def __init__(self, console: Console, live: Progress) -> None:
        self.console, self._live = console, live
        self._started = _last_lines[console] = time.monotonic()
        self._bars: list[Bar] = []
        self._said_memory = False

    @classmethod
    def of_log(cls, console: Console) -> Step:
        """One that shows no bars of its own on `console`, since another shows them; a log gets its lines."""
        return cls(console, _live(Console(quiet=True)))

    @classmethod
    def silent(cls) -> Step:
        """One that shows nothing."""
        console = Console(quiet=True)
        return cls(console, _live(console))

    def print(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line, soft_wrap=True)
        _last_lines[self.console] = time.monotonic()

    @classmethod
    @contextmanager
    def alone(cls, console: Console) -> Iterator[Step]:
        """One that is a part of no run, or of a step that does not know of it; nothing announces it."""
        with _live(console) as live:
            yield cls(console, live)

    @contextmanager
    def bar(
        self, doing: str, total: int | None, completed: int = 0, shown: Callable[[int], str] = str
    ) -> Iterator[Bar]:
        """A bar over `total` units of work; None: nobody knows how many there are.

        A bar within another one is a part of the unit that the other is at. A line shows a number of units as `shown`
        says.
        """
        task = self._live.add_task(doing, total=total, completed=completed, figures="")
        bar = Bar(self, self._live, task, doing, total, completed, shown)
        self._bars.append(bar)
        try:
            yield bar
        finally:
            self._bars.remove(bar)
        self._live.remove_task(task)

    def line_is_due(self, seconds: float = LOG_SECONDS) -> bool:
        """Whether a log has waited long enough for its next line."""
        return not self.console.is_terminal and time.monotonic() - _last_lines[self.console] >= seconds

    def print_progress(self) -> None:
        """A line that says how far the step is: the innermost bar in full, and what is left of those around it."""
        bars = list(self._bars)
        if not bars:
            self.print(f"{_INDENT}under way for {duration(time.monotonic() - self._started)}")
            return
        line, share = bars[-1].line(), bars[-1].share_done()
        for bar in reversed(bars[:-1]):
            line += f"; {bar.line_around(share)}"
            share = bar.share_done(share)
        self.print(_INDENT + line)

    def watch(self) -> None:
        """Look at the memory, and break a long silence."""
        now = None if self._said_memory else memory()
        if now is not None and now.is_short:
            self._said_memory = True
            self.print(
                f"{_INDENT}Memory is short: {now}. If this run ends without a word (exit code 137, Killed), the system "
                "has ended it for that: run it with smaller settings, or with more memory."
            )
        if self.line_is_due(QUIET_SECONDS):
            self.print_progress()


class Bar:
    """How far a part of a step is."""

    def __init__(
        self,
        step: Step,
        live: Progress,
        task: TaskID,
        doing: str,
        total: int | None,
        completed: int,
        shown: Callable[[int], str] = str,
    ) -> None:
        self._step, self._live, self._task = step, live, task
        self._doing, self._total, self._completed = doing, total, completed
        self._before, self._figures = completed, ""  # what was done before it began took none of its time
        self._shown, self._started = shown, time.monotonic()

    def advance(self, count: int = 1, figures: str = "") -> None:
        """`count` more units are done; say `figures` of what was done so far."""
        self._completed += count
        self._figures = figures
        self._live.update(self._task, advance=count, figures=figures)
        if self._step.line_is_due():
            self._step.print_progress()

    def share_done(self, of_the_next: float = 0.0) -> float:
        """The share that is done of what was left when it began, with a share of the unit that it is at."""
        if self._total is None or self._total <= self._before:
            return 0.0
        return min(1.0, (self._completed - self._before + of_the_next) / (self._total - self._before))

    def line(self) -> str:
        """How far it is, for how long it has been at it, and how long it may still take."""
        elapsed = time.monotonic() - self._started
        times = duration(elapsed) + _left(elapsed, self.share_done())
        return "  ".join(filter(None, [self._count(), self._figures, times]))

    def line_around(self, of_the_next: float) -> str:
        """How far it is and how long it may still take, where a share of the next unit is done."""
        return self._count() + _left(time.monotonic() - self._started, self.share_done(of_the_next))

    def _count(self) -> str:
        if self._total is not None:
            return f"{self._doing}: {self._shown(self._completed)} of {self._shown(self._total)}"
        return f"{self._doing}: {self._shown(self._completed)}" if self._completed else self._doing


@contextmanager
def watched(step: Step) -> Iterator[None]:
    """Let a thread watch over a step that anyone hears of."""
    if step.console.quiet:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(WATCH_SECONDS):
            step.watch()

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


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


def _left(elapsed: float, share: float) -> str:
    """How long it may still take, if the rest goes as fast as the share that is done; nothing where nobody knows."""
    return f", about {duration(elapsed / share - elapsed)} left" if LEAST_SHARE <= share < 1 else ""


def duration(seconds: float) -> str:
    """Seconds in words, to the minute where they are hours."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
