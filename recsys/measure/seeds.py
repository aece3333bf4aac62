"""How much of a figure is chance: the same evaluation of bundles that were trained with other seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.bundle import Bundle, open_bundle
from recsys.config import Config
from recsys.core.errors import BundleError
from recsys.core.progress import Step
from recsys.data_defaults import with_data_defaults
from recsys.measure import systems as s
from recsys.measure.full_ranking import list_length
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut, main_cutoff
from recsys.measure.provenance import changed_settings, require_same_dataset
from recsys.measure.results import BundleFigures, Results, SeedBundle, Seeds, Spread
from recsys.measure.tally import HEADLINE, mean_of_defined
from recsys.prepare.prepared import PreparedDataset
from recsys.sources.exact import is_seen

NAMES = (s.SYSTEM, s.ANN)


def evaluate_seeds(
    results: Results,
    run: dict[str, Any],
    paths: Sequence[Path],
    dataset: PreparedDataset,
    config: Config,
    *,
    step: Step | None = None,
) -> Seeds:
    """NDCG and recall of the whole system and of the two-tower with each bundle, and their spread.

    Bundles are opened one after the other.

    Args:
        results: of `evaluator.evaluate` of the first bundle.
        run: of `provenance.provenance` of the same.
        paths: further bundles, trained on the same dataset.
        dataset: the one of `results`.
        config: that of `results`.
        step: of the run that this is; None: nobody hears of it.

    Returns:
        {"bundles": [{"version", "seed", "changed_settings", "figures": {protocol: {system: {metric: mean}}}}],
        "spread": {protocol: {system: {metric: {"mean", "sd"}}}}}; the first bundle leads, sd has n - 1 degrees of
        freedom.

    Raises:
        BundleError: no such bundle, one of another dataset, or one twice.
    """
    held = HeldOut.of(dataset, results["protocol"]["split"])
    bundles = [_first(results, run)]
    with (step or Step.silent()).bar("Users", len(held) * len(paths)) as bar:
        for path in paths:
            with open_bundle(path) as bundle:
                require_same_dataset(bundle, dataset)
                _require_another(bundle, bundles)
                figures = bundle_figures(bundle, held, config, bar.advance)
                bundles.append(
                    {
                        "version": bundle.version,
                        "seed": bundle.manifest.config.get("seed"),
                        "changed_settings": changed_settings(
                            bundle.manifest.config, with_data_defaults(config, dataset)
                        ),
                        "figures": figures,
                    }
                )
    return {"bundles": bundles, "spread": spread([bundle["figures"] for bundle in bundles])}


def bundle_figures(
    bundle: Bundle, held: HeldOut, config: Config, progress: Callable[[int], None] = lambda _: None
) -> BundleFigures:
    """Protocol -> system -> metric -> mean over users, of the whole system and the two-tower alone."""
    systems = s.Systems(bundle.recommender(), bundle.two_tower(), {})
    cutoff = main_cutoff(config.evaluation.cutoffs)
    metrics = [f"{metric}@{cutoff}" for metric in HEADLINE]
    figures = {
        protocol: {name: {metric: np.full(len(held), np.nan) for metric in metrics} for name in NAMES}
        for protocol in s.PROTOCOLS
    }
    for rows, block in held.blocks(bundle.n_items):
        lists = systems.rank(block.queries, list_length(config), NAMES)
        repeated = is_seen(block.relevant.items, block.relevant.owners, block.queries.histories)
        for protocol, table in figures.items():
            relevant = block.relevant.keep(~repeated) if protocol == s.SEEN_REMOVED else block.relevant
            for name, columns in table.items():
                values = ranking_metrics(lists[protocol][name].items, relevant, [cutoff])
                for metric in metrics:
                    columns[metric][rows] = values[metric]
        progress(len(block))
    return {
        protocol: {
            name: {metric: mean_of_defined(column) for metric, column in columns.items()}
            for name, columns in table.items()
        }
        for protocol, table in figures.items()
    }


def spread(figures: Iterable[BundleFigures]) -> Spread:
    """Mean and standard deviation (n - 1) over bundles by protocol, system and metric; None if one has no figure."""
    tables = list(figures)
    return {
        protocol: {
            name: {metric: _spread([table[protocol][name][metric] for table in tables]) for metric in columns}
            for name, columns in systems.items()
        }
        for protocol, systems in tables[0].items()
    }


def _spread(values: Sequence[float | None]) -> dict[str, float] | None:
    defined = [value for value in values if value is not None]
    if len(defined) < 2 or len(defined) < len(values):
        return None
    return {"mean": float(np.mean(defined)), "sd": float(np.std(defined, ddof=1))}


def _first(results: Results, run: dict[str, Any]) -> SeedBundle:
    """The bundle of the main evaluation, in the form of the others."""
    cutoff = results["protocol"]["main_cutoff"]
    return {
        "version": run["bundle"]["version"],
        "seed": run["bundle"]["seed"],
        "changed_settings": run["changed_settings"],
        "figures": {
            protocol: {
                name: {
                    metric: table["systems"][name]["metrics"][metric]["mean"] if table["systems"] else None
                    for metric in (f"{metric}@{cutoff}" for metric in HEADLINE)
                }
                for name in NAMES
            }
            for protocol, table in results["ranking"].items()
        },
    }


def _require_another(bundle: Bundle, evaluated: Sequence[SeedBundle]) -> None:
    if bundle.version in (other["version"] for other in evaluated):
        raise BundleError(
            "--seeds of different bundles",
            f"{bundle.path} twice",
            "name bundles trained with other seeds, not the one of --bundle",
        )
