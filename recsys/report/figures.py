"""The kinds of figures in a report, each drawn as inline SVG (see `drawing`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from recsys.report.drawing import (
    BETTER,
    INK,
    MUTED,
    PAPER,
    SERIES,
    WORSE,
    Point,
    annotate,
    dot,
    label_rows,
    new_figure,
    signed,
    svg,
)

Line = tuple[Sequence[float], Sequence[float]]
"""x and y of a curve."""


def comparison(
    panels: Mapping[str, Sequence[Sequence[Point]]],
    labels: Sequence[str],
    colours: Sequence[int],
    legend: Sequence[str],
) -> str:
    """Systems as rows, one panel a metric: a filled dot for the first figure of each, an open one for the second.

    Args:
        panels: title -> one or two figures a system.
        labels: of the systems.
        colours: index in `SERIES` of each system.
        legend: of the first figures, and of the second ones if there are any.
    """
    with new_figure(0.9 + 0.42 * len(labels), len(panels), share_rows=True) as (figure, axes):
        for axis, (title, pairs) in zip(axes, panels.items(), strict=True):
            for row, (first, *others) in enumerate(pairs):
                for second in others:
                    dot(axis, second, row + 0.17, SERIES[colours[row]], filled=False)
                dot(axis, first, row - 0.13, SERIES[colours[row]])
                annotate(axis, first, row - 0.13, f"{first.mean:.4f}")
            axis.set_title(title)
            label_rows(axis, labels)
            axis.set_xlim(0, 1.18 * max(p.high for pair in pairs for p in pair) or 1)
        handles = [
            axes[0].plot([], [], "o", color=MUTED, markersize=6, label=legend[0])[0],
            axes[0].plot([], [], "o", color=MUTED, markersize=5, markerfacecolor=PAPER, label=legend[-1])[0],
        ]
        figure.legend(handles=handles[: len(legend)], loc="outside lower left", ncols=2, fontsize=9)
        return svg(figure)


def differences(panels: Mapping[str, Sequence[Point]], labels: Sequence[str]) -> str:
    """Differences with intervals around a line at zero, coloured by what the interval says; one panel a metric."""
    with new_figure(0.85 + 0.36 * len(labels), len(panels), share_rows=True) as (figure, axes):
        for axis, (title, points) in zip(axes, panels.items(), strict=True):
            axis.axvline(0, color=MUTED, linewidth=1)
            for row, point in enumerate(points):
                dot(axis, point, row, WORSE if point.high < 0 else BETTER if point.low > 0 else MUTED)
                none = point.low == point.high == 0
                annotate(axis, point, row, "no difference" if none else signed(f"{point.mean:+.4f}"))
            label_rows(axis, labels)
            low, high = min(0.0, *(p.low for p in points)), max(0.0, *(p.high for p in points))
            span = high - low or 0.01
            axis.set_xlim(low - (0.4 if low < 0 else 0.04) * span, high + 0.26 * span)
            axis.set_title(title)
        return svg(figure)


def steps(panels: Mapping[str, Sequence[Point]], labels: Sequence[str], colours: Sequence[int]) -> str:
    """Stages as rows, one panel a metric, each annotated with its change from the row above."""
    with new_figure(0.75 + 0.4 * len(labels), len(panels), share_rows=True) as (figure, axes):
        for axis, (title, points) in zip(axes, panels.items(), strict=True):
            for row, point in enumerate(points):
                before = points[row - 1].mean if row else 0
                change = signed(f"  ({point.mean / before - 1:+.1%})") if before else ""
                dot(axis, point, row, SERIES[colours[row]])
                annotate(axis, point, row, f"{point.mean:.4f}{change}")
            axis.set_title(title)
            label_rows(axis, labels)
            axis.set_xlim(0, 1.45 * max(p.high for p in points) or 1)
        return svg(figure)


def dots(rows: Sequence[tuple[str, Point]], axis_label: str) -> str:
    """Figures with intervals, one row each, the first one stressed, on an axis that need not start at zero."""
    with new_figure(0.75 + 0.36 * len(rows), 1) as (figure, (axis,)):
        for row, (_, point) in enumerate(rows):
            dot(axis, point, row, SERIES[0] if row == 0 else MUTED)
            annotate(axis, point, row, f"{point.mean:.4f}")
        label_rows(axis, [label for label, _ in rows])
        low, high = min(p.low for _, p in rows), max(p.high for _, p in rows)
        span = high - low or 1
        axis.set_xlim(low - 0.08 * span, high + 0.12 * span)
        axis.set_xlabel(axis_label)
        return svg(figure)


def bars(panels: Mapping[str, Sequence[tuple[str, float]]], axis_label: str) -> str:
    """Horizontal bars from zero, one panel a list of (label, value)."""
    with new_figure(0.85 + 0.27 * max(map(len, panels.values())), len(panels)) as (figure, axes):
        for axis, (title, rows) in zip(axes, panels.items(), strict=True):
            values = [value for _, value in rows]
            axis.barh(range(len(rows)), values, 0.62, color=[BETTER if value > 0 else MUTED for value in values])
            for row, value in enumerate(values):
                annotate(axis, Point(value, min(value, 0), max(value, 0)), row, signed(f"{value:+.4f}"))
            axis.axvline(0, color=MUTED, linewidth=1)
            label_rows(axis, [label for label, _ in rows])
            axis.set_ylim(max(map(len, panels.values())) - 0.5, -0.5)
            low, high = min(0.0, *values), max(0.0, *values)
            span = high - low or 0.01
            axis.set_xlim(low - (0.3 if low < 0 else 0) * span, high + 0.26 * span)
            axis.set_title(title)
            axis.set_xlabel(axis_label)
        return svg(figure)


def slices(
    panels: Mapping[str, Mapping[str, Sequence[Point | None]]],
    ticks: Mapping[str, Sequence[str]],
    colours: Mapping[str, int],
    axis_label: str = "",
) -> str:
    """One panel a way of slicing: slices from left to right, a dot with interval for each system.

    Args:
        panels: title -> label of a system -> a point a slice, None where there is none.
        ticks: title -> labels of the slices.
        colours: label of a system -> index in `SERIES`.
        axis_label: of the vertical axis.
    """
    with new_figure(3.3, len(panels)) as (figure, axes):
        for axis, (title, table) in zip(axes, panels.items(), strict=True):
            for number, (label, points) in enumerate(table.items()):
                shift = 0.66 * (number / max(len(table) - 1, 1) - 0.5)
                drawn = [(slot + shift, point) for slot, point in enumerate(points) if point is not None]
                _upright(axis, drawn, SERIES[colours[label]], label)
            axis.set_title(title)
            axis.set_xticks(range(len(ticks[title])), ticks[title], linespacing=1.5)
            axis.tick_params(axis="x", labelcolor=INK)
            axis.set_xlim(-0.6, len(ticks[title]) - 0.4)
            # Wide intervals of small slices may leave the picture; the points decide its height.
            axis.set_ylim(0, 1.4 * max((p.mean for points in table.values() for p in points if p), default=0) or 1)
            _value_axis(axis, axis_label if axis is axes[0] else "")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels), fontsize=9, handletextpad=0.2)
        return svg(figure)


def curves(
    panels: Mapping[str, Mapping[str, Line]],
    x_label: str,
    *,
    colours: Mapping[str, int] | None = None,
    log_x: bool = False,
    shares: bool = False,
) -> str:
    """Line charts: title -> label -> (x, y); without `colours` each panel takes the series in their order.

    Args:
        panels: see above.
        x_label: of the horizontal axis.
        colours: label -> index in `SERIES`.
        log_x: the horizontal axis is logarithmic.
        shares: both axes go from 0 to 1, the horizontal one in per cent.
    """
    with new_figure(2.6, len(panels)) as (figure, axes):
        for axis, (title, lines) in zip(axes, panels.items(), strict=True):
            for number, (label, (x, y)) in enumerate(lines.items()):
                colour = SERIES[number if colours is None else colours[label]]
                axis.plot(x, y, color=colour, lw=1.8, marker="o", markersize=3.5, label=label, zorder=9 - number)
            axis.set_title(title)
            axis.set_xlabel(x_label)
            _value_axis(axis)
            if log_x:
                ticks = sorted({value for x, _ in lines.values() for value in x})
                axis.set_xscale("log")
                axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                axis.xaxis.set_minor_locator(NullLocator())
                axis.set_ylim(bottom=0)
            elif shares:
                axis.set_xlim(0, 1)
                axis.set_ylim(0, 1.04)
                axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
            else:
                axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        if len({tuple(lines) for lines in panels.values()}) == 1:
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=len(labels), fontsize=9)
        else:
            for axis, lines in zip(axes, panels.values(), strict=True):
                if len(lines) > 1:
                    axis.legend(fontsize=9)
        return svg(figure)


def sweep(panels: Mapping[str, Line], ends: tuple[str, str], x_label: str) -> str:
    """One curve a panel over a share from 0 to 1, its best point and its named ends marked.

    Args:
        panels: title -> (shares, figures).
        ends: what the shares 0 and 1 are.
        x_label: what the share is of.
    """
    with new_figure(3.0, len(panels)) as (figure, axes):
        for axis, (title, (x, y)) in zip(axes, panels.items(), strict=True):
            axis.plot(x, y, color=SERIES[5], lw=1.8, marker="o", markersize=3.5)
            best = max(range(len(y)), key=y.__getitem__)
            axis.plot(x[best], y[best], "o", color=SERIES[0], markersize=8)
            _note(axis, f"{y[best]:.4f} at {x[best]:g}", (x[best], y[best]), (0, 9), "center")
            for end, label, side in ((0, ends[0], "left"), (1, ends[1], "right")):
                at = [index for index, share in enumerate(x) if share == end]
                if at:
                    value = y[at[0]]
                    axis.axhline(value, color=MUTED, lw=0.8, ls=(0, (3, 3)))
                    axis.plot(end, value, "s", color=SERIES[1 if end == 0 else 3], markersize=7)
                    offset = (10, -13) if side == "left" else (-10, -13)
                    _note(axis, f"{label} {value:.4f}", (end, value), offset, side)
            axis.set_title(title)
            axis.set_xlabel(x_label)
            axis.margins(y=0.22)
            _value_axis(axis)
        return svg(figure)


def reliability(points: Sequence[tuple[float, Point]], shares: Sequence[float], axis_labels: tuple[str, str]) -> str:
    """What came true of what was predicted: mean outcomes with intervals beside the diagonal of perfect calibration.

    Args:
        points: (mean prediction, mean outcome) of each bin.
        shares: part of all cases in each bin; the dots' areas follow them.
        axis_labels: of the predictions and the outcomes.
    """
    with new_figure(4.2, 1, width=4.9) as (figure, (axis,)):
        low = min(min(x, p.low) for x, p in points)
        high = max(max(x, p.high) for x, p in points)
        margin = 0.06 * (high - low or 1)
        limits = (low - margin, high + margin)
        axis.plot(limits, limits, color=MUTED, lw=1, ls=(0, (4, 3)))
        axis.vlines(
            [x for x, _ in points], [p.low for _, p in points], [p.high for _, p in points], SERIES[0], alpha=0.5
        )
        sizes = [600 * share for share in shares]
        axis.scatter([x for x, _ in points], [p.mean for _, p in points], s=sizes, color=SERIES[0], zorder=3)
        axis.set_xlim(*limits)
        axis.set_ylim(*limits)
        axis.set_xlabel(axis_labels[0])
        _value_axis(axis, axis_labels[1])
        axis.grid(axis="x")
        return svg(figure)


def _upright(axis: Axes, points: Sequence[tuple[float, Point]], colour: str, label: str) -> None:
    """Figures with vertical intervals at given x."""
    xs = [x for x, _ in points]
    axis.vlines(xs, [p.low for _, p in points], [p.high for _, p in points], colour, lw=1.6, alpha=0.55)
    axis.plot(xs, [p.mean for _, p in points], "o", color=colour, markersize=5.5, label=label)


def _value_axis(axis: Axes, label: str = "") -> None:
    axis.set_ylabel(label)
    axis.grid(axis="y")
    axis.tick_params(axis="y", labelcolor=MUTED)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(f"{value:g}")))


def _note(axis: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], align: str) -> None:
    axis.annotate(text, at, offset, textcoords="offset points", ha=align, fontsize=9)
