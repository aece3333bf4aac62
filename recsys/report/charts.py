"""The figures of a report from its results: which systems, which metrics, in which colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.measure import systems as s
from recsys.measure.explanations.fidelity import CHEAP, DELETION, EXPLANATION, INSERTION, RANDOM, RECENCY
from recsys.measure.results import HistorySlice
from recsys.measure.tally import HEADLINE
from recsys.report import figures
from recsys.report.document import Document, headline_protocol
from recsys.report.drawing import Point
from recsys.report.names import METRIC_LABELS, ORDER_LABELS, PROTOCOL_TITLES, metric_label, rating_labels
from recsys.report.outcomes import outcome_figures
from recsys.report.rules import rule_figures
from recsys.report.variety import variety_figure

_SERIES = {s.SYSTEM: 0, s.ANN: 1, s.EXACT: 2, s.BLEND: 3, s.POPULARITY: 4, s.HYBRID: 5}
_OTHER = 6
_ORDERS = {EXPLANATION: 0, CHEAP: 3, RECENCY: 1, RANDOM: 4}
_MOST_FEATURES = 16
PUBLISHED = (
    "comparison",
    "baselines",
    "stages",
    "features",
    "alpha",
    "new_users",
    "new_items",
    "variety",
    "calibration",
    "explanations",
    "rule_costs",
    "rule_gains",
    "outcomes_by_day",
)
"""Figures that `evaluate.py --figures` writes as files."""
FEWEST_USERS = 100  # who chose a new item, for a figure of new items


def series(name: str) -> int:
    """The colour of a system: its index in `drawing.SERIES` and among the page's `--series-*`."""
    return _SERIES.get(name, _OTHER)


def ordered(results: Document) -> list[str]:
    """All systems: our own, then the baselines, each from the best NDCG down."""
    table, metric = _served(results), f"ndcg@{_cutoff(results)}"
    if not table:
        return list(results["systems"])
    ours = [name for name in s.OURS if name in table]
    return ours + sorted(s.baselines(table), key=lambda name: -table[name]["metrics"][metric]["mean"])


def headline(results: Document) -> list[str]:
    """The few systems of figures that would be crowded by all: a line each in a colour of its own."""
    single = results["best_baseline"]["single"] if results["best_baseline"] else None
    wanted = (s.SYSTEM, s.ANN, s.HYBRID, s.BLEND, single, s.POPULARITY)
    return [name for name in dict.fromkeys(wanted) if name is not None and name in results["systems"]]


