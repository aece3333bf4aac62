"""The tables that the benchmarks of the server print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One line of the table; the goal says what `ratio`, or `value` where there is none, should reach."""

    measure: str
    reference: float | None
    value: float
    ratio: float | None = None
    goal: tuple[str, float] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None: there is none."""
        if self.goal is None:
            return None
        figure = self.value if self.ratio is None else self.ratio
        return figure >= self.goal[1] if self.goal[0] == "≥" else figure <= self.goal[1]


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print on the terminal."""
    table = Table(title=title, title_justify="left")
    for n, column in enumerate(columns):
        table.add_column(column, justify="right" if n else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=max(100, Console().width)).print(table)


def number(value: float | None) -> str:
    """Three digits that count, or all before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
