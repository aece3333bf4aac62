"""What came of replayed lists, in the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.measure.shadow import ShadowReport, Side


def print_shadow(console: Console, report: ShadowReport) -> None:
    """Print both bundles beside each other, how alike their lists are, and what speaks against the new one."""
    console.print(escape(report.says), highlight=False)
    for cause, count in report.skipped.items():
        console.print(f"  {count:,} {escape(cause)}", highlight=False)
    if report.old is not None and report.new is not None:
        console.print(_sides(report.old, report.new))
    overlap = report.overlap
    if overlap is not None:
        at = "  ".join(f"@{one.depth} {one.mean:.2f}" for one in overlap.by_rank)
        console.print(
            f"Overlap of lists: {overlap.mean:.3f} (5% below {overlap.p5:.3f}), rank-biased {overlap.rank_biased:.3f}, "
            f"unchanged {overlap.unchanged:.1%}; by rank {at}",
            highlight=False,
        )
        console.print(
            f"Items: {report.entered:,} come into lists, {report.left:,} leave them, of these {report.gone:,} that the "
            "new bundle does not hold",
            highlight=False,
        )
    if report.as_served is not None:
        console.print(f"The bundle in use names {report.as_served:.1%} of what it had served again", highlight=False)
    for refusal in report.refusals:
        console.print(f"[red]Against it:[/red] {escape(refusal)}", highlight=False)


def _sides(old: Side, new: Side) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("")
    for heading in ("in use", "new"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("version", escape(old.version), escape(new.version))
    table.add_row("lists made", f"{old.made:,}", f"{new.made:,}")
    table.add_row("failed", f"{old.failed:,}", f"{new.failed:,}")
    table.add_row("filled with popular items", f"{old.filled:.1%}", f"{new.filled:.1%}")
    table.add_row("shorter than served", f"{old.short:.1%}", f"{new.short:.1%}")
    table.add_row("distinct items", f"{old.items:,}", f"{new.items:,}")
    for name in ("p50", "p95"):
        times = ["–" if side.latency is None else f"{getattr(side.latency, name):.1f} ms" for side in (old, new)]
        table.add_row(f"a list takes, {name}", *times)
    return table
