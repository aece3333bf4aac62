"""What the terminal shows while a dataset is prepared, and the tables at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table


class StageProgress:
    """A bar over the bytes of each file, a spinner for each stage."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[size]}"),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def file(self, path: Path, size: int) -> Iterator[Callable[[int], None]]:
        """Show a bar for a file of `size` bytes; yields a function to call with each number of bytes read."""
        task = self._progress.add_task(f"Reading {path.name}", total=size, size=f"{size / 1e6:,.1f} MB")
        yield lambda count: self._progress.advance(task, count)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show a stage of unknown length."""
        task = self._progress.add_task(name, total=None, size="")
        yield
        self._progress.update(task, total=1, completed=1)


def print_report(console: Console, manifest: dict[str, Any], folder: Path) -> None:
    """Print how many lines of each input were read, dropped by cause and kept, and the size of the dataset."""
    label = f"{manifest['name']} (synthetic)" if manifest["synthetic"] else manifest["name"]
    table = Table(title=f"Read and dropped: {label}", title_justify="left")
    for heading in ("from", "what", "count"):
        table.add_column(heading, justify="right" if heading == "count" else "left", overflow="fold")
    for entry in manifest["sources"]:
        _section(table, Path(entry["path"]).name, entry["lines"], entry["dropped"], entry["kept"])
    for part in ("interactions", "metadata"):
        entry = manifest[part]
        if entry["read"]:
            _section(table, f"all {part}", entry["read"], entry["dropped"], entry["kept"])
    for cause, count in manifest["metadata"]["fields"].items():
        table.add_row("", cause.replace("_", " "), f"{count:,}")
    console.print(table)
    interactions = manifest["interactions"]
    if reduced := interactions.get("quantity_reduced"):
        console.print(f"Returned in part: {reduced:,} purchases are kept with what is left of their quantity")
    if outstanding := interactions.get("outstanding_users"):
        names = ", ".join(f"{user['user_id']!r} ({user['events']:,} events)" for user in outstanding)
        console.print(f"Left out as no person, see data.max_user_events: {names}", soft_wrap=True, markup=False)
    counts = manifest["counts"]
    parts = ", ".join(f"{part} {counts[part]:,}" for part in ("train", "validation", "test"))
    console.print(
        f"{counts['users']:,} users, {counts['items']:,} items, {counts['interactions']:,} interactions ({parts})",
        soft_wrap=True,
    )
    console.print(f"Prepared dataset: {folder}", soft_wrap=True)


def _section(table: Table, name: str, read: int, dropped: dict[str, int], kept: int) -> None:
    table.add_row(name, "read", f"{read:,}")
    for cause, count in dropped.items():
        table.add_row("", f"dropped: {cause.replace('_', ' ')}", f"{count:,}")
    table.add_row("", "kept", f"{kept:,}", end_section=True)
