"""The figures of a report as inline SVG whose colours and font are the page's.

Matplotlib draws with stand-in colours that are replaced by CSS variables, so that a figure follows the
page into dark mode and needs no font of its own.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

INK, MUTED, GRID, PAPER = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04"
BETTER, WORSE = "#0a0b05", "#0a0b06"
SERIES = ("#0a0b11", "#0a0b12", "#0a0b13", "#0a0b14", "#0a0b15", "#0a0b16")
_VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--rule", PAPER: "--paper", BETTER: "--good", WORSE: "--bad"} | {
    colour: f"--series-{place}" for place, colour in enumerate(SERIES)
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
_WIDTH = 9.6  # inches; the page scales figures to its own width


@dataclass(frozen=True)
class Point:
    """A figure with its 95% interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, figure: Mapping[str, float]) -> Point:
        return cls(figure["mean"], figure["low"], figure["high"])


def comparison(
    panels: Mapping[str, Sequence[tuple[Point, Point]]], labels: Sequence[str], legend: tuple[str, str]
) -> str:
    """Systems as rows, one panel a metric: a filled dot for the first figure of each pair, an open one for the second.

    Args:
        panels: title -> a pair a system.
        labels: of the systems.
        legend: of the first and the second of a pair.
    """
    with _figure(0.9 + 0.46 * len(labels), len(panels), share_rows=True) as (figure, axes):
        for axis, (title, pairs) in zip(axes, panels.items(), strict=True):
            for row, (first, second) in enumerate(pairs):
                _dot(axis, second, row + 0.17, SERIES[row], filled=False)
                _dot(axis, first, row - 0.13, SERIES[row])
                _annotate(axis, first, row - 0.13, f"{first.mean:.4f}")
            axis.set_title(title)
            _rows(axis, labels)
            axis.set_xlim(0, 1.16 * max(p.high for pair in pairs for p in pair) or 1)
        handles = [
            axes[0].plot([], [], "o", color=MUTED, markersize=6, label=legend[0])[0],
            axes[0].plot([], [], "o", color=MUTED, markersize=5, markerfacecolor=PAPER, label=legend[1])[0],
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=9)
        return _svg(figure)


def differences(rows: Sequence[tuple[str, Point]], axis_label: str) -> str:
    """Differences with intervals around a line at zero, coloured by what the interval says."""
    with _figure(0.75 + 0.36 * len(rows), 1) as (figure, (axis,)):
        axis.axvline(0, color=MUTED, linewidth=1)
        for row, (_, point) in enumerate(rows):
            colour = WORSE if point.high < 0 else BETTER if point.low > 0 else MUTED
            _dot(axis, point, row, colour)
            text = f"{point.mean:+.4f}".replace("-", "−")
            _annotate(axis, point, row, "no difference" if point.low == point.high == 0 else text)
        _rows(axis, [label for label, _ in rows])
        low, high = min(0.0, *(p.low for _, p in rows)), max(0.0, *(p.high for _, p in rows))
        span = high - low or 0.01
        axis.set_xlim(low - (0.13 if low < 0 else 0.04) * span, high + 0.13 * span)
        axis.set_xlabel(axis_label)
        return _svg(figure)


def dots(rows: Sequence[tuple[str, Point]], axis_label: str) -> str:
    """Figures with intervals, one row each, on an axis that need not start at zero."""
    with _figure(0.75 + 0.36 * len(rows), 1) as (figure, (axis,)):
        for row, (_, point) in enumerate(rows):
            _dot(axis, point, row, SERIES[0] if row == 0 else MUTED)
            _annotate(axis, point, row, f"{point.mean:.4f}")
        _rows(axis, [label for label, _ in rows])
        low, high = min(p.low for _, p in rows), max(p.high for _, p in rows)
        span = high - low or 1
        axis.set_xlim(low - 0.08 * span, high + 0.12 * span)
        axis.set_xlabel(axis_label)
        return _svg(figure)


