"""The tables and headline figures of a report, from its results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.measure import systems as s
from recsys.measure.best_baseline import difference, tuning_reports, validation_figures
from recsys.measure.metrics import METRICS
from recsys.measure.ratings import HEAD
from recsys.measure.tally import HEADLINE
from recsys.report.charts import ordered
from recsys.report.document import Document, headline_protocol
from recsys.report.names import METRIC_LABELS, metric_label, source_label, system_label

REAL_TIMES_FROM = datetime(1980, 1, 1, tzinfo=UTC).timestamp()
"""Earlier timestamps are taken for counters that only order events."""


def tiles(results: Document) -> list[dict[str, str]]:
    """The headline figures: label, value, and a line below."""
    main = results["protocol"]["main_cutoff"]
    table = results["ranking"][headline_protocol(results)]["systems"]
    headline = []
    if table:
        for metric in HEADLINE:
            figure = table[s.SYSTEM]["metrics"][f"{metric}@{main}"]
            interval = f"95% interval {figure['low']:.4f}\u00a0–\u00a0{figure['high']:.4f}"
            headline.append(_tile(f"{METRIC_LABELS[metric]}@{main}", f"{figure['mean']:.4f}", interval))
        headline += _over_baseline(results, f"ndcg@{main}")
        share = table[s.SYSTEM]["coverage"][str(main)]
        headline.append(_tile(f"Coverage@{main}", f"{share:.1%}", "of the catalogue is in some user's list"))
    ann = results["ann"]
    if ann["recall"] is not None:
        headline.append(_tile(f"ScaNN recall@{ann['depth']}", f"{ann['recall']:.2%}", "of the exact list is found"))
    ratings = results["ratings"]
    if ratings and HEAD in ratings["models"]:
        bias = ratings["models"][ratings["head_minus_bias"]["bias"]]["rmse"]["mean"]
        rmse = ratings["models"][HEAD]["rmse"]["mean"]
        headline.append(_tile("Rating RMSE", f"{rmse:.4f}", f"user and item biases: {bias:.4f}"))
    return headline


def _tile(label: str, value: str, note: str) -> dict[str, str]:
    return {"label": label, "value": value, "note": note}


def _over_baseline(results: Document, metric: str) -> list[dict[str, str]]:
    best = results["best_baseline"]
    row = difference(results["comparisons"], s.SYSTEM, best["name"], metric) if best else None
    if best is None or row is None:
        return []
    label = results["systems"][best["name"]]["label"].lower()
    gain = best["gain"]
    if gain is None:
        return [_tile(f"Against {label}", _signed(row["mean"], "+.4f"), f"{label} finds nothing")]
    low, high = (_signed(gain[end], "+.0%") for end in ("low", "high"))
    return [_tile("Over best baseline", _signed(gain["mean"], "+.0%"), f"NDCG, {label}; 95%: {low} to {high}")]


def metric_tables(results: Document) -> list[dict[str, Any]]:
    """One for each protocol, that of the headline figures first."""
    main = headline_protocol(results)
    return [metric_table(results, protocol) for protocol in sorted(s.PROTOCOLS, key=lambda name: name != main)]


def metric_table(results: Document, protocol: str) -> dict[str, Any]:
    """Rows of systems, columns of metrics by cutoff; the best of each column is marked."""
    cutoffs = sorted(results["protocol"]["cutoffs"])
    ranking = results["ranking"][protocol]
    columns = [f"{metric}@{k}" for metric in METRICS for k in cutoffs]
    rows = ranking["systems"]
    return {
        "key": protocol,
        "title": results["protocol"]["protocols"][protocol],
        "users": ranking["users"],
        "cutoffs": cutoffs,
        "rows": {name: rows[name] for name in ordered(results) if name in rows},
        "best": {column: max(row["metrics"][column]["mean"] for row in rows.values()) for column in columns if rows},
    }


def tuning_rows(results: Document) -> list[dict[str, Any]]:
    """Each source's budget on validation: name, label, tried, users, figure, chosen and all trials."""
    metrics = results["run"]["bundle"]["metrics"]
    column = f"ndcg@{results['protocol']['main_cutoff']}"
    figures = validation_figures(metrics, column)
    rows = []
    for name, report in tuning_reports(metrics).items():
        trials = report.get("tried")
        chosen = report.get("chosen") or report.get("shares") or report.get("weights") or {}
        rows.append(
            {
                "label": system_label(name),
                "metric": metric_label(report.get("metric", column)),
                "key": report.get("metric", column),
                "untried": sum(report.get("untried", {}).values()),
                "tried": len(trials) if isinstance(trials, list) else trials or 0,
                "trials": trials if isinstance(trials, list) else [],
                "users": report.get("users", 0),
                "figure": figures.get(name),
                "chosen": {key: _setting(value) for key, value in chosen.items()},
            }
        )
    return sorted(rows, key=lambda row: -(row["figure"] or 0))


def hybrid_parts(results: Document) -> dict[str, Any] | None:
    """The members of the hybrid and the blend, loudest first; None for a bundle without.

    Shares say how loud a member is; weights are in units of its own scores, and stand in where there are no shares.
    """
    reports = tuning_reports(results["run"]["bundle"]["metrics"])
    if s.HYBRID not in reports:
        return None
    hybrid, blend = reports[s.HYBRID], reports.get(s.BLEND, {})
    kind = "shares" if "shares" in hybrid else "weights"
    mixed, blended = hybrid.get(kind, {}), blend.get(kind, {})
    names = sorted({*mixed, *blended}, key=lambda name: (-mixed.get(name, 0), -blended.get(name, 0)))
    form = "{:.1%}" if kind == "shares" else "{:.3g}"
    rows = [
        (
            source_label(name),
            *(form.format(table[name]) if table.get(name) else "–" for table in (mixed, blended)),
        )
        for name in names
    ]
    return {"kind": kind, "rows": rows}


def _setting(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def data_facts(dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Counts, time range and split of the dataset, as labels and text."""
    facts = [(name.replace("_", " ").capitalize(), f"{value:,}") for name, value in dataset.get("counts", {}).items()]
    times = dataset.get("time_range")
    if times and times["last"] is not None:
        if times["last"] < REAL_TIMES_FROM:
            facts.append(("Time range", "order only, no calendar time"))
        else:
            facts.append(("Time range", f"{_day(times['first'])} to {_day(times['last'])}"))
    for name, value in dataset.get("split", {}).items():
        if name == "method":
            facts.append(("Split", value.replace("_", " ")))
        else:
            facts.append((name.replace("_", " ").capitalize(), _day(value) if name.endswith("_from") else str(value)))
    cold = dataset.get("cold_items")
    if cold:
        facts.append(("Items held out of training", f"{cold['count']:,}"))
    return facts


def drops(dataset: Mapping[str, Any]) -> list[tuple[str, int]]:
    """What was read, dropped by cause and kept on the way to the dataset, in order."""
    rows = []
    for source in dataset.get("sources", []):
        name = Path(source["path"]).name
        rows.append((f"{name}: lines", source["lines"]))
        rows += _dropped(source)
    for part in ("interactions", "metadata"):
        if part in dataset:
            rows.append((f"{part.capitalize()} read", dataset[part]["read"]))
            rows += _dropped(dataset[part])
            rows.append((f"{part.capitalize()} kept", dataset[part]["kept"]))
    return rows


def _dropped(part: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(f"dropped: {cause.replace('_', ' ')}", -count) for cause, count in part["dropped"].items() if count]


def _day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).date().isoformat()


def _signed(value: float, form: str) -> str:
    return format(value, form).replace("-", "−")
