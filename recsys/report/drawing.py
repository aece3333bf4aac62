"""How figures are drawn: style, colours, intervals, and the way from Matplotlib to SVG.

Matplotlib draws with stand-in colours that are replaced by CSS variables, so that a figure follows the
page into dark mode and needs no font of its own; `standalone` replaces the variables by the page's light colours.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from recsys.measure.results import Estimate

INK, MUTED, GRID, PAPER = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04"
BETTER, WORSE = "#0a0b05", "#0a0b06"
SERIES = ("#0a0b11", "#0a0b12", "#0a0b13", "#0a0b14", "#0a0b15", "#0a0b16", "#0a0b17")
_VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--rule", PAPER: "--paper", BETTER: "--good", WORSE: "--bad"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES)
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "recsys",
    "font.size": 9.5,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "xtick.major.size": 0,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "text.color": INK,
}
WIDTH = 9.6  # inches; the page scales figures to its own width
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Point:
    """A figure with its 95% interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, figure: Estimate) -> Point:
        return cls(figure["mean"], figure["low"], figure["high"])


def dot(axis: Axes, point: Point, row: float, colour: str, *, filled: bool = True) -> None:
    """A figure and its interval on a row."""
    axis.hlines(row, point.low, point.high, colour, lw=2.2 if filled else 1.2, alpha=0.5)
    axis.plot(
        point.mean, row, "o", color=colour, markersize=7 if filled else 5, markerfacecolor=colour if filled else PAPER
    )


def annotate(axis: Axes, point: Point, row: float, text: str) -> None:
    """Write `text` beside the interval, on the side away from zero."""
    left = point.mean < 0
    axis.annotate(
        text,
        (point.low if left else point.high, row),
        (-6 if left else 6, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=9,
    )


def label_rows(axis: Axes, labels: Sequence[str]) -> None:
    """Rows from top to bottom, with a light grid."""
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(f"{value:g}")))
    axis.grid(axis="x")


def signed(text: str) -> str:
    """Typeset a number: with a minus sign for the hyphen."""
    return text.replace("-", "−")


@contextmanager
def new_figure(
    height: float, columns: int, *, share_rows: bool = False, width: float = WIDTH
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure with panels side by side, in inches, drawn in the page's style."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots(1, columns, squeeze=False, sharey=share_rows)[0]
        for axis in axes:
            axis.patch.set_alpha(0)
        yield figure, list(axes)


def svg(figure: Figure) -> str:
    """The figure as inline SVG in the colours of the page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return _with_own_ids(text)


def _with_own_ids(text: str) -> str:
    """Keep the ids that are referred to, made unique among the figures of a page; drop the others."""
    prefix = f"f{zlib.crc32(text.encode()):08x}-"
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))

    def own(match: re.Match[str]) -> str:
        return f' id="{prefix}{match[1]}"' if match[1] in used else ""

    text = re.sub(r' id="([^"]+)"', own, text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", text)


def standalone(inline: str) -> str:
    """An inline SVG as a document of its own: the page's light colours, a font, a background and a size."""
    css = resources.files("recsys.report").joinpath("templates/report.css").read_text("utf8")
    colours = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", css[: css.index("}")]))
    text = re.sub(r"var\((--[\w-]+)\)", lambda match: colours[match[1]], inline)
    width, height = re.findall(r"[\d.]+", text[text.index("viewBox") :])[2:4]
    style = f'width="{width}" height="{height}" style="font-family: {_FONT}"'
    paper = f'<rect width="100%" height="100%" fill="{colours["--paper"]}"/>'
    text = re.sub(r"<svg([^>]*)>", rf"<svg {style}\1>{paper}", text, count=1)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'
