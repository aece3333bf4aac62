"""What the terminal shows while a dataset is prepared, and the tables at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from recsys.core.errors import RecsysError
from recsys.core.progress import Step, watched

SHOWN_AT_ENDS = 4
MOST_SECTIONS = 2 * SHOWN_AT_ENDS + 2  # beyond it, the inputs between are summed up


class StageProgress:
    """A bar over the bytes of inputs, a spinner for each stage; in a log a line now and then."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[size]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._step = Step.of_log(console)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._progress.start()
        self._open.enter_context(watched(self._step))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        self._progress.stop()

    def reading(self, inputs: Sequence[tuple[Path, int]]) -> Iterator[Callable[[int], None]]:
        """Show a bar for each input (its path, its size in bytes), or one for many inputs together.

        Yields:
            For each input a function to call with each number of bytes read.
        """
        if len(inputs) > MOST_SECTIONS:
            with self._bar(f"{len(inputs):,} inputs", sum(size for _, size in inputs)) as on_bytes:
                for _ in inputs:
                    yield on_bytes
            return
        for path, size in inputs:
            with self._bar(path.name, size) as on_bytes:
                yield on_bytes

    @contextmanager
    def _bar(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        task = self._progress.add_task(f"Reading {escape(name)}", total=size, size=_megabytes(size))
        with self._step.bar(f"Reading {name}", size, shown=_megabytes) as bar:

            def on_bytes(count: int) -> None:
                self._progress.advance(task, count)
                bar.advance(count)

            yield on_bytes

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show a stage of unknown length."""
        task = self._progress.add_task(name, total=None, size="")
        with self._step.bar(name, None):
            yield
        self._progress.update(task, total=1, completed=1)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def print_report(console: Console, manifest: dict[str, Any], folder: Path) -> None:
    """Print what was read of each input, what was dropped and why, the size of the dataset, and the warnings."""
    label = f"{manifest['name']} (synthetic)" if manifest["synthetic"] else manifest["name"]
    console.print(_inputs_table([entry for entry in manifest["sources"] if entry["kind"] == "interactions"], label))
    for sentence in _readings(manifest["sources"]):
        console.print(f"• {sentence}", soft_wrap=True, markup=False, highlight=False)
    console.print(_dropped_table(manifest))
    if types := _event_types(manifest["sources"]):
        console.print(f"Events by type: {types}", soft_wrap=True, markup=False)
    counts = manifest["counts"]
    parts = ", ".join(f"{part} {counts[part]:,}" for part in ("train", "validation", "test"))
    console.print(
        f"{counts['users']:,} users, {counts['items']:,} items, {counts['interactions']:,} interactions ({parts})",
        soft_wrap=True,
    )
    without = counts["items_without_interactions"]
    interacted = counts["items"] - without
    if manifest["metadata"]["read"]:
        described = interacted - counts["items_without_metadata"]
        of = "items with interactions" if without else "items"
        console.print(f"{described:,} of {interacted:,} {of} have a record in the catalogue", soft_wrap=True)
    if without:
        console.print(f"{without:,} items of the catalogue have no interactions", soft_wrap=True)
    if cycles := manifest.get("cycles"):
        console.print(
            f"Bought again: {cycles['own']:,} items have a cycle of their own, {cycles['category']:,} that of a "
            f"category, {cycles['default']:,} none",
            soft_wrap=True,
        )
    if manifest["warnings"]:
        sentences = Text("\n".join(f"• {sentence}" for sentence in manifest["warnings"]))
        console.print(Panel(sentences, title="Please look at this", title_align="left", border_style="yellow"))
    console.print(f"Prepared dataset: {folder}", soft_wrap=True, markup=False)


@contextmanager
def inputs_shown_on_error(console: Console, name: str, sources: Callable[[], list[dict[str, Any]]]) -> Iterator[None]:
    """Print what was read of the inputs when a step after reading fails: it may tell why."""
    try:
        yield
    except RecsysError:
        entries = sources()
        if any(entry.get("first_event") for entry in entries):
            console.print(_inputs_table(entries, name))
        raise


def _inputs_table(entries: list[dict[str, Any]], label: str) -> Table:
    """A row an input of interactions: from when to when its events are, and how it was read."""
    table = Table(title=f"Inputs: {escape(label)}", title_justify="left")
    table.add_column("input", overflow="fold")
    for heading in ("first event", "last event"):
        table.add_column(heading, no_wrap=True)
    read_as = _read_as(entries)
    if any(read_as):
        table.add_column("read as")
    table.add_column("events", justify="right")
    rows = list(zip(_names(entries), entries, read_as, strict=True))
    left_out = len(rows) - 2 * SHOWN_AT_ENDS if len(rows) > MOST_SECTIONS else 0
    for number, (name, entry, words) in enumerate(rows):
        if left_out and number == SHOWN_AT_ENDS:
            table.add_row(f"... {left_out:,} more")
        if left_out and SHOWN_AT_ENDS <= number < len(rows) - SHOWN_AT_ENDS:
            continue
        times = (_shown_time(entry.get(key)) for key in ("first_event", "last_event"))
        table.add_row(escape(name), *times, *([words] if any(read_as) else []), f"{entry['kept']:,}")
    return table


def _names(entries: list[dict[str, Any]]) -> list[str]:
    """The names of files, with their folder where two have one name."""
    paths = [Path(entry["path"]) for entry in entries]
    counts = Counter(path.name for path in paths)
    return [path.name if counts[path.name] == 1 else f"{path.parent.name}/{path.name}" for path in paths]


def _read_as(entries: list[dict[str, Any]]) -> list[str]:
    """How each input was read: its format if there are several, its container and dialect, the unit of its times."""
    several = len({entry["format"] for entry in entries}) > 1
    return [
        ", ".join(
            words
            for words in (
                entry["format"] if several else "",
                entry.get("written_as", ""),
                entry.get("read_as", "").replace(" since 1970", ""),
            )
            if words
        )
        for entry in entries
    ]


def _readings(entries: list[dict[str, Any]]) -> list[str]:
    """What was assumed of inputs, and which of their columns were read as what; inputs that are alike together."""
    names: dict[str, list[str]] = {}
    for name, entry in zip(_names(entries), entries, strict=True):
        columns = ", ".join(f"{ours} is {theirs}" for ours, theirs in entry.get("columns", {}).items())
        if words := "; ".join([*entry.get("assumed", []), *([columns] if columns else [])]):
            names.setdefault(words, []).append(name)
    return [
        f"{', '.join(same[:SHOWN_AT_ENDS])}{' and others' * (len(same) > SHOWN_AT_ENDS)}: {words}"
        for words, same in names.items()
    ]


def _dropped_table(manifest: dict[str, Any]) -> Table:
    """What was read of the inputs, dropped by cause and kept."""
    table = Table(title="Read and dropped", title_justify="left")
    for heading in ("from", "what", "count"):
        table.add_column(heading, justify="right" if heading == "count" else "left", overflow="fold")
    for kind in ("interactions", "metadata", "properties", "users"):
        entries = [entry for entry in manifest["sources"] if entry["kind"] == kind]
        if len(entries) > MOST_SECTIONS:
            dropped, remarks = (
                sum((Counter(entry.get(name, {})) for entry in entries), Counter[str]())
                for name in ("dropped", "remarks")
            )
            lines, kept = (sum(entry[name] for entry in entries) for name in ("lines", "kept"))
            _section(table, f"{len(entries):,} inputs", lines, dict(sorted(dropped.items())), kept, remarks)
            continue
        for name, entry in zip(_names(entries), entries, strict=True):
            remarks = entry.get("remarks", {})
            _section(table, name, entry["lines"], entry["dropped"], entry["kept"], remarks)
    for part in ("interactions", "metadata"):
        entry = manifest[part]
        if entry["read"]:
            _section(table, f"all {part}", entry["read"], entry["dropped"], entry["kept"])
    for cause, count in manifest["metadata"]["fields"].items():
        table.add_row("", cause.replace("_", " "), f"{count:,}")
    return table


def _section(
    table: Table, name: str, read: int, dropped: dict[str, int], kept: int, remarks: Mapping[str, int] | None = None
) -> None:
    table.add_row(escape(name), "read", f"{read:,}")
    for cause, count in dropped.items():
        table.add_row("", f"dropped: {cause.replace('_', ' ')}", f"{count:,}")
    table.add_row("", "kept", f"{kept:,}", end_section=not remarks)
    for remark, count in (remarks or {}).items():
        table.add_row("", Text(remark), f"{count:,}")
    if remarks:
        table.add_section()


def _shown_time(time: str | None) -> str:
    """A time of the manifest to the minute; midnight is left out."""
    return (time or "none").partition("T00:00:00")[0].replace("T", " ")[:16]


def _event_types(entries: list[dict[str, Any]]) -> str:
    """The types of events that came, the most frequent first, with their shares."""
    counts = sum((Counter(entry.get("event_types", {})) for entry in entries), Counter[str]())
    total = counts.total()
    return ", ".join(f"{name} {count:,} ({count / total:.1%})" for name, count in counts.most_common())
