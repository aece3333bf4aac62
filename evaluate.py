"""Evaluate a trained bundle: a report to look at, every figure as JSON, and the recommendations if asked for."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from recsys.bundle import open_bundle
from recsys.cli import config_parser, read_config, run
from recsys.config import Config
from recsys.measure.evaluator import evaluate
from recsys.measure.provenance import provenance
from recsys.measure.seeds import evaluate_seeds
from recsys.measure.verdict import seed_warnings
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.report.report import write_figures, write_report
from recsys.report.summary import print_summary

DESCRIPTION = """\
Evaluate a bundle on held-out interactions over the whole catalogue: what it serves, beside every retriever it holds.

Writes report.html and metrics.json into the report folder of the config (evaluation.report_dir).
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program with the arguments `argv`, those of the process by default."""
    parser = config_parser(DESCRIPTION)
    parser.add_argument(
        "--bundle", type=Path, metavar="DIR", help="bundle or one version of it (default: the config's current bundle)"
    )
    parser.add_argument(
        "--split", choices=(c.TEST, c.VALIDATION), default=c.TEST, help="interactions to predict (default: %(default)s)"
    )
    parser.add_argument(
        "--retrievers",
        type=lambda text: [name for name in text.split(",") if name],
        metavar="A,B",
        help="retrievers to compare beside the two-tower and popularity (default: all that the bundle holds)",
    )
    parser.add_argument(
        "--seeds",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="further bundles, trained on the same dataset with other seeds: the report shows the spread",
    )
    parser.add_argument(
        "--recommendations",
        type=Path,
        metavar="FILE.parquet",
        help="also write the top 100 of every evaluated user: user_id, item_id, rank, score",
    )
    parser.add_argument("--figures", type=Path, metavar="DIR", help="also write the main figures as SVG files")
    arguments = parser.parse_args(argv)
    command = shlex.join(["python", "evaluate.py", *(sys.argv[1:] if argv is None else argv)])
    config = read_config(arguments)
    console = Console()
    dataset = PreparedDataset.load(config.prepared_path)
    results = _evaluate(arguments, dataset, config, command, console)
    if arguments.seeds:
        results["seeds"] = evaluate_seeds(results, arguments.seeds, dataset, config, console=console)
        results["warnings"] += seed_warnings(results["seeds"])
    report = write_report(results, config.report_path)
    print_summary(console, results)
    if arguments.recommendations:
        console.print(f"Recommendations: {arguments.recommendations}", soft_wrap=True, highlight=False)
    if arguments.figures:
        write_figures(results, arguments.figures)
        console.print(f"Figures: {arguments.figures}", soft_wrap=True, highlight=False)
    console.print(f"Report: {report}", soft_wrap=True, highlight=False)


def _evaluate(
    arguments: Namespace, dataset: PreparedDataset, config: Config, command: str, console: Console
) -> dict[str, Any]:
    """The results of the main bundle, which is gone from memory when the next one is opened."""
    with open_bundle(arguments.bundle or config.bundle_path) as bundle:
        results = evaluate(
            bundle,
            dataset,
            config,
            split=arguments.split,
            retrievers=arguments.retrievers,
            recommendations=arguments.recommendations,
            console=console,
        )
        results["run"] = provenance(bundle, dataset, config, command)
    return results


if __name__ == "__main__":
    sys.exit(run(main))
