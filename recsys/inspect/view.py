"""What the terminal shows of the files, the proposed config and its trial; at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table as Grid
from rich.text import Text

from recsys.inspect.columns import Column, day
from recsys.inspect.event_types import map_types
from recsys.inspect.facts import Fact
from recsys.inspect.proposal import Proposal
from recsys.inspect.samples import Sample
from recsys.inspect.tables import Table
from recsys.inspect.trial import Trial
from recsys.inspect.words import printable
from recsys.inspect.yaml_lines import WIDTH

MOST_COLUMNS = 24
MOST_TYPES = 12
_EXAMPLE_CHARS = 20
_NAME_CHARS, _VALUE_CHARS, _LEAST_VALUE_CHARS = 28, 36, 8
_NUMBER_CHARS = 28  # of the two columns of numbers, the margin and the gaps
_UNREAD = "–"


def console_for(console: Console | None = None) -> Console:
    """A console no wider than is good to read; wide enough where nothing tells its width."""
    console = console or Console()
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def show_table(console: Console, table: Table, facts: Sequence[Fact]) -> None:
    """What one file is and holds."""
    console.print()
    console.print(
        Text.assemble((table.path.name or str(table.path), "bold cyan"), "  ", (printable(table.what), "bold"))
    )
    sample = table.sample
    if sample is None:
        return
    console.print(Padding(_size(sample), (0, 0, 0, 2), expand=False))
    console.print(Padding(_columns(table, console.width), (1, 0, 0, 2), expand=False))
    if (types := table.column("event_type")) is not None and table.kind == "event log":
        console.print(Padding(_types(types, sample), (1, 0, 0, 2), expand=False))
    lines = [_bullet(text) for text in _times(table)] + [_bullet(fact.text, fact.is_warning) for fact in facts]
    lines += [_bullet(note, True) for note in sample.notes]
    if lines:
        console.print(Padding(Group(*lines), (1, 0, 0, 2), expand=False))


def show_proposal(console: Console, proposal: Proposal, written: Path | None) -> None:
    """The config, ready to be pasted."""
    console.print()
    if written:
        console.print(Text.assemble(("Written: ", "bold"), str(written)))
    else:
        console.print(Text("Proposed config: paste it into a file, or let --output FILE.yaml write it", "bold"))
        console.print()
    text = Text(proposal.text.rstrip())
    if console.is_terminal:
        text = Syntax("", "yaml", theme="ansi_light", background_color="default").highlight(proposal.text.rstrip())
        text.rstrip()
    console.print(text, soft_wrap=True)  # a line that is broken could not be pasted
    unclear = list(proposal.unclear)
    for mark, wants in (("unclear", "your decision"), ("guessed", "a look")):
        if (count := proposal.text.count(f"# {mark}")) > 0:
            lines = "1 line marked" if count == 1 else f"{count} lines marked"
            unclear.append(f"{lines} `{mark}` in the config: {'it needs' if count == 1 else 'they need'} {wants}.")
    if unclear:
        console.print()
        sentences = Text("\n".join(f"• {sentence}" for sentence in unclear))
        console.print(Panel(sentences, title="Please look at this", title_align="left", border_style="yellow"))


def show_trial(console: Console, trial: Trial, config_name: str) -> None:
    """What became of the heads, and what to do next."""
    console.print()
    if trial.error:
        error = "\n".join(map(printable, trial.error.split("\n")))
        sentences = Text(f"A trial with the first rows stopped:\n\n{error}")
        console.print(Panel(sentences, title="Not yet", title_align="left", border_style="red"))
        return
    dropped = {cause: count for cause, count in (trial.dropped or {}).items() if count}
    causes = ", ".join(f"{count:,} {cause.replace('_', ' ')}" for cause, count in dropped.items())
    counts = trial.dataset or {}
    console.print(
        Text.assemble(
            ("Tried: ", "bold"),
            f"of the first {trial.lines:,} lines {trial.kept:,} are events"
            + (f" (dropped: {causes})" if causes else "")
            + f", of {counts['users']:,} users and {counts['items']:,} items.",
        )
    )
    console.print(Text.assemble(("Next:  ", "bold"), f"recsys prepare --config {config_name}"))


def _size(sample: Sample) -> Text:
    total = sample.total if sample.total is None or sample.is_exact else _rounded(sample.total)
    rows = "" if total is None else f"{total:,} rows"
    if sample.is_exact and not sample.is_whole:
        rows += f"; what follows is of a sample of {len(sample.rows):,}"
    elif not sample.is_exact:
        places = f"its head and {sample.places} other places" if sample.places else "its head"
        about = f"about {rows}; " if rows else ""
        rows = f"{about}what follows is of a sample of {len(sample.rows):,} rows, from {places}"
    words = ", ".join(filter(None, (sample.layout, sample.written_as)))
    return Text(f"{_bytes(sample.size)}, {words}, {rows or 'rows unknown'}.", "dim")


def _bytes(size: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size} bytes"


def _columns(table: Table, width: int) -> Grid:
    """A row a column: what it is, what its values are like. Values give way where the terminal is narrow."""
    roles = {role.column: (f"item.{ours}", role) for ours, role in table.told.items()}
    roles |= {role.column: (ours, role) for ours, role in table.roles.items()}
    shown = table.columns[:MOST_COLUMNS]
    names = min(_NAME_CHARS, max(len(column.name) for column in shown))
    ours_chars = max(len(ours) + 2 for ours, _ in [*roles.values(), ("", None)])
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("column", overflow="ellipsis", no_wrap=True, max_width=names)
    grid.add_column("is", no_wrap=True)
    rest = max(_LEAST_VALUE_CHARS, min(_VALUE_CHARS, width - names - ours_chars - _NUMBER_CHARS))
    grid.add_column("values", overflow="ellipsis", no_wrap=True, max_width=rest)
    grid.add_column("different", justify="right", no_wrap=True)
    grid.add_column("missing", justify="right", no_wrap=True)
    for column in shown:
        ours, role = roles.get(column.name, (_UNREAD, None))
        style = "" if role is None else "yellow" if role.is_guessed else "green"
        mark = " ?" if role is not None and role.is_guessed else ""
        missing = f"{column.missing:.1%}" if column.missing else ""
        examples = ", ".join(example[:_EXAMPLE_CHARS] for example in column.examples)
        grid.add_row(
            Text(printable(column.name)), Text(ours + mark, style), Text(examples), f"{column.distinct:,}", missing
        )
    if len(table.columns) > MOST_COLUMNS:
        grid.add_row(Text(f"... {len(table.columns) - MOST_COLUMNS} more"), "", "", "", "")
    return grid


def _types(types: Column, sample: Sample) -> Grid:
    """A row a type: how often it occurs, and what becomes of it."""
    mapping = map_types(types.counts, not sample.is_whole)
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    grid.add_column("event type", overflow="fold", max_width=40)
    grid.add_column("becomes", no_wrap=True)
    grid.add_column("share", justify="right")
    grid.add_column("in the sample" if not sample.is_whole else "count", justify="right")
    if sample.total and not sample.is_whole:
        grid.add_column("in the file, about", justify="right")
    total = sum(types.counts.values())
    for name, count in list(types.counts.items())[:MOST_TYPES]:
        key = name.strip().casefold()
        becomes = Text(mapping.renamed.get(key, key), "yellow" if key in mapping.comments else "green")
        row: list[Text | str] = [Text(printable(name)), becomes, f"{count / total:.1%}", f"{count:,}"]
        if sample.total and not sample.is_whole:
            row.append(f"{_rounded(count / len(types.texts) * sample.total):,}")
        grid.add_row(*row)
    if len(types.counts) > MOST_TYPES:
        grid.add_row(f"... {len(types.counts) - MOST_TYPES} more", *[""] * (len(grid.columns) - 1))
    return grid


def _rounded(number: float) -> int:
    """A number with three digits that count: an estimate has no more."""
    return int(float(f"{number:.3g}"))


def _times(table: Table) -> list[str]:
    column = table.column("timestamp")
    if column is None:
        return []
    lines = []
    times = column.times
    if times is None or times.are_order_numbers:
        lines.append(f"{column.name}: numbers from {column.examples[0]} on that order events, and no times.")
    else:
        unit = times.unit.replace(" since 1970", " since 1970, in UTC") or f"written as {column.examples[0]!r}"
        days = "; days alone, so that the order within a day is not known" if times.has_days_alone else ""
        ends = "" if column.extremes or (table.sample and table.sample.is_whole) else " in the sample"
        lines.append(f"Times from {day(times.first)} to {day(times.last)}{ends}, {unit}{days}.")
    price = table.column("price")
    if price is not None and price.decimal_mark:
        lines.append(f"Prices have a decimal {'comma' if price.decimal_mark == ',' else 'point'}.")
    return lines


def _bullet(text: str, is_warning: bool = False) -> RenderableType:
    grid = Grid(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text("!" if is_warning else "•", "yellow" if is_warning else "dim"), Text(printable(text)))
    return grid
