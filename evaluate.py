"""Evaluate a trained bundle: a report to look at, every figure as JSON, and the recommendations if asked for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from recsys.bundle import open_bundle
from recsys.cli import config_parser, read_config, run
from recsys.dataset import columns as c
from recsys.dataset.prepared import PreparedDataset
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.provenance import provenance
from recsys.evaluation.report import write_report
from recsys.evaluation.summary import print_summary

DESCRIPTION = """\
Evaluate a bundle on held-out interactions, beside popularity and item neighbours, over the whole catalogue.

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
        "--recommendations",
        type=Path,
        metavar="FILE.parquet",
        help="also write the top 100 of every evaluated user: user_id, item_id, rank, score",
    )
    arguments = parser.parse_args(argv)
    command = shlex.join(["python", "evaluate.py", *(sys.argv[1:] if argv is None else argv)])
    config = read_config(arguments)
    console = Console()
    dataset = PreparedDataset.load(config.prepared_path)
    with open_bundle(arguments.bundle or config.bundle_path) as bundle:
        results = evaluate(
            bundle,
            dataset,
            config,
            split=arguments.split,
            recommendations=arguments.recommendations,
            console=console,
        )
        results["run"] = provenance(bundle, dataset, config, command)
    report = write_report(results, config.report_path)
    print_summary(console, results)
    if arguments.recommendations:
        console.print(f"Recommendations: {arguments.recommendations}", soft_wrap=True, highlight=False)
    console.print(f"Report: {report}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    sys.exit(run(main))
