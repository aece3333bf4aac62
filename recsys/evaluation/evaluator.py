"""Evaluate a bundle on held-out interactions, side by side with baselines, in one run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from recsys.config import Config
from recsys.dataset import columns as c
from recsys.dataset.prepared import PreparedDataset
from recsys.errors import BundleError
from recsys.evaluation import systems as s
from recsys.evaluation.baselines import fit_popularity, grid_size, tune_neighbours
from recsys.evaluation.metrics import mean_popularity, overlap
from recsys.evaluation.protocol import (
    HISTORY_SPLITS,
    HeldOut,
    history_slices,
    item_slices,
    main_cutoff,
    train_counts,
)
from recsys.evaluation.ratings import PredictRatings, evaluate_ratings
from recsys.evaluation.recommendations import RecommendationFile
from recsys.evaluation.tally import Summary, Tally
from recsys.evaluation.verdict import warnings
from recsys.retrieval.base import NO_ITEM, Candidates
from recsys.retrieval.exact import is_seen

if TYPE_CHECKING:
    from recsys.bundle import Bundle

LIST_LENGTH = 100  # of the recommendation file, and of the recall of approximate search
COMPARED = (
    (s.SYSTEM, s.POPULARITY),
    (s.SYSTEM, s.NEIGHBOURS),
    (s.EXACT, s.POPULARITY),
    (s.EXACT, s.NEIGHBOURS),
    (s.ANN, s.EXACT),
    (s.SYSTEM, s.ANN),
)


def evaluate(
    bundle: Bundle,
    dataset: PreparedDataset,
    config: Config,
    *,
    split: str = c.TEST,
    recommendations: Path | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Rank the whole catalogue for every user of a split and measure all systems on the same lists' terms.

    Users are processed in blocks, so that memory does not grow with users x items.

    Args:
        bundle: an open bundle, trained on `dataset`.
        dataset: baselines are fitted on its train split and tuned on its validation split.
        config: `config.evaluation` and `config.seed`.
        split: "test" or "validation".
        recommendations: where to write the system's top 100 of every user, or None.
        console: for progress bars; None: silent.

    Returns:
        A JSON-ready dictionary: systems, ranking, slices, comparisons, ann, rescoring, baselines,
        ratings, warnings, protocol, dataset.

    Raises:
        BundleError: the bundle was trained on another dataset or another preparation of it.
        DataError: the split is empty.
    """
    _require_same_dataset(bundle, dataset)
    held = HeldOut.of(dataset, split)
    with _progress(console) as progress:
        tuning = progress.add_task("Tuning item neighbours", total=grid_size(config.evaluation))
        neighbours = tune_neighbours(dataset, config.evaluation, config.seed, _advancing(progress, tuning))
        systems = s.Systems(bundle.recommender(), fit_popularity(dataset), neighbours.retriever)
        run = _RankingRun(systems, dataset, held, config)
        ranking = progress.add_task(f"Ranking for {split} users", total=len(held))
        with RecommendationFile(recommendations, dataset) if recommendations else nullcontext() as output:
            for place, block in held.blocks(dataset.n_items):
                served = run.add(place, block)
                if output is not None:
                    output.write(block.users, served)
                progress.advance(ranking, len(block))
        summing = progress.add_task("Bootstrap intervals", total=None)
        results = run.results()
        progress.update(summing, total=1, completed=1)
        rating = progress.add_task("Predicting ratings", total=None)
        results["ratings"] = evaluate_ratings(
            dataset,
            held,
            _rating_head(systems),
            dampings=config.evaluation.bias_damping,
            head_damping=config.ranking.damping,
            samples=config.evaluation.bootstrap_samples,
            seed=config.seed,
        )
        progress.update(rating, total=1, completed=1)
    results["baselines"] = {s.NEIGHBOURS: neighbours.report}
    results["protocol"] = _protocol(held, dataset, config)
    results["warnings"] = warnings(results)
    return results


