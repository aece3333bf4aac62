"""The main figures of an evaluation as a table in the terminal."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.measure import systems as s
from recsys.measure.explanations.fidelity import DELETION
from recsys.measure.results import Estimate, Explanations, RuleFigures, RuleResults
from recsys.measure.rules.outcomes import NDCG
from recsys.report.charts import ordered
from recsys.report.document import Document, headline_protocol
from recsys.report.names import ORDER_LABELS, metric_label, rating_labels

_WORDS = {s.SEEN_REMOVED: "seen items removed", s.NOTHING_REMOVED: "nothing removed"}


def print_summary(console: Console, results: Document) -> None:
    """Print NDCG and recall of every system under both protocols, the ratings' errors and the warnings.

    Args:
        console: where to.
        results: of `document.document`.
    """
    protocol, k = results["protocol"], results["protocol"]["main_cutoff"]
    main = headline_protocol(results)
    (other,) = set(_WORDS) - {main}
    label = f"{results['run']['name']}{' (synthetic data)' if results['run']['synthetic'] else ''}"
    users = f"{protocol['users']:,}"
    if protocol["users"] < protocol["users_of_split"]:
        users += f" of {protocol['users_of_split']:,}"
    table = Table(
        title=f"{label}: {protocol['split']}, {users} users, {protocol['catalogue']:,} items",
        title_justify="left",
        caption=f"± half of the 95% interval over users; {_WORDS[main]} unless said otherwise",
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("System", no_wrap=True)
    for heading in (f"NDCG@{k}", f"Recall@{k}", f"NDCG@{k}\n{_WORDS[other].replace(' ', chr(10))}", "Coverage"):
        table.add_column(heading, justify="right", no_wrap=True)
    table_of = {name: of_protocol["systems"] for name, of_protocol in results["ranking"].items()}
    for name in ordered(results) if table_of[main] else ():
        row, beside = table_of[main][name], table_of[other].get(name)
        table.add_row(
            results["systems"][name]["label"],
            _estimate(row["metrics"][f"ndcg@{k}"]),
            _estimate(row["metrics"][f"recall@{k}"]),
            f"{beside['metrics'][f'ndcg@{k}']['mean']:.4f}" if beside else "–",
            f"{row['coverage'][str(k)]:.1%}",
        )
    console.print(table)
    if results["ratings"]:
        models = results["ratings"]["models"]
        labels = rating_labels(results["ratings"])
        errors = "  ".join(f"{label} {models[name]['rmse']['mean']:.4f}" for name, label in labels.items())
        console.print(f"Rating RMSE: {errors}", highlight=False)
    _print_explanations(console, results["explanations"])
    _print_rules(console, results["rules"], k)
    if results["seeds"] is not None:
        _print_spread(console, results["seeds"]["spread"][headline_protocol(results)], results["systems"])
    for warning in results["warnings"]:
        console.print(f"[yellow]Warning:[/yellow] {escape(warning)}", highlight=False)


def _print_explanations(console: Console, explanations: Explanations | None) -> None:
    """How soon an item falls without what explains it, beside other orders, and how often a reason is right."""
    if explanations is None:
        return
    found, right = explanations["fidelity"], explanations["agreement"]
    if found is not None:
        areas = "  ".join(
            f"{ORDER_LABELS[name]} {order['figures'][DELETION]['mean']:.4f}" for name, order in found["orders"].items()
        )
        console.print(f"Explanations, area of deletion: {areas}", highlight=False)
    if right is not None:
        console.print(
            f"Reasons that name the right item: {right['share']['mean']:.1%}, at random {right['chance']:.1%}",
            highlight=False,
        )


def _print_rules(console: Console, rules: RuleResults | None, k: int) -> None:
    """What each rule costs, and what all do together; the report has the rest."""
    if rules is None or NDCG not in rules["none"]["figures"]:
        return
    base = rules["none"]["figures"][NDCG]["mean"]
    console.print(f"Rules, change of NDCG@{k} from {base:.4f} ({rules['users']:,} users):", highlight=False)
    measured: list[tuple[str, RuleFigures]] = [(rule["id"], rule) for rule in rules["rules"]]
    if len(measured) != 1:
        measured.append(("all of them", rules["all"]))
    for name, own in measured:
        gap = own["differences"][NDCG]
        console.print(
            f"  {escape(name)}: {gap['mean']:+.4f} ({gap['low']:+.4f} to {gap['high']:+.4f}), "
            f"{own['lists_changed']:.1%} of the lists changed",
            highlight=False,
        )


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
