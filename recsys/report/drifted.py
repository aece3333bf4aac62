"""How far a shop has moved from what its bundle was trained on, in the terminal."""

from __future__ import annotations

from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.measure.drift import Band, DriftReport

_STYLES: Final[dict[Band, str]] = {"alert": "red", "watch": "yellow", "stable": "green", "unknown": "dim"}


def print_drift(console: Console, report: DriftReport) -> None:
    """Print every figure with its band, and what it means."""
    console.print(escape(report.says), highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("", "now", "before"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    table.add_column("band", no_wrap=True)
    table.add_column("")
    for one in report.measures:
        style = _STYLES[one.band]
        numbers = ["–" if value is None else f"{value:,.3f}" for value in (one.value, one.before)]
        table.add_row(one.name, *numbers, f"[{style}]{one.band}[/{style}]", escape(one.says))
    console.print(table)
    for refusal in report.refusals:
        console.print(f"[red]Against a new bundle:[/red] {escape(refusal)}", highlight=False)
