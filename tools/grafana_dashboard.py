"""Write deploy/grafana/dashboards/recsys.json, Grafana's dashboard of the server: `python -m tools.grafana_dashboard`.

Grafana's own format says each thing many times over; here a panel is its title, its queries and their unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DASHBOARD = Path(__file__).parents[1] / "deploy/grafana/dashboards/recsys.json"
SOURCE = {"type": "prometheus", "uid": "prometheus"}  # deploy/grafana/provisioning/datasources/prometheus.yml
COLUMNS, HEIGHT = 24, 8
LISTS = 'route=~"/recommendations.*"'
SERVER_ERRORS = 'status=~"5.."'


@dataclass(frozen=True)
class Panel:
    """A panel; each query has the legend of its lines before it."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    says: str = ""


def quantiles(metric: str, matching: str = "", by: str = "") -> tuple[tuple[str, str], ...]:
    """Median, 95th and 99th percentile of a histogram, by a label if one is named."""
    legend = f"{{{{{by}}}}} " if by else ""
    labels = f"le, {by}" if by else "le"
    summed = f"sum by ({labels}) (rate({metric}_bucket{{{matching}}}[$__rate_interval]))"
    shown = (0.95,) if by else (0.5, 0.95, 0.99)
    return tuple((f"{legend}p{round(100 * share)}", f"histogram_quantile({share}, {summed})") for share in shown)


def rate(metric: str, by: str = "", matching: str = "") -> tuple[str, str]:
    """How often a counter rises in a second, by a label if one is named."""
    return (f"{{{{{by}}}}}" if by else "all"), _summed_rate(metric, by, matching)


def _summed_rate(metric: str, by: str = "", matching: str = "") -> str:
    within = f"by ({by}) " if by else ""
    return f"sum {within}(rate({metric}{{{matching}}}[$__rate_interval]))"


def share(part: str, whole: str) -> str:
    """A quotient that is absent, and no error, where there was nothing."""
    return f"{part} / ({whole} > 0)"


