"""What rules cost and bring, as a report shows it: the columns of its table, and curves over the knobs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from recsys.measure.results import RuleCurve, RuleFigures, RuleResults
from recsys.measure.rules.outcomes import DIVERSITY, FILLED, NDCG, PRICE, RECALL, REVENUE
from recsys.measure.variety import COVERED, DIVERGENCE, OF_LAST
from recsys.report.drawing import MUTED, SERIES, new_figure, signed, svg

COLUMNS = {
    NDCG: ("NDCG", "figure"),
    RECALL: ("Recall", "figure"),
    PRICE: ("Mean price", "price"),
    REVENUE: ("Revenue proxy", "revenue"),
    DIVERSITY: ("Diversity", "figure"),
    OF_LAST: ("Last category", "percent"),
    COVERED: ("Categories covered", "percent"),
    DIVERGENCE: ("Divergence", "figure"),
    FILLED: ("Slots filled", "percent"),
}
"""Outcome -> heading, and how it is written."""

_GAINS = {PRICE: ("Mean price", 3), REVENUE: ("Revenue proxy", 5), DIVERSITY: ("Diversity", 1), COVERED: ("Covered", 0)}


def rule_figures(found: RuleResults | None, metric: str) -> dict[str, str | None]:
    """Both figures by name; none where no rules were measured.

    Args:
        found: what was measured.
        metric: how a report calls NDCG at the cutoff.
    """
    if found is None or not found["curves"]:
        return {}
    curves, none = found["curves"], found["none"]
    return {"rule_costs": _costs(curves, none, metric), "rule_gains": _gains(curves, none)}


def _costs(curves: Sequence[RuleCurve], none: RuleFigures, metric: str) -> str | None:
    """A panel a knob: change of NDCG relative to no rules, with its paired interval; None where it is not defined."""
    if not none["figures"].get(NDCG) or not none["figures"][NDCG]["mean"]:
        return None
    base = none["figures"][NDCG]["mean"]
    with new_figure(2.7, len(curves), share_rows=True) as (figure, axes):
        for axis, curve in zip(axes, curves, strict=True):
            rows = [point["differences"][NDCG] for point in curve["points"]]
            places = range(len(rows))
            low, high = ([row[end] / base for row in rows] for end in ("low", "high"))
            axis.fill_between(places, low, high, color=SERIES[0], alpha=0.15, lw=0)
            axis.plot(places, [row["mean"] / base for row in rows], color=SERIES[0], lw=1.8, marker="o", markersize=3.5)
            _over(axis, curve)
        axes[0].set_ylabel(f"Change of {metric}")
        return svg(figure)


def _gains(curves: Sequence[RuleCurve], none: RuleFigures) -> str | None:
    """A panel a knob: change of what rules are for, relative to no rules; None where nothing of it is defined."""
    known = {name: of for name, of in _GAINS.items() if (none["figures"].get(name) or {"mean": 0})["mean"]}
    if not known:
        return None
    with new_figure(3.0, len(curves)) as (figure, axes):
        for axis, curve in zip(axes, curves, strict=True):
            for name, (label, colour) in known.items():
                base = none["figures"][name]["mean"]
                gaps = [point["differences"].get(name) for point in curve["points"]]
                changes = [gap["mean"] / base if gap else math.nan for gap in gaps]
                axis.plot(
                    range(len(changes)), changes, color=SERIES[colour], lw=1.8, marker="o", markersize=3.5, label=label
                )
            _over(axis, curve)
        axes[0].set_ylabel("Change")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels), fontsize=9)
        return svg(figure)


def _over(axis: Axes, curve: RuleCurve) -> None:
    """The axes of a knob: its values at equal distances."""
    values = [point["value"] for point in curve["points"]]
    axis.axhline(0, color=MUTED, lw=1)
    axis.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    axis.set_title(curve["knob"].replace("_", " ").replace(".", ", "))
    axis.grid(axis="y")
    axis.tick_params(axis="y", labelcolor=MUTED)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(f"{value:+.0%}" if value else "0%")))


def write_outcome(value: float, form: str, *, change: bool = False) -> str:
    """A figure of a table, or the change of one."""
    sign = "+" if change else ""
    written = {"figure": f"{value:{sign}.4f}", "percent": f"{value:{sign}.1%}", "price": f"{value:{sign}.2f}"}
    return signed(written.get(form) or f"{value:{sign}.3f}")


def columns_of(none: RuleFigures) -> Mapping[str, tuple[str, str]]:
    """Those of `COLUMNS` that are defined."""
    return {name: of for name, of in COLUMNS.items() if name in none["figures"]}
