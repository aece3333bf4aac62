"""One evaluation: measure the bundle, write the report, print the summary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from recsys.bundle import open_bundle
from recsys.bundle.consistency import require_consistent
from recsys.cli.outcomes import outcomes_of
from recsys.config import Config
from recsys.core.events import SECONDS_PER_DAY
from recsys.core.progress import Steps
from recsys.measure.evaluator import RULES, STEPS, evaluate
from recsys.measure.provenance import provenance
from recsys.measure.seeds import evaluate_seeds
from recsys.outcomes import DIMENSIONS, as_json
from recsys.prepare.prepared import PreparedDataset
from recsys.report.document import document
from recsys.report.report import write_figures, write_report
from recsys.report.summary import print_summary
from recsys.rules.rules_file import read_rules

SEEDS = "Evaluate the bundles of other seeds"
OUTCOMES = "Count what came of lists"
OUTCOME_DAYS = 28.0


def evaluate_and_report(
    config: Config,
    *,
    command: str,
    split: str,
    bundle: Path | None = None,
    retrievers: Sequence[str] | None = None,
    seeds: Sequence[Path] = (),
    recommendations: Path | None = None,
    figures: Path | None = None,
    rules: Path | None = None,
    scenario: str | None = None,
    store: str | None = None,
    outcome_days: float = OUTCOME_DAYS,
) -> None:
    """Evaluate a bundle on the config's dataset and write report.html and metrics.json.

    Args:
        config: names dataset, bundle and report.
        command: as typed, for the report.
        split: whose interactions are predicted.
        bundle: instead of the config's.
        retrievers: sources compared beside the two-tower and popularity; None: all that the bundle holds.
        seeds: bundles trained with other seeds, for the spread.
        recommendations: file for the top 100 of every evaluated user.
        figures: folder for the main figures.
        rules: file of a shop's rules, to be measured against no rules.
        scenario: of the requests that the rules are measured for.
        store: URL of the store whose lists the report tells the outcomes of.
        outcome_days: before now, from which these lists are.

    Raises:
        DataError: there is no prepared dataset, or nothing to predict.
        ConfigError: the file of rules is none, or the bundle cannot follow a rule.
        BundleError: the bundle is missing, damaged, or of another dataset.
        StoreError: the store cannot be read.
    """
    console = Console()
    dataset = PreparedDataset.load(config.prepared_path)
    shop_rules = None if rules is None else read_rules(rules)
    steps = Steps(
        console, (*STEPS, *([RULES] if rules else []), *([SEEDS] if seeds else []), *([OUTCOMES] if store else []))
    )
    # Closed, and gone from memory, before those of other seeds are opened.
    with open_bundle(bundle or config.bundle_path) as opened:
        require_consistent(opened)
        results = evaluate(
            opened,
            dataset,
            config,
            split=split,
            retrievers=retrievers,
            recommendations=recommendations,
            rules=shop_rules,
            scenario=scenario,
            steps=steps,
        )
        run = provenance(opened, dataset, config, command)
    del opened
    spread = None
    if seeds:
        with steps.step(SEEDS) as step:
            spread = evaluate_seeds(results, run, seeds, dataset, config, step=step)
    outcomes = None
    if store is not None:
        with steps.step(OUTCOMES):
            outcomes = as_json(outcomes_of(store, since=time.time() - outcome_days * SECONDS_PER_DAY, by=DIMENSIONS))
    page = document(results, run, spread, outcomes)
    written = {
        "Recommendations": recommendations,
        "Figures": figures,
        "Report": write_report(page, config.report_path),
    }
    print_summary(console, page)
    if figures:
        write_figures(page, figures)
    for title, path in written.items():
        if path:
            console.print(f"{title}: {path}", soft_wrap=True, highlight=False)
