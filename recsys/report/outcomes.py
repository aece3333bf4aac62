"""What came of a shop's own lists, as a report shows it: a curve by day, a table for each dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from recsys.outcomes import CAUSES
from recsys.report.drawing import MUTED, SERIES, new_figure, svg

TITLES: Final[Mapping[str, str]] = {
    "model": "Model",
    "bundle": "Bundle",
    "variant": "Variant",
    "source": "Source of the item",
    "position": "Position",
    "segment": "Interactions of the user",
    "scenario": "Scenario",
    "fallback": "Fallback",
    "explain": "Reasons in lists",
    "day": "Day",
}
_PANELS: Final = {
    "Clicks by impressions": ("ctr", 0),
    "Clicks by served items": ("ctr_served", 1),
    "Purchases by impressions": ("conversion_rate", 3),
}
_MOST_TICKS: Final = 6


class OutcomeSection(TypedDict):
    """What the section shows beside the figures of metrics.json.

    tables: heading and rows of each dimension that tells lists apart. same: heading and the one value of the others.
    attributed: whether anything came of any list. causes: why an event is the outcome of no list, its events by type.
    """

    tables: list[tuple[str, list[dict[str, Any]]]]
    same: list[tuple[str, str]]
    attributed: bool
    causes: list[tuple[str, str, int]]


def outcome_section(found: dict[str, Any] | None) -> OutcomeSection | None:
    """What the section on outcomes shows; None: no store was asked.

    Args:
        found: of `recsys.outcomes.as_json`.
    """
    if found is None:
        return None
    total = found["total"]
    # A list of no experiment has no variant, so that one variant is not that of all lists.
    least = {name: 1 if name == "variant" else 2 for name in found["tables"]}
    several = {name: rows for name, rows in found["tables"].items() if len(rows) >= least[name]}
    single = {name: rows[0]["value"] for name, rows in found["tables"].items() if 0 < len(rows) < least[name]}
    return {
        "tables": [(TITLES[name], rows) for name, rows in several.items()],
        "same": [(TITLES[name], value) for name, value in single.items() if value is not None],
        "attributed": any(total[name] for name in ("impressions", "clicks", "carts", "purchases")),
        "causes": [(CAUSES[row["cause"]], row["event_type"], row["events"]) for row in found["unattributed"]],
    }


def outcome_figures(found: dict[str, Any] | None) -> dict[str, str | None]:
    """The curve of rates by day; none where there are fewer than two days, or nothing came of any list."""
    days = [] if found is None else found["tables"].get("day", ())
    shown = {title: of for title, of in _PANELS.items() if any(row[of[0]] for row in days)}
    if len(days) < 2 or not shown or not any(row["clicks"] for row in days):
        return {}
    with new_figure(2.7, len(shown)) as (figure, axes):
        for axis, (title, (name, colour)) in zip(axes, shown.items(), strict=True):
            _by_day(axis, [row[name] for row in days], SERIES[colour])
            axis.set_title(title)
            axis.xaxis.set_major_locator(MaxNLocator(_MOST_TICKS, integer=True))
            axis.xaxis.set_major_formatter(FuncFormatter(lambda place, _: _label(days, place)))
        return {"outcomes_by_day": svg(figure)}


def _by_day(axis: Axes, rates: Sequence[Mapping[str, float | None] | None], colour: str) -> None:
    """A dot for each day that has a rate, and a line for its interval."""
    for place, rate in enumerate(rates):
        if rate is not None and rate["low"] is not None and rate["high"] is not None:
            axis.vlines(place, rate["low"], rate["high"], colour, lw=2.2, alpha=0.4)
    known = [(place, rate["value"]) for place, rate in enumerate(rates) if rate is not None]
    axis.plot(*zip(*known, strict=True), color=colour, lw=1.2, marker="o", markersize=3.5)
    axis.set_ylim(bottom=0)
    axis.grid(axis="y")
    axis.tick_params(axis="y", labelcolor=MUTED)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.1%}"))


def _label(days: Sequence[Mapping[str, Any]], place: float) -> str:
    """Month and day at a whole place."""
    return str(days[int(place)]["value"])[5:] if place == int(place) and 0 <= place < len(days) else ""
