"""Step: fit the sources beside the two-tower, tune them on validation, and weigh them into hybrids."""

from __future__ import annotations

from recsys.core.progress import Step
from recsys.prepare import columns as c
from recsys.train.source_fits import fit_data, make_hybrids, tune_sources
from recsys.train.steps.context import FittedSources, RunContext, ServedTwoTower, Trained


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
    with step.bar("Settings tried", None) as bar:
        alone = tune_sources(data, context.validation, config, console, bar.advance)
    with step.bar("Weights tried", None) as bar:
        queries = context.sampled_queries(train)
        hybrids, report = make_hybrids(
            served.source, alone.sources, context.validation, queries, config, console, bar.advance
        )
    return FittedSources(data, alone, hybrids, report)
