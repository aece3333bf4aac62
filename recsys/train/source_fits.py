"""Fit the sources beside the two-tower: tuned on validation for the bundle, once more on the ranker's prefix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console

from recsys.config import Config
from recsys.core.queries import Queries
from recsys.core.types import Int64Array
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.base import Source
from recsys.sources.fitting import FitData
from recsys.sources.hybrid import Hybrid
from recsys.sources.recipes import recipes
from recsys.sources.registry import BLEND, HYBRID
from recsys.text import ItemText
from recsys.train.candidate_scores import CandidateScores
from recsys.train.kept_results import KeptResults
from recsys.train.tuning import (
    Progress,
    Tuned,
    alpha_sweep,
    settings_to_try,
    tune_hybrid,
    tune_source,
    tuning_sample,
    weights_of,
)
from recsys.train.tuning_budget import Deadline


@dataclass(frozen=True)
class TunedSources:
    """Every source of the config that the data allow.

    Attributes:
        tuned: by name.
        skipped: name -> why there is none.
    """

    tuned: dict[str, Tuned]
    skipped: dict[str, str]

    @property
    def sources(self) -> dict[str, Source]:
        """The sources themselves."""
        return {name: tuned.source for name, tuned in self.tuned.items()}


def fit_data(dataset: PreparedDataset, text: ItemText, config: Config) -> FitData:
    """What sources are fitted on: train, every event counted, and the catalogue."""
    return FitData(
        histories=dataset.histories((c.TRAIN,), counted=True),
        n_items=dataset.n_items,
        texts=dataset.items[c.TEXT].tolist(),
        text_vectors=text.embeddings,
        prices=dataset.items[c.PRICE].to_numpy(np.float64, na_value=np.nan),
        quantities=dataset.quantities(),
        seed=config.seed,
        repeats=dataset.predicts_repeats,
    )


def tune_sources(
    data: FitData,
    held: HeldOut | None,
    config: Config,
    console: Console,
    progress: Progress = lambda _: None,
    kept: KeptResults | None = None,
) -> TunedSources:
    """Fit and tune each source that the config names, and say how it did.

    Each has an equal share of the time that the sources before it have left of `retrieval.tuning_minutes`.

    Args:
        data: what to fit on.
        held: validation; None: nothing is tuned.
        config: the sources and how they are tuned.
        console: hears of each source.
        progress: called with the number of settings tried since the last call.
        kept: settings chosen before the run was interrupted: these sources are fitted once, and not tuned again. Code
            from outside may have changed since; it is always tuned.
    """
    tuned: dict[str, Tuned] = {}
    skipped: dict[str, str] = {}
    deadline, named = Deadline.after(config.retrieval.tuning_minutes), recipes(config.retrieval)
    for number, (name, recipe) in enumerate(named.items()):
        reason = recipe.obstacle(data)
        if reason is not None:
            skipped[name] = reason
            console.print(f"No {name}: {reason}")
            continue
        keeps = None if name in config.retrieval.plugins else kept
        report = keeps.found(name) if keeps is not None else None
        if report is not None:
            tuned[name] = Tuned(recipe.fitted(data, report["chosen"]), report["chosen"], report)
            console.print(f"{_line(name, report)}; chosen before")
            continue
        tuned[name] = tune_source(recipe, data, held, config, progress, deadline.share(len(named) - number))
        if keeps is not None:
            keeps.keep(name, tuned[name].report)
        console.print(_line(name, tuned[name].report))
    return TunedSources(tuned, skipped)


def count_settings(data: FitData, config: Config, kept: KeptResults | None = None) -> int:
    """How many settings `tune_sources` will try, if time does not run out."""
    total = 0
    for name, recipe in recipes(config.retrieval).items():
        known = kept is not None and name not in config.retrieval.plugins and kept.found(name) is not None
        if not known and recipe.obstacle(data) is None:
            total += sum(map(len, settings_to_try(recipe, data, config)))
    return total


def fit_again(names: Iterable[str], data: FitData, fitted: TunedSources, config: Config) -> dict[str, Source]:
    """Sources with the settings chosen before, on other data."""
    of = recipes(config.retrieval)
    return {name: of[name].fitted(data, fitted.tuned[name].settings) for name in names}


@dataclass(frozen=True)
class Hybrids:
    """The blend of the baselines, and the hybrid of its members and the two-tower.

    Attributes:
        sources: both by name.
        of_others: the weights of both by name that are best for the users of all folds but one, for each fold; empty
            without validation.
        report: what was tried, for the manifest.
    """

    sources: dict[str, Hybrid]
    of_others: list[dict[str, dict[str, float]]]
    report: dict[str, Any]


def make_hybrids(
    two_tower: Source,
    baselines: Mapping[str, Source],
    held: HeldOut | None,
    queries: Queries,
    config: Config,
    console: Console,
    progress: Progress = lambda _: None,
    folds: Int64Array | None = None,
) -> Hybrids:
    """The best blend of the baselines, and the best hybrid of its members and the two-tower.

    Args:
        two_tower, baselines: the members.
        held: validation; None: nothing is tuned.
        queries: see `tune_hybrid`.
        config: how they are tuned.
        console: hears of both.
        progress: called with the number of settings tried since the last call.
        folds: of each user of the dataset, see `choice.folds_of`; None: weights are not sought by folds.
    """
    both = {two_tower.name: two_tower, **baselines}
    scores = None if held is None else CandidateScores.of(both, tuning_sample(held, config))
    weights, blend_report = tune_hybrid(baselines, held, config, queries=queries, scores=scores, progress=progress)
    blend = Hybrid(baselines, weights, BLEND)
    members = {two_tower.name: two_tower, **blend.members}
    # Shares that the config gives are those of the blend; the two-tower's part in the hybrid is tuned beside them.
    free = config.model_copy(update={"retrieval": config.retrieval.model_copy(update={"hybrid_weights": None})})
    weights, report = tune_hybrid(members, held, free, queries=queries, scores=scores, progress=progress)
    hybrids = {BLEND: blend, HYBRID: Hybrid(members, weights, HYBRID)}
    sweep = [] if held is None else alpha_sweep(two_tower, blend, held, config)
    for name, entry in ((BLEND, blend_report), (HYBRID, report)):
        console.print(_line(name, {**entry, "chosen": entry["shares"]}))
    of_others = []
    if scores is not None and folds is not None:
        others = [scores.of_users(folds != fold) for fold in range(int(folds.max(initial=-1)) + 1)]
        of_others = [_weights_of(part, two_tower.name, baselines, config, progress) for part in others]
    report = {
        **report,
        "blend": blend_report,
        "blend_weights": blend_report["weights"],
        "tried": report["tried"] + blend_report["tried"],
        "alpha_sweep": sweep,
    }
    return Hybrids(hybrids, of_others, report)


def _weights_of(
    scores: CandidateScores, two_tower: str, baselines: Iterable[str], config: Config, progress: Progress
) -> dict[str, dict[str, float]]:
    """The best weights of blend and hybrid for the users of `scores`."""
    cutoff = main_cutoff(config.evaluation.cutoffs)
    members = [name for name in baselines if (config.retrieval.hybrid_weights or {name: 1}).get(name)]
    blend = weights_of(members, scores, cutoff, progress)
    return {BLEND: blend, HYBRID: weights_of([two_tower, *blend], scores, cutoff, progress)}


def _line(name: str, report: Mapping[str, Any]) -> str:
    chosen = ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in report["chosen"].items()
    )
    tried = report["tried"] if isinstance(report["tried"], int) else len(report["tried"])
    metric = report["metric"]
    if not tried:
        return f"{name}: {chosen or 'nothing to choose'}, untried"
    figure = report.get(metric)
    if figure is None:
        figure = max(trial[metric] for trial in report["tried"])
    measured = f"{name}: {metric} {figure:.4f} on {report['users']} validation users, {tried} tried"
    for why, count in report.get("untried", {}).items():
        measured += f", {count} {why.replace('_', ' ')}" if count else ""
    measured += "".join(f", {what} {value:.4f}" for what, value in report.get("measured", {}).items())
    return f"{measured}; {chosen}" if chosen else measured