class _RankingRun:
    """The tallies of one pass over the users, and what approximate search and rescoring change."""

    def __init__(self, systems: s.Systems, dataset: PreparedDataset, held: HeldOut, config: Config) -> None:
        self._systems, self._held, self._config = systems, held, config.evaluation
        self._seed = config.seed
        self._counts = train_counts(dataset)
        self._slices = item_slices(self._counts)
        self._main = main_cutoff(self._config.cutoffs)
        self._depth = max(LIST_LENGTH, *self._config.cutoffs)
        self._tallies = {
            protocol: {name: Tally(len(held), self._config.cutoffs, self._slices, self._counts) for name in s.SYSTEMS}
            for protocol in s.PROTOCOLS
        }
        self._ann_recall = np.full(len(held), np.nan)
        self._changed = {pair: np.full((len(held), 2), np.nan) for pair in ((s.EXACT, s.ANN), (s.ANN, s.SYSTEM))}
        self._repeated = 0

    def add(self, place: slice, block: HeldOut) -> Candidates:
        """Rank for the block of users at `place`, count, and return what the system serves: top 100, seen removed."""
        lists = self._systems.rank(block.queries, self._depth)
        repeated = is_seen(block.relevant.items, block.relevant.owners, block.queries.histories)
        self._repeated += int(repeated.sum())
        relevant = {s.NOTHING_REMOVED: block.relevant, s.SEEN_REMOVED: block.relevant.keep(~repeated)}
        for protocol, tallies in self._tallies.items():
            for name, tally in tallies.items():
                tally.add(place, lists[protocol][name].items, relevant[protocol])
        found, exact = (lists[s.NOTHING_REMOVED][name].items[:, :LIST_LENGTH] for name in (s.ANN, s.EXACT))
        self._ann_recall[place] = overlap(found, exact)
        for (before, after), changed in self._changed.items():
            old, new = (lists[s.SEEN_REMOVED][name].items[:, : self._main] for name in (before, after))
            changed[place] = _changes(old, new)
        served = lists[s.SEEN_REMOVED][s.SYSTEM]
        return Candidates(served.items[:, :LIST_LENGTH], served.scores[:, :LIST_LENGTH])

    def results(self) -> dict[str, Any]:
        """Everything about rankings, JSON-ready."""
        summaries = {protocol: self._summary(tallies) for protocol, tallies in self._tallies.items()}
        return {
            "systems": {name: {"label": label, "description": text} for name, (label, text) in s.SYSTEMS.items()},
            "ranking": {
                protocol: {"users": summary.users, "systems": self._with_extras(protocol, summary)}
                for protocol, summary in summaries.items()
            },
            "comparisons": self._comparisons(summaries[s.SEEN_REMOVED]),
            "slices": self._slice_results(),
            "ann": {
                "depth": LIST_LENGTH,
                "recall": _mean(self._ann_recall),
                "changed": self._change(s.EXACT, s.ANN),
            },
            "rescoring": {
                "weight": self._systems.recommender.rescore_weight,
                "changed": self._change(s.ANN, s.SYSTEM),
            },
            "repeated_targets": self._repeated,
        }

    def _summary(self, tallies: dict[str, Tally]) -> Summary:
        figures = {name: tally.figures for name, tally in tallies.items()}
        return Summary(figures, self._config.bootstrap_samples, self._seed)

    def _with_extras(self, protocol: str, summary: Summary) -> dict[str, Any]:
        histories = self._held.queries.histories
        known = mean_popularity((histories.indptr, histories.items), self._counts)
        chosen = mean_popularity(self._held.relevant, self._counts)
        return {
            name: {"metrics": table, **self._tallies[protocol][name].beyond_accuracy(known, chosen)}
            for name, table in summary.table().items()
        }

    def _comparisons(self, summary: Summary) -> list[dict[str, Any]]:
        metrics = [f"{metric}@{self._main}" for metric in ("ndcg", "recall")]
        return [
            {"system": system, "other": other, "metric": metric, **summary.difference(system, other, metric)}
            for system, other in COMPARED
            for metric in metrics
            if summary.users
        ]

    def _slice_results(self) -> dict[str, list[dict[str, Any]]]:
        tallies = self._tallies[s.SEEN_REMOVED]
        metrics = [f"{metric}@{self._main}" for metric in ("ndcg", "recall")]
        by_history = []
        for label, mask in history_slices(self._held.queries.histories.lengths):
            figures = {name: {m: tally.figures[m][mask] for m in metrics} for name, tally in tallies.items()}
            by_history.append({"label": label, **self._slice_table(figures)})
        by_item = []
        for part in self._slices:
            figures = {
                name: {m: tally.slice_figures[part.label][m] for m in metrics} for name, tally in tallies.items()
            }
            by_item.append({"label": part.label, "items": int(part.mask.sum()), **self._slice_table(figures)})
        return {"history_length": by_history, "item_popularity": by_item}

    def _slice_table(self, figures: dict[str, dict[str, NDArray[np.float32]]]) -> dict[str, Any]:
        summary = Summary(figures, self._config.bootstrap_samples, self._seed)
        return {"users": summary.users, "systems": summary.table()}

    def _change(self, before: str, after: str) -> dict[str, float | None]:
        share, any_change = self._changed[before, after].T
        return {f"top_{self._main}_share": _mean(share), "users_with_any_change": _mean(any_change)}


