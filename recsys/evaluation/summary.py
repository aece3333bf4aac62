"""The main figures of an evaluation as a table in the terminal."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.evaluation import systems as s


def print_summary(console: Console, results: dict[str, Any]) -> None:
    """Print NDCG and recall of every system under both protocols, the ratings' errors and the warnings.

    Args:
        console: where to.
        results: of `evaluator.evaluate`, and under "run" those of `provenance.provenance`.
    """
    protocol, k = results["protocol"], results["protocol"]["main_cutoff"]
    label = f"{results['run']['name']}{' (synthetic data)' if results['run']['synthetic'] else ''}"
    table = Table(
        title=f"{label}: {protocol['split']}, {protocol['users']:,} users, {protocol['catalogue']:,} items",
        title_justify="left",
        caption="± half of the 95% interval over users; seen items removed unless said otherwise",
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("System", no_wrap=True)
    for heading in (f"NDCG@{k}", f"Recall@{k}", f"NDCG@{k}\nnothing\nremoved", f"Coverage@{k}"):
        table.add_column(heading, justify="right", no_wrap=True)
    removed, kept = (results["ranking"][name]["systems"] for name in (s.SEEN_REMOVED, s.NOTHING_REMOVED))
    for name, row in removed.items():
        table.add_row(
            results["systems"][name]["label"],
            _estimate(row["metrics"][f"ndcg@{k}"]),
            _estimate(row["metrics"][f"recall@{k}"]),
            f"{kept[name]['metrics'][f'ndcg@{k}']['mean']:.4f}",
            f"{row['coverage'][str(k)]:.1%}",
        )
    console.print(table)
    if results["ratings"]:
        errors = "  ".join(
            f"{name.replace('_', ' ')} {model['rmse']['mean']:.4f}"
            for name, model in results["ratings"]["models"].items()
        )
        console.print(f"Rating RMSE: {errors}", highlight=False)
    for warning in results["warnings"]:
        console.print(f"[yellow]Warning:[/yellow] {escape(warning)}", highlight=False)


def _estimate(figure: dict[str, float]) -> str:
    return f"{figure['mean']:.4f} ±{(figure['high'] - figure['low']) / 2:.4f}"