ROWS: dict[str, tuple[Panel, ...]] = {
    "At a glance": (
        Panel("Servers up", (("", 'sum(up{job="recsys"})'),), kind="stat", width=4),
        Panel("Store", (("", "min(recsys_store_up)"),), kind="stat", width=4, says="1: it answers every worker."),
        Panel("Requests a second", (("", _summed_rate("recsys_http_requests_total")),), "reqps", "stat", 4),
        Panel(
            "Answered with 5xx",
            (
                (
                    "",
                    share(
                        f"(sum(rate(recsys_http_requests_total{{{SERVER_ERRORS}}}[$__rate_interval])) or vector(0))",
                        _summed_rate("recsys_http_requests_total"),
                    ),
                ),
            ),
            "percentunit",
            "stat",
            4,
        ),
        Panel("Users waiting", (("", "sum(recsys_waiting_users)"),), kind="stat", width=4),
        Panel(
            "Version of the bundle",
            (("{{version}}", "sum by (version) (recsys_bundle_workers > 0)"),),
            kind="stat",
            width=4,
            says="Workers that serve each version.",
        ),
    ),
    "Requests": (
        Panel("Requests by route", (rate("recsys_http_requests_total", "route"),), "reqps"),
        Panel(
            "Errors by status",
            (rate("recsys_http_requests_total", "status", 'status=~"[45].."'),),
            "reqps",
            says="404 and 422 are the clients' own; 5xx is ours.",
        ),
        Panel("Refused before they were read", (rate("recsys_refused_total", "cause"),), "reqps"),
        Panel("Time of lists", quantiles("recsys_http_request_seconds", LISTS), "s"),
        Panel("Time by route", quantiles("recsys_http_request_seconds", by="route"), "s"),
        Panel("Time by stage, of a batch", quantiles("recsys_stage_seconds", by="stage"), "s"),
        Panel(
            "Users waiting for their list",
            (("{{instance}}", "sum by (instance) (recsys_waiting_users)"),),
            says="Beyond one batch (max_batch), servers are too few.",
        ),
        Panel("Requests under way", (("{{instance}}", "sum by (instance) (recsys_http_in_flight)"),)),
        Panel("Users of a batch", quantiles("recsys_batch_users")),
    ),
    "Lists": (
        Panel(
            "Lists filled with popular items, by reason",
            (
                (
                    "{{reason}}",
                    f"{_summed_rate('recsys_fallbacks_total', 'reason')}"
                    f" / ignoring (reason) group_left () ({_summed_rate('recsys_batch_users_sum')} > 0)",
                ),
            ),
            "percentunit",
        ),
        Panel("Lists shorter than asked for", (rate("recsys_shortfalls_total"),), "reqps"),
        Panel("Candidates of a user, by source", quantiles("recsys_candidates", by="source")),
    ),
    "What people do": (
        Panel("Events by type", (rate("recsys_events_total", "event_type"),), "reqps"),
        Panel("Events that came twice", (rate("recsys_event_duplicates_total"),), "reqps"),
        Panel("From an event to its acceptance", quantiles("recsys_event_lag_seconds"), "s"),
    ),
    "Experiments": (
        Panel("Experiments running", (("{{instance}}", "max by (instance) (recsys_experiments_running)"),)),
        Panel(
            "Lists of experiments, by variant",
            (("{{experiment}}: {{variant}}", _summed_rate("recsys_experiment_lists_total", "experiment, variant")),),
            "reqps",
        ),
        Panel(
            "Lists made as without their experiment",
            (
                (
                    "{{experiment}}: {{reason}}",
                    _summed_rate("recsys_experiment_undelivered_total", "experiment, reason"),
                ),
            ),
            "reqps",
        ),
        Panel("Orders drawn by chance", (rate("recsys_orders_drawn_total", "outcome"),), "reqps"),
        Panel("Bundles held for variants", (("{{version}}", "sum by (version) (recsys_held_bundle_workers > 0)"),)),
    ),
    "Store, bundle and what is in force": (
        Panel("Store answers", (("{{instance}}", "min by (instance) (recsys_store_up)"),)),
        Panel("Calls that the store failed", (rate("recsys_store_failures_total", "call"),), "reqps"),
        Panel("Missing from the served log", (rate("recsys_served_dropped_total"),), "reqps"),
        Panel("Workers by version of the bundle", (("{{version}}", "sum by (version) (recsys_bundle_workers > 0)"),)),
        Panel(
            "Bundles refused, looks that failed",
            (
                ("refused", "sum(increase(recsys_bundle_refused_total[$__rate_interval]))"),
                ("looks", "sum(increase(recsys_bundle_watch_errors_total[$__rate_interval]))"),
                ("held, refused", "sum(increase(recsys_held_bundle_refused_total[$__rate_interval]))"),
            ),
        ),
        Panel(
            "Behind what the store says",
            (
                ("rules", "max(recsys_rules_stale)"),
                ("live items", "max(recsys_live_items_stale)"),
                ("persons", "max(recsys_persons_stale)"),
                ("experiments", "max(recsys_experiments_stale)"),
                ("API keys", "max(recsys_api_keys_stale)"),
                ("retention held", "max(recsys_retention_held)"),
            ),
            says="1: what was known last is in force.",
        ),
        Panel(
            "Rules in force, and those that the bundle cannot follow",
            (("in force", "min(recsys_rules_in_force)"), ("off", "max(recsys_rule_faults)")),
        ),
        Panel("Live items", (("{{instance}}", "min by (instance) (recsys_live_items)"),)),
        Panel("Time to put changed items into force", quantiles("recsys_overlay_seconds"), "s"),
    ),
}


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana reads it."""
    return {
        "uid": "recsys",
        "title": "Recommendations",
        "tags": ["recsys"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, top = 1, 0
    for title, panels in ROWS.items():
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
        }
        number, top, left = number + 1, top + 1, 0
        for panel in panels:
            if left + panel.width > COLUMNS:
                top, left = top + HEIGHT, 0
            yield _panel(panel, number, {"x": left, "y": top, "w": panel.width, "h": HEIGHT})
            number, left = number + 1, left + panel.width
        top += HEIGHT


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}}
        if panel.kind == "timeseries"
        else {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "auto"},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for place, (legend, expression) in enumerate(panel.queries)
        ],
    }


def main() -> None:
    """Write the file."""
    DASHBOARD.parent.mkdir(parents=True, exist_ok=True)
    DASHBOARD.write_text(json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n", "utf8")


if __name__ == "__main__":
    main()
