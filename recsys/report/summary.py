"""The main figures of an evaluation as a table in the terminal."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.measure import systems as s
from recsys.measure.results import Estimate
from recsys.report.charts import ordered
from recsys.report.document import Document
from recsys.report.names import metric_label, rating_labels


def print_summary(console: Console, results: Document) -> None:
    """Print NDCG and recall of every system under both protocols, the ratings' errors and the warnings.

    Args:
        console: where to.
        results: of `document.document`.
    """
    protocol, k = results["protocol"], results["protocol"]["main_cutoff"]
    label = f"{results['run']['name']}{' (synthetic data)' if results['run']['synthetic'] else ''}"
    table = Table(
        title=f"{label}: {protocol['split']}, {protocol['users']:,} users, {protocol['catalogue']:,} items",
        title_justify="left",
        caption="± half of the 95% interval over users; seen items removed unless said otherwise",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("System", no_wrap=True)
    for heading in (f"NDCG@{k}", f"Recall@{k}", f"NDCG@{k}\nnothing\nremoved", "Coverage"):
        table.add_column(heading, justify="right", no_wrap=True)
    removed, kept = (results["ranking"][name]["systems"] for name in (s.SEEN_REMOVED, s.NOTHING_REMOVED))
    for name in ordered(results) if removed else ():
        row = removed[name]
        table.add_row(
            results["systems"][name]["label"],
            _estimate(row["metrics"][f"ndcg@{k}"]),
            _estimate(row["metrics"][f"recall@{k}"]),
            f"{kept[name]['metrics'][f'ndcg@{k}']['mean']:.4f}",
            f"{row['coverage'][str(k)]:.1%}",
        )
    console.print(table)
    if results["ratings"]:
        models = results["ratings"]["models"]
        labels = rating_labels(results["ratings"])
        errors = "  ".join(f"{label} {models[name]['rmse']['mean']:.4f}" for name, label in labels.items())
        console.print(f"Rating RMSE: {errors}", highlight=False)
    if results["seeds"] is not None:
        _print_spread(console, results["seeds"]["spread"][s.SEEN_REMOVED], results["systems"])
    for warning in results["warnings"]:
        console.print(f"[yellow]Warning:[/yellow] {escape(warning)}", highlight=False)


def _print_spread(console: Console, spread: dict[str, Any], systems: dict[str, Any]) -> None:
    for name, columns in spread.items():
        figures = "  ".join(
            f"{metric_label(metric)} {figure['mean']:.4f} ±{figure['sd']:.4f}"
            for metric, figure in columns.items()
            if figure
        )
        console.print(f"Over seeds, {systems[name]['label']}: {figures}", highlight=False)


def _estimate(figure: Estimate) -> str:
    return f"{figure['mean']:.4f}±{(figure['high'] - figure['low']) / 2:.4f}"
