"""Step: fit the sources beside the two-tower, tune them on validation, and weigh them into hybrids."""

from __future__ import annotations

import recsys
from recsys.bundle.manifest import file_sha256
from recsys.core.progress import Step
from recsys.prepare import columns as c
from recsys.train.kept_results import KeptResults
from recsys.train.source_fits import count_settings, fit_data, make_hybrids, tune_sources
from recsys.train.steps.context import FittedSources, RunContext, ServedTwoTower, Trained

TUNED_FILE = "tuned_sources.json"  # of the run's folder


def fit_sources(context: RunContext, trained: Trained, served: ServedTwoTower, step: Step) -> FittedSources:
    """Fit, tune and weigh every source that the config names and the data allow.

    Args:
        context: of the run.
        trained, served: the two-tower, a member of one of the hybrids.
        step: shows how many settings were tried.
    """
    config, console = context.config, step.console
    train = context.dataset.histories((c.TRAIN,))
    data = fit_data(context.dataset, trained.inputs.text, config)
    kept = _kept(context, trained)
    total = None if context.validation is None else count_settings(data, config, kept)
    with step.bar("Settings tried", total) as bar:
        alone = tune_sources(data, context.validation, config, console, bar.advance, kept)
    with step.bar("Weights tried", None) as bar:
        queries = context.sampled_queries(train)
        folds = context.folds if config.ranking.epochs else None  # else no order is judged
        hybrids = make_hybrids(
            served.source, alone.sources, context.validation, queries, config, console, bar.advance, folds
        )
    return FittedSources(data, alone, hybrids)


def _kept(context: RunContext, trained: Trained) -> KeptResults:
    """The settings of sources that this run chose before it was interrupted."""
    config = context.config
    came_from = {
        "version": recsys.__version__,
        "dataset": file_sha256(context.dataset.path / c.MANIFEST_FILE),
        "texts": trained.inputs.text.weights_sha256,
        "retrieval": config.retrieval.model_dump(mode="json"),
        "cutoffs": config.evaluation.cutoffs,
        "seed": config.seed,
    }
    return KeptResults(config.run_path / TUNED_FILE, came_from)
