"""How well weighted sums of the sources' scores put candidates in order, user by user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Float64Array
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.recommender import Recommender
from recsys.sources.exact import is_seen
from recsys.train.validator import CUTOFF, EARLY_STOPPING_METRIC

_BLOCK_QUERIES = 256
Weights = Mapping[str, float]


@dataclass(frozen=True)
class OrderFigures:
    """Of one order by a weighted sum.

    Attributes:
        ndcg: float64 [V, U], NDCG@10 of U users with each of V offsets of repeats; a single row of zeros' offset where
            lists hold no item of the history.
        unit: standard deviation of the sums of a query's candidates, the mean over some queries.
    """

    ndcg: Float64Array
    unit: float


def order_figures(
    recommender: Recommender,
    scorer: CandidateScorer,
    held: HeldOut,
    orders: Mapping[str, Weights],
    offsets: Sequence[float],
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, OrderFigures]:
    """Order the candidates of each query by each of several sums.

    Args:
        recommender: whose candidates they are.
        scorer: of the sources that have weights.
        held: U queries and what followed.
        orders: the weights of each sum, by its name.
        offsets: what may be added to the score of an item of the history, in units of the sum; used where repeats are
            predicted, else no such item is a candidate.
        progress: called with the number of queries done since the last call.
    """
    sums = {name: replace(scorer, weights=dict(weights)).sums for name, weights in orders.items()}
    tried = offsets if held.repeats else (0.0,)
    ndcg = {name: np.zeros((len(tried), len(held))) for name in orders}
    units: dict[str, float] = {}
    for start in range(0, len(held), _BLOCK_QUERIES):
        block = held.select(np.arange(start, min(start + _BLOCK_QUERIES, len(held))))
        readings = scorer.read(block.queries)
        items = recommender.candidates(readings, exclude_seen=not held.repeats)
        scored = scorer.score(readings, items)
        rows = np.arange(len(items))[:, None]
        repeated = is_seen(items, rows, block.queries.histories) if held.repeats else np.zeros(items.shape, bool)
        for name in orders:
            summed = sums[name](scored.own)
            if name not in units:  # the first users are as good a sample as any
                units[name] = _spread(summed, items != NO_ITEM)
            for row, offset in enumerate(tried):
                order = summed + np.float32(offset * units[name]) * repeated.astype(np.float32)
                ranked = scored.best(CUTOFF, order).items  # as finalists are chosen
                figures = ranking_metrics(ranked, block.relevant, [CUTOFF])[EARLY_STOPPING_METRIC]
                ndcg[name][row, start : start + len(block)] = figures
        progress(len(block))
    return {name: OrderFigures(ndcg[name], units.get(name, 1.0)) for name in orders}


def _spread(sums: Float32Array, real: BoolArray) -> float:
    """The mean of the queries' standard deviations of sums [B, C] where `real`; 1 where there is none."""
    spreads = [float(row[is_real].std()) for row, is_real in zip(sums, real, strict=True) if is_real.any()]
    return (float(np.mean(spreads)) if spreads else 0.0) or 1.0