def draw(results: Document) -> dict[str, str]:
    """Name -> inline SVG; a figure without data is left out."""
    metrics = results["run"]["bundle"]["metrics"]
    ranker, hybrid = metrics.get("ranker") or {}, metrics.get("hybrid") or {}
    drawn: dict[str, str | None] = {}
    if _served(results):
        drawn |= {
            "comparison": _comparison(results),
            "cutoffs": _cutoffs(results),
            "baselines": _against(results),
            "stages": _stages(results),
            "slices": _slices(results),
            "variety": _variety(results),
        }
    drawn |= {
        "new_users": _new_users(results),
        "new_items": _new_items(results),
        "features": _features(ranker, f"ndcg@{_cutoff(results)}"),
        "alpha": _alpha(hybrid.get("alpha_sweep"), _cutoff(results)),
        "ratings": _ratings(results["ratings"]),
        "calibration": _calibration(results["calibration"]),
        "explanations": _explanations(results["explanations"]),
        **rule_figures(results["rules"], metric_label(f"ndcg@{_cutoff(results)}")),
        **outcome_figures(results["outcomes"]),
        "training": _training(metrics.get("training_curve"), "validation_"),
        "ranker_training": _training(ranker.get("curve"), ""),
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _cutoff(results: Document) -> int:
    return int(results["protocol"]["main_cutoff"])


def _served(results: Document) -> dict[str, Any]:
    table: dict[str, Any] = results["ranking"][headline_protocol(results)]["systems"]
    return table


def _colours(results: Document, names: Sequence[str]) -> dict[str, int]:
    return {results["systems"][name]["label"]: series(name) for name in names}


def _comparison(results: Document) -> str:
    """Under the headline protocol, and beside it under the other where it has users."""
    names, main = ordered(results), headline_protocol(results)
    (other,) = set(s.PROTOCOLS) - {main}
    tables = {protocol: results["ranking"][protocol]["systems"] for protocol in s.PROTOCOLS}
    shown = [protocol for protocol in (main, other) if tables[protocol]]
    panels = {}
    for metric in HEADLINE:
        column = f"{metric}@{_cutoff(results)}"
        panels[metric_label(column)] = [
            [Point.of(tables[protocol][name]["metrics"][column]) for protocol in shown] for name in names
        ]
    labels = [results["systems"][name]["label"] for name in names]
    legend = [PROTOCOL_TITLES[protocol].partition(":")[0] for protocol in shown]
    return figures.comparison(panels, labels, [series(name) for name in names], legend)


def _cutoffs(results: Document) -> str:
    cutoffs = sorted(results["protocol"]["cutoffs"])
    table, names = _served(results), headline(results)
    panels = {
        METRIC_LABELS[metric]: {
            results["systems"][name]["label"]: (
                cutoffs,
                [table[name]["metrics"][f"{metric}@{k}"]["mean"] for k in cutoffs],
            )
            for name in names
        }
        for metric in ("recall", "ndcg")
    }
    return figures.curves(panels, "Length of the list", colours=_colours(results, names), log_x=True)


def _against(results: Document) -> str | None:
    """The system against the rivals that matter, and retrieval alone against the baselines among them."""
    best = results["best_baseline"]
    if best is None:
        return None
    named = dict.fromkeys([best["name"], best["highest_here"], s.BLEND, best["single"], s.POPULARITY])
    rivals = [name for name in named if name is not None and name in results["systems"]]
    pairs = [(s.SYSTEM, name) for name in [*rivals, s.HYBRID, s.ANN] if name in results["systems"]]
    pairs += [(s.ANN, name) for name in rivals]
    rows = {(row["system"], row["other"], row["metric"]): Point.of(row) for row in results["comparisons"]}
    columns = [f"{metric}@{_cutoff(results)}" for metric in HEADLINE]
    panels = {
        f"Difference in {metric_label(column)}": [rows[system, other, column] for system, other in pairs]
        for column in columns
    }
    labels = results["systems"]
    return figures.differences(
        panels, [f"{labels[system]['label']} − {labels[other]['label']}" for system, other in pairs]
    )


def _stages(results: Document) -> str:
    names = [name for name in (s.EXACT, s.ANN, s.HYBRID, s.SYSTEM) if name in _served(results)]
    panels = {}
    for metric in HEADLINE:
        column = f"{metric}@{_cutoff(results)}"
        panels[metric_label(column)] = [Point.of(_served(results)[name]["metrics"][column]) for name in names]
    labels = [results["systems"][name]["label"] for name in names]
    return figures.steps(panels, labels, [series(name) for name in names])


def _slices(results: Document) -> str:
    metric, names = f"ndcg@{_cutoff(results)}", headline(results)
    slices: dict[str, Sequence[HistorySlice]] = {
        "By length of the user's history": results["slices"]["history_length"],
        "By train interactions of the item": results["slices"]["item_popularity"],
    }
    panels, ticks = {}, {}
    for title, parts in slices.items():
        panels[title] = {
            results["systems"][name]["label"]: [
                Point.of(part["systems"][name][metric]) if part["systems"] else None for part in parts
            ]
            for name in names
        }
        ticks[title] = [f"{part['label'].replace('-', '–')}\n{part['users']:,} users" for part in parts]
    return figures.slices(panels, ticks, _colours(results, names), metric_label(metric))


def _variety(results: Document) -> str | None:
    found = results["variety"].get("category")
    if found is None:
        return None
    names = [name for name in ordered(results) if name in found["systems"]]
    labels = {name: results["systems"][name]["label"] for name in names}
    return variety_figure(found["systems"], found["choices"]["figures"], labels, [series(name) for name in names])


def _new_users(results: Document) -> str | None:
    by_length = results["new_users"]
    if not by_length:
        return None
    names = [name for name in headline(results) if name in by_length["systems"]]
    panels, ticks = {}, {}
    for metric in HEADLINE:
        column = f"{metric}@{_cutoff(results)}"
        title = f"{metric_label(column)} by length of the history known"
        panels[title] = {
            results["systems"][name]["label"]: [Point.of(row["systems"][name][column]) for row in by_length["rows"]]
            for name in names
        }
        ticks[title] = ["all" if row["history"] is None else str(row["history"]) for row in by_length["rows"]]
    return figures.slices(panels, ticks, _colours(results, names))


def _new_items(results: Document) -> str | None:
    """Items without train interactions beside all others; None where hardly anybody chose one."""
    cold_items = results["cold_items"]
    if not cold_items or (
        cold_items["users"]["cold"] < FEWEST_USERS and not results["run"]["dataset"].get("cold_items")
    ):
        return None
    names = [name for name in headline(results) if name in cold_items["systems"]]
    panels, ticks = {}, {}
    for metric in HEADLINE:
        column = f"{metric}@{_cutoff(results)}"
        title = f"{metric_label(column)} by items chosen"
        panels[title] = {
            results["systems"][name]["label"]: [
                Point.of(part[column]) if part else None
                for part in (cold_items["systems"][name]["warm"], cold_items["systems"][name]["cold"])
            ]
            for name in names
        }
        counts = cold_items["users"]
        ticks[title] = [f"known from train\n{counts['warm']:,} users", f"new\n{counts['cold']:,} users"]
    return figures.slices(panels, ticks, _colours(results, names))


def _features(ranker: Mapping[str, Any], metric: str) -> str | None:
    drop = f"{metric}_drop"
    parts = {"By group": ("groups", "group"), "By feature": ("features", "name")}
    panels = {}
    for title, (key, name) in parts.items():
        rows = [(str(row[name]).replace("_", " "), row[drop]) for row in ranker.get(key) or [] if drop in row]
        if rows:
            panels[title] = sorted(rows, key=lambda row: -row[1])[:_MOST_FEATURES]
    return figures.bars(panels, f"Loss of {metric_label(metric)} when shuffled") if panels else None


def _alpha(sweep: Sequence[Mapping[str, float]] | None, cutoff: int) -> str | None:
    if not sweep:
        return None
    panels = {}
    for metric in HEADLINE:
        column = f"{metric}@{cutoff}"
        if all(column in step for step in sweep):
            panels[metric_label(column)] = ([step["alpha"] for step in sweep], [step[column] for step in sweep])
    return figures.sweep(panels, ("Two-tower alone", "Blend alone"), "Share of the blend") if panels else None


def _ratings(ratings: Mapping[str, Any] | None) -> str | None:
    if not ratings:
        return None
    rows = [(label, Point.of(ratings["models"][name]["rmse"])) for name, label in rating_labels(ratings).items()]
    return figures.dots(rows, "RMSE, lower is better")


def _calibration(calibration: Mapping[str, Any] | None) -> str | None:
    if not calibration:
        return None
    bins = calibration["bins"]
    total = sum(part["count"] for part in bins)
    points = [(part["predicted"], Point.of(part["actual"])) for part in bins]
    shares = [part["count"] / total for part in bins]
    return figures.reliability(points, shares, ("Mean predicted rating", "Mean rating given"))


def _explanations(explanations: Mapping[str, Any] | None) -> str | None:
    if not explanations or not explanations["fidelity"]:
        return None
    found = explanations["fidelity"]
    panels = {
        title: {
            ORDER_LABELS[name]: (found["shares"], order["curves"][curve]) for name, order in found["orders"].items()
        }
        for curve, title in (
            (DELETION, "Deletion: the sooner the item falls, the better"),
            (INSERTION, "Insertion: the sooner it comes up, the better"),
        )
    }
    colours = {ORDER_LABELS[name]: colour for name, colour in _ORDERS.items()}
    return figures.curves(panels, "Share of the history left out, or back", colours=colours, shares=True)


def _training(curve: Sequence[Mapping[str, float]] | None, prefix: str) -> str | None:
    """Loss and validation figures, of names that start with `prefix`, over the epochs."""
    if not curve:
        return None
    names = {name for record in curve for name in record}
    validation = sorted(name for name in names if name.startswith(prefix) and "@" in name)
    panels = {"Training loss": {"loss": _line(curve, "loss")}}
    if validation:
        lines = {metric_label(name.removeprefix(prefix)): _line(curve, name) for name in validation}
        panels["Validation" if len(lines) > 1 else f"Validation {next(iter(lines))}"] = lines
    return figures.curves(panels, "Epoch")


def _line(curve: Sequence[Mapping[str, float]], name: str) -> figures.Line:
    records = [record for record in curve if name in record]
    return [record["epoch"] for record in records], [record[name] for record in records]
