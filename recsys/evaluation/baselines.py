"""The baselines every system is measured against, fitted on train and tuned on validation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.config import EvaluationConfig
from recsys.dataset import columns as c
from recsys.dataset.prepared import PreparedDataset
from recsys.evaluation.metrics import ranking_metrics
from recsys.evaluation.protocol import HeldOut, main_cutoff
from recsys.retrieval.neighbours import ItemNeighbours
from recsys.retrieval.neighbours_fit import fit_neighbours
from recsys.retrieval.popularity import Popularity


@dataclass(frozen=True)
class TunedNeighbours:
    """BM25 item neighbours with the best parameters tried, and what was tried."""

    retriever: ItemNeighbours
    report: dict[str, Any]


def fit_popularity(dataset: PreparedDataset) -> Popularity:
    """Popularity in train, by event weight."""
    train = dataset.histories((c.TRAIN,))
    return Popularity.fit(train.items, dataset.n_items, weights=train.weights)


def grid_size(config: EvaluationConfig) -> int:
    """Settings of item neighbours that `tune_neighbours` tries."""
    return (
        len(config.neighbours_k) * len(config.neighbours_k1) * len(config.neighbours_b) * len(config.neighbours_decay)
    )


def tune_neighbours(
    dataset: PreparedDataset,
    config: EvaluationConfig,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> TunedNeighbours:
    """Fit BM25 item neighbours on train with each setting of the config's grid and keep the best.

    The best has the highest NDCG on a seeded sample of validation users, seen items removed. Without a
    validation split the first setting is taken, untried.

    Args:
        dataset: its train split fits, its validation split chooses.
        config: the grid and the number of validation users.
        seed: of the sample.
        progress: called with the number of settings finished since the last call.
    """
    train = dataset.histories((c.TRAIN,))
    metric = f"ndcg@{main_cutoff(config.cutoffs)}"
    has_validation = (dataset.interactions[c.SPLIT] == c.VALIDATION).any()
    held = HeldOut.of(dataset, c.VALIDATION).sample(config.baseline_users, seed) if has_validation else None
    trials: list[dict[str, Any]] = []
    for k, k1, b in itertools.product(config.neighbours_k, config.neighbours_k1, config.neighbours_b):
        fitted = fit_neighbours(train, dataset.n_items, k=k, k1=k1, b=b)
        for decay in config.neighbours_decay:
            figure = None if held is None else _validation_figure(fitted.with_decay(decay), held, metric)
            trials.append({"k": k, "k1": k1, "b": b, "decay": decay, metric: figure})
            progress(1)
    best = max(trials, key=lambda trial: trial[metric] or 0.0)
    chosen = {name: best[name] for name in ("k", "k1", "b", "decay")}
    return TunedNeighbours(
        fit_neighbours(train, dataset.n_items, **chosen),
        {"chosen": chosen, "metric": metric, "users": 0 if held is None else len(held), "tried": trials},
    )


def _validation_figure(retriever: ItemNeighbours, held: HeldOut, metric: str) -> float:
    cutoff = int(metric.rpartition("@")[2])
    found = retriever.retrieve(held.queries, cutoff, exclude_seen=True)
    return float(np.mean(ranking_metrics(found.items, held.relevant, [cutoff])[metric]))
