"""Write the results of an evaluation: one self-contained report.html, and metrics.json with every figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.errors import ConfigError
from recsys.evaluation import figures
from recsys.evaluation import systems as s
from recsys.evaluation.figures import Point
from recsys.evaluation.metrics import METRICS
from recsys.evaluation.ratings import BIAS, GLOBAL_MEAN, HEAD, TUNED_BIAS
from recsys.evaluation.verdict import best_baseline, difference

REPORT_FILE, METRICS_FILE = "report.html", "metrics.json"
METRIC_LABELS = {
    "ndcg": "NDCG",
    "recall": "Recall",
    "hit_rate": "Hit rate",
    "mrr": "MRR",
    "precision": "Precision",
    "map": "MAP",
}
RATING_LABELS = {
    HEAD: "Ranking head",
    TUNED_BIAS: "User + item bias, tuned",
    BIAS: "User + item bias",
    GLOBAL_MEAN: "Global mean",
}
REAL_TIMES_FROM = datetime(1980, 1, 1, tzinfo=UTC).timestamp()
"""Earlier timestamps are taken for counters that only order events."""


def write_report(results: dict[str, Any], folder: Path) -> Path:
    """Write report.html and metrics.json into `folder` and return the report's path.

    Args:
        results: of `evaluator.evaluate`, and under "run" those of `provenance.provenance`.
        folder: made if need be.

    Raises:
        ConfigError: the folder cannot be written.
    """
    page = render(results)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((METRICS_FILE, json.dumps(results, indent=2, allow_nan=False) + "\n"), (REPORT_FILE, page)):
            partial = folder / f"{name}.partial"
            partial.write_text(text, "utf8")
            partial.replace(folder / name)
    except OSError as error:
        raise ConfigError(f"to write the report into {folder}", str(error), "set evaluation.report_dir") from None
    return folder / REPORT_FILE


def render(results: dict[str, Any]) -> str:
    """The report as one HTML page that loads nothing."""
    environment = Environment(
        loader=PackageLoader("recsys.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": lambda value: f"{value:,}".replace("-", "−"),
        "figure": lambda value: "–" if value is None else f"{value:.4f}",
        "signed": lambda value: f"{value:+.4f}".replace("-", "−"),
        "percent": lambda value: "–" if value is None else f"{value:.1%}",
        "percent2": lambda value: "–" if value is None else f"{value:.2%}",
        "contains": lambda table, part: part.items() <= table.items(),
        "lift": lambda value: "–" if value is None else f"{value:+.0%}".replace("-", "−"),
        "words": lambda value: str(value).replace("_", " "),
        "range": lambda value: str(value).replace("-", "–"),
        "yaml": lambda value: yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100),
    }
    page: str = environment.get_template("report.html.j2").render(
        results=results,
        run=results["run"],
        protocol=results["protocol"],
        systems=results["systems"],
        tiles=_tiles(results),
        figures=_figures(results),
        tables=[_metric_table(results, protocol) for protocol in s.PROTOCOLS],
        data_facts=_data_facts(results["run"]["dataset"]),
        drops=_drops(results["run"]["dataset"]),
        metric_labels=METRIC_LABELS,
        rating_labels=RATING_LABELS,
        seen_removed=s.SEEN_REMOVED,
    )
    return page


def _tiles(results: dict[str, Any]) -> list[dict[str, str]]:
    """The headline figures: label, value, and a line below."""
    main = results["protocol"]["main_cutoff"]
    table = results["ranking"][s.SEEN_REMOVED]["systems"]
    tiles = []
    if table:
        for metric in ("ndcg", "recall"):
            name = f"{metric}@{main}"
            figure = table[s.SYSTEM]["metrics"][name]
            tiles.append(
                {
                    "label": f"{METRIC_LABELS[metric]}@{main}",
                    "value": f"{figure['mean']:.4f}",
                    "note": f"95% interval {figure['low']:.4f}\u00a0–\u00a0{figure['high']:.4f}",
                }
            )
        tiles += _against_baseline(results, f"ndcg@{main}")
        share = table[s.SYSTEM]["coverage"][str(main)]
        tiles.append(
            {"label": f"Coverage@{main}", "value": f"{share:.1%}", "note": "of the catalogue is in some user's list"}
        )
    ann = results["ann"]
    if ann["recall"] is not None:
        tiles.append(
            {
                "label": f"ScaNN recall@{ann['depth']}",
                "value": f"{ann['recall']:.2%}",
                "note": "of the exact list is found",
            }
        )
    ratings = results["ratings"]
    if ratings and HEAD in ratings["models"]:
        bias = ratings["models"][ratings["head_minus_bias"]["bias"]]["rmse"]["mean"]
        tiles.append(
            {
                "label": "Rating RMSE",
                "value": f"{ratings['models'][HEAD]['rmse']['mean']:.4f}",
                "note": f"user and item biases: {bias:.4f}",
            }
        )
    return tiles


def _against_baseline(results: dict[str, Any], metric: str) -> list[dict[str, str]]:
    best = best_baseline(results)
    row = difference(results, s.SYSTEM, best, metric) if best else None
    if best is None or row is None:
        return []
    base = results["ranking"][s.SEEN_REMOVED]["systems"][best]["metrics"][metric]["mean"]
    label = results["systems"][best]["label"].lower()
    if not base:
        return [{"label": f"Against {label}", "value": f"{row['mean']:+.4f}", "note": f"{label} finds nothing"}]
    low, high = row["low"] / base, row["high"] / base
    return [
        {
            "label": "Over best baseline",
            "value": f"{row['mean'] / base:+.0%}".replace("-", "−"),
            "note": f"NDCG, {label}; 95%: {low:+.0%} to {high:+.0%}".replace("-", "−"),
        }
    ]


def _figures(results: dict[str, Any]) -> dict[str, str]:
    """Name -> SVG; a figure without data is left out."""
    found = {}
    if results["ranking"][s.SEEN_REMOVED]["systems"]:
        found["comparison"] = _comparison(results)
        found["cutoffs"] = _cutoffs(results)
        found["baselines"] = _differences(results, {s.POPULARITY, s.NEIGHBOURS})
        found["stages"] = _differences(results, {s.EXACT, s.ANN})
        found["slices"] = _slices(results)
    if results["ratings"]:
        models = results["ratings"]["models"]
        rows = [(label, Point.of(models[name]["rmse"])) for name, label in RATING_LABELS.items() if name in models]
        found["ratings"] = figures.dots(rows, "RMSE, lower is better")
    curve = results["run"]["bundle"]["metrics"].get("training_curve")
    if curve:
        found["training"] = _training(curve)
    return found


def _comparison(results: dict[str, Any]) -> str:
    main, ranking = results["protocol"]["main_cutoff"], results["ranking"]
    panels = {}
    for metric in ("ndcg", "recall"):
        name = f"{metric}@{main}"
        panels[f"{METRIC_LABELS[metric]}@{main}"] = [
            (
                Point.of(ranking[s.SEEN_REMOVED]["systems"][system]["metrics"][name]),
                Point.of(ranking[s.NOTHING_REMOVED]["systems"][system]["metrics"][name]),
            )
            for system in s.SYSTEMS
        ]
    labels = [results["systems"][system]["label"] for system in s.SYSTEMS]
    return figures.comparison(panels, labels, ("Seen items removed", "Nothing removed"))


def _cutoffs(results: dict[str, Any]) -> str:
    cutoffs = sorted(results["protocol"]["cutoffs"])
    table = results["ranking"][s.SEEN_REMOVED]["systems"]
    panels = {
        METRIC_LABELS[metric]: {
            results["systems"][system]["label"]: (
                cutoffs,
                [table[system]["metrics"][f"{metric}@{k}"]["mean"] for k in cutoffs],
            )
            for system in s.SYSTEMS
        }
        for metric in ("recall", "ndcg")
    }
    return figures.curves(panels, "Length of the list", log_x=True)


def _differences(results: dict[str, Any], others: set[str]) -> str:
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    rows = [row for row in results["comparisons"] if row["metric"] == metric and row["other"] in others]
    labels = results["systems"]
    return figures.differences(
        [(f"{labels[row['system']]['label']} − {labels[row['other']]['label']}", Point.of(row)) for row in rows],
        f"Difference in {metric.upper()}, 95% interval",
    )


def _slices(results: dict[str, Any]) -> str:
    metric = f"ndcg@{results['protocol']['main_cutoff']}"
    titles = {
        "history_length": "By length of the user's history",
        "item_popularity": "By train interactions of the item",
    }
    panels, ticks = {}, {}
    for key, title in titles.items():
        parts = results["slices"][key]
        panels[title] = {
            results["systems"][system]["label"]: [
                Point.of(part["systems"][system][metric]) if part["systems"] else None for part in parts
            ]
            for system in s.SYSTEMS
        }
        ticks[title] = [f"{part['label'].replace('-', '–')}\n{part['users']:,} users" for part in parts]
    return figures.slices(panels, ticks, metric.upper())


def _training(curve: Sequence[Mapping[str, float]]) -> str:
    names = {name for record in curve for name in record}
    validation = sorted(name for name in names if name.startswith("validation_"))
    panels = {"Training loss": {"loss": _line(curve, "loss")}}
    if validation:
        panels["Validation"] = {
            name.removeprefix("validation_").replace("ndcg", "NDCG").replace("recall", "Recall"): _line(curve, name)
            for name in validation
        }
    return figures.curves(panels, "Epoch")


def _line(curve: Sequence[Mapping[str, float]], name: str) -> tuple[list[float], list[float]]:
    records = [record for record in curve if name in record]
    return [record["epoch"] for record in records], [record[name] for record in records]


def _metric_table(results: dict[str, Any], protocol: str) -> dict[str, Any]:
    """Rows of systems, columns of metrics by cutoff; the best of each column is marked."""
    cutoffs = sorted(results["protocol"]["cutoffs"])
    ranking = results["ranking"][protocol]
    columns = [f"{metric}@{k}" for metric in METRICS for k in cutoffs]
    best = {
        column: max(table["metrics"][column]["mean"] for table in ranking["systems"].values())
        for column in columns
        if ranking["systems"]
    }
    return {
        "key": protocol,
        "title": results["protocol"]["protocols"][protocol],
        "users": ranking["users"],
        "cutoffs": cutoffs,
        "rows": ranking["systems"],
        "best": best,
    }


def _data_facts(dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
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
    return facts


def _day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).date().isoformat()


def _drops(dataset: Mapping[str, Any]) -> list[tuple[str, int]]:
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
