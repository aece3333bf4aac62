"""The figure of how lists mix categories: the last one's share, and how much of the history is covered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import FuncFormatter

from recsys.measure.results import Figures
from recsys.measure.variety import COVERED, OF_LAST
from recsys.report.drawing import MUTED, SERIES, Point, annotate, dot, label_rows, new_figure, svg


def variety_figure(
    systems: Mapping[str, Figures], choices: Figures | None, labels: Mapping[str, str], colours: Sequence[int]
) -> str:
    """Systems as rows, two panels; a dashed line stands where the choices of the users do.

    Args:
        systems: figures of each, see `recsys.measure.variety.Variety`.
        choices: of what users chose; None: nothing of it is counted.
        labels: of the systems, in the order of the rows.
        colours: index in `SERIES` of each row.
    """
    panels = {"Share of the last category": OF_LAST, "Categories of the history covered": COVERED}
    with new_figure(0.9 + 0.36 * len(labels), len(panels), share_rows=True) as (figure, axes):
        for axis, (title, metric) in zip(axes, panels.items(), strict=True):
            points = [Point.of(systems[name][metric]) for name in labels]
            for row, point in enumerate(points):
                dot(axis, point, row, SERIES[colours[row]])
                annotate(axis, point, row, f"{point.mean:.1%}")
            label_rows(axis, list(labels.values()))
            axis.set_title(title)
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
            axis.set_xlim(0, 1.18 * max(p.high for p in points) or 1)
            if choices is not None and metric in choices:
                chosen = choices[metric]["mean"]
                axis.axvline(chosen, color=MUTED, lw=1, ls=(0, (4, 3)))
                axis.set_title(f"{title} (dashed: of choices {chosen:.1%})")
        return svg(figure)
