"""Judge on validation what may put candidates in order: each source alone, blend, hybrid and ranker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from recsys.core.types import Float64Array, Int64Array
from recsys.measure.protocol import HeldOut
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.recommender import Recommender
from recsys.sources.base import Source
from recsys.sources.registry import BLEND, HYBRID, RANKER
from recsys.train.choice import Choice, choose, cross_fitted
from recsys.train.order_figures import OrderFigures, Weights, order_figures
from recsys.train.ranker_fit import REPEAT_OFFSETS
from recsys.train.source_fits import Hybrids


@dataclass(frozen=True)
class SumOrder:
    """An order of candidates by a weighted sum of the sources' scores.

    Attributes:
        weights: of the sources, by name.
        unit: see `OrderFigures`.
        offset: in units, of items of the history, where repeats are predicted.
    """

    weights: Weights
    unit: float
    offset: float


@dataclass(frozen=True)
class JudgedOrders:
    """What was judged.

    Attributes:
        choice: which order is to be served, and why.
        sums: every order but the ranker's, by name, with the settings that are best for all users.
        held: the users on whom they were judged.
    """

    choice: Choice
    sums: dict[str, SumOrder]
    held: HeldOut


def judge_orders(
    recommender: Recommender,
    scorer: CandidateScorer,
    sources: Mapping[str, Source],
    hybrids: Hybrids,
    held: HeldOut,
    folds: Int64Array,
    ranker: Float64Array | None,
    progress: Callable[[int], None] = lambda _: None,
) -> JudgedOrders:
    """Judge each source alone, then the blend, the hybrid and the ranker against what is simpler.

    Args:
        recommender: proposes the candidates.
        scorer: of the sources that the ranker reads.
        sources: all others that may be members of a hybrid, too, by name.
        hybrids: with weights for the users of each fold.
        held: U validation users.
        folds: of every user of the dataset.
        ranker: its NDCG for each of the U users, cross-fitted; None: there is none.
        progress: called with the number of users done since the last call.
    """
    others = {name: source for name, source in sources.items() if name not in scorer.names}
    everyone = replace(scorer, members={**scorer.members, **others})
    whole = {name: hybrid.weights for name, hybrid in hybrids.sources.items()}
    orders: dict[str, Weights] = {name: {name: 1.0} for name in everyone.names}
    orders.update(whole)
    for fold, weights in enumerate(hybrids.of_others):
        orders.update({_of_fold(name, fold): weights[name] for name in whole})
    figures = order_figures(recommender, everyone, held, orders, REPEAT_OFFSETS, progress)
    mine, count = folds[held.users], len(hybrids.of_others)
    single = {name: cross_fitted([figures[name].ndcg] * count, mine) for name in everyone.names}
    combined = [
        (name, cross_fitted([figures[_of_fold(name, fold)].ndcg for fold in range(count)], mine))
        for name in (BLEND, HYBRID)
    ]
    if ranker is not None:
        combined.append((RANKER, ranker))
    sums = {name: _sum(orders[name], figures[name]) for name in (*everyone.names, *whole)}
    return JudgedOrders(choose(single, combined), sums, held)


def _of_fold(name: str, fold: int) -> str:
    return f"{name}@{fold}"


def _sum(weights: Weights, figures: OrderFigures) -> SumOrder:
    best = int(np.argmax(figures.ndcg.mean(axis=1))) if figures.ndcg.size else 0
    return SumOrder(weights, figures.unit, REPEAT_OFFSETS[best])