def _require_same_dataset(bundle: Bundle, dataset: PreparedDataset) -> None:
    """Refuse a bundle whose training data may hold what it is asked to predict here."""
    remedy = "train again after preparing, or name another --bundle"
    if len(bundle.item_embeddings) != dataset.n_items:
        raise BundleError(
            f"a bundle trained on {dataset.path}, which has {dataset.n_items} items",
            f"{bundle.path} with {len(bundle.item_embeddings)} items",
            remedy,
        )
    trained_on = bundle.manifest.get("dataset", {}).get("manifest_sha256")
    if trained_on is not None:
        present = hashlib.sha256((dataset.path / c.MANIFEST_FILE).read_bytes()).hexdigest()
        if trained_on != present:
            raise BundleError(
                f"a bundle trained on {dataset.path} as it is now",
                f"{bundle.path}, trained on another preparation, whose split may differ",
                remedy,
            )


def _changes(old: NDArray[np.int32], new: NDArray[np.int32]) -> NDArray[np.float64]:
    """[B, 2]: share of the old list that left it, and 1 if any place differs; NaN for an empty old list."""
    left = 1 - overlap(new, old)
    differs = np.where((old != NO_ITEM).any(axis=1), (old != new).any(axis=1), np.nan)
    return np.column_stack([left, differs])


def _mean(values: NDArray[np.floating]) -> float | None:
    """Mean of what is not NaN; None where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _rating_head(systems: s.Systems) -> PredictRatings | None:
    recommender = systems.recommender
    predictor = recommender.predictor
    if predictor is None:
        return None
    return lambda queries, items: predictor.predict(recommender.retriever.encode(queries), queries.histories, items)


def _protocol(held: HeldOut, dataset: PreparedDataset, config: Config) -> dict[str, Any]:
    lengths = held.queries.histories.lengths
    return {
        "split": held.split,
        "fitted_on": [c.TRAIN],
        "history": list(HISTORY_SPLITS[held.split]),
        "users": len(held),
        "users_without_history": int((lengths == 0).sum()),
        "targets": len(held.relevant.items),
        "mean_history": float(lengths.mean()),
        "catalogue": dataset.n_items,
        "cutoffs": list(config.evaluation.cutoffs),
        "main_cutoff": main_cutoff(config.evaluation.cutoffs),
        "protocols": dict(s.PROTOCOLS),
        "bootstrap_samples": config.evaluation.bootstrap_samples,
        "seed": config.seed,
    }


def _progress(console: Console | None) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console or Console(quiet=True),
    )


def _advancing(progress: Progress, task: Any) -> Callable[[int], None]:
    return lambda count: progress.advance(task, count)