def slices(
    panels: Mapping[str, Mapping[str, Sequence[Point | None]]], ticks: Mapping[str, Sequence[str]], metric: str
) -> str:
    """One panel a way of slicing: slices from left to right, a dot with interval for each system.

    Args:
        panels: title -> label of a system -> a point a slice, None where there is none.
        ticks: title -> labels of the slices.
        metric: label of the vertical axis.
    """
    with _figure(3.1, len(panels)) as (figure, axes):
        for axis, (title, table) in zip(axes, panels.items(), strict=True):
            for place, (label, points) in enumerate(table.items()):
                shift = 0.62 * (place / max(len(table) - 1, 1) - 0.5)
                known = [(slot + shift, point) for slot, point in enumerate(points) if point is not None]
                axis.vlines(
                    [x for x, _ in known],
                    [p.low for _, p in known],
                    [p.high for _, p in known],
                    SERIES[place],
                    lw=1.6,
                    alpha=0.55,
                )
                axis.plot(
                    [x for x, _ in known],
                    [p.mean for _, p in known],
                    "o",
                    color=SERIES[place],
                    markersize=5.5,
                    label=label,
                )
            axis.set_title(title)
            axis.set_xticks(range(len(ticks[title])), ticks[title], linespacing=1.5)
            axis.tick_params(axis="x", labelcolor=INK)
            axis.tick_params(axis="y", labelcolor=MUTED)
            axis.set_xlim(-0.6, len(ticks[title]) - 0.4)
            # Wide intervals of small slices may leave the picture; the points decide its height.
            axis.set_ylim(0, 1.4 * max((p.mean for points in table.values() for p in points if p), default=0) or 1)
            axis.grid(axis="y")
        axes[0].set_ylabel(metric)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels), fontsize=9, handletextpad=0.2)
        return _svg(figure)


def curves(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]], x_label: str, log_x: bool = False
) -> str:
    """Line charts: title -> label -> (x, y)."""
    with _figure(2.5, len(panels)) as (figure, axes):
        for axis, (title, lines) in zip(axes, panels.items(), strict=True):
            for place, (label, (x, y)) in enumerate(lines.items()):
                axis.plot(x, y, color=SERIES[place], lw=1.8, marker="o", markersize=3.5, label=label, zorder=9 - place)
            axis.set_title(title)
            axis.set_xlabel(x_label)
            axis.grid(axis="y")
            axis.tick_params(axis="y", labelcolor=MUTED)
            if log_x:
                ticks = sorted({value for x, _ in lines.values() for value in x})
                axis.set_xscale("log")
                axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                axis.xaxis.set_minor_locator(NullLocator())
                axis.set_ylim(bottom=0)
            else:
                axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        if len({tuple(lines) for lines in panels.values()}) == 1:
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=len(labels), fontsize=9)
        else:
            for axis, lines in zip(axes, panels.values(), strict=True):
                if len(lines) > 1:
                    axis.legend(fontsize=9)
        return _svg(figure)


def _dot(axis: Axes, point: Point, row: float, colour: str, *, filled: bool = True) -> None:
    axis.hlines(row, point.low, point.high, colour, lw=2.2 if filled else 1.2, alpha=0.5)
    axis.plot(
        point.mean, row, "o", color=colour, markersize=7 if filled else 5, markerfacecolor=colour if filled else PAPER
    )


def _annotate(axis: Axes, point: Point, row: float, text: str) -> None:
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


def _rows(axis: Axes, labels: Sequence[str]) -> None:
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.grid(axis="x")


@contextmanager
def _figure(height: float, columns: int, *, share_rows: bool = False) -> Iterator[tuple[Figure, Sequence[Axes]]]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots(1, columns, squeeze=False, sharey=share_rows)[0]
        for axis in axes:
            axis.patch.set_alpha(0)
        yield figure, list(axes)


def _svg(figure: Figure) -> str:
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


def _with_own_ids(svg: str) -> str:
    """Keep the ids that are referred to, made unique among the figures of a page; drop the others."""
    prefix = f"f{zlib.crc32(svg.encode()):08x}-"
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))

    def own(match: re.Match[str]) -> str:
        return f' id="{prefix}{match[1]}"' if match[1] in used else ""

    svg = re.sub(r' id="([^"]+)"', own, svg)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", svg)
