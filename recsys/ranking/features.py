"""What the ranker sees of a candidate. Training, evaluation and serving call this one function.

Everything is computed from the query's history and from what was fitted before: nothing knows an item
chosen later, and nothing depends on an item's row number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories
from recsys.ranking.attributes import NO_VALUE, ItemAttributes
from recsys.ranking.head import RatingPredictor
from recsys.retrieval.base import NO_ITEM, PairScorer, Queries
from recsys.retrieval.two_tower import TwoTowerRetriever

HYBRID_SCORE = "hybrid_score"  # the last feature
HABIT_DECAY = 0.8  # weight of a step back in the history, in the user's habits of price, brand and category

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class CandidateFeatures:
    """Computes the features of candidates.

    Attributes:
        item_embeddings: float32 [N, D], of the two-tower.
        scorers: retrievers by name that score the candidates beside the two-tower.
        attributes: of the items.
        predictor: of ratings; None: no rating feature.
        hybrid: weights of a hybrid, by name of its members, see `Hybrid`; its score is a feature too.
        members: those of them that are neither the two-tower nor among `scorers`.
    """

    item_embeddings: NDArray[np.float32]
    scorers: Mapping[str, PairScorer]
    attributes: ItemAttributes
    predictor: RatingPredictor | None = None
    hybrid: Mapping[str, float] = field(default_factory=dict)
    members: Mapping[str, PairScorer] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the features, by what they come from, in the order in which `compute` gives them."""
        groups: dict[str, tuple[str, ...]] = {"two_tower": ("two_tower_score", "two_tower_gap", "two_tower_rank")}
        for name in self.scorers:
            groups[name] = tuple(f"{name}_{part}" for part in ("score", "share", "rank", "last_item"))
        groups["popularity"] = ("log_count", "trend")
        groups["price"] = ("price_known", "price_difference", "price_distance")
        groups["brand"] = ("brand_share", "brand_of_last_item")
        groups["category"] = ("category_share", "category_of_last_item")
        groups["history"] = ("log_history_length",)
        if self.predictor is not None:
            groups["rating"] = ("predicted_rating",)
        groups["hybrid"] = (HYBRID_SCORE,)
        return groups

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the F features."""
        return tuple(name for group in self.groups.values() for name in group)

    def compute(self, queries: Queries, vectors: NDArray[np.float32], items: NDArray[np.int32]) -> Matrix:
        """Features float32 [B, C, F], finite; 0 beside `NO_ITEM`.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            items: int32 [B, C], candidates, padded with `NO_ITEM`.
        """
        real = items != NO_ITEM
        rows = np.where(real, items, 0)
        histories = queries.histories
        two_tower = np.einsum("bd,bcd->bc", vectors, self.item_embeddings[rows])
        columns = [two_tower, _gap(two_tower, real), _rank(np.where(real, two_tower, -np.inf))]
        hybrid = self.hybrid.get(TwoTowerRetriever.name, 0.0) * two_tower
        last = histories.last(1)
        for name, scorer in self.scorers.items():
            scores = self._pair_scores(scorer, histories, items)
            hybrid += self.hybrid.get(name, 0.0) * scores
            columns += [
                np.log1p(np.maximum(scores, 0)),
                _share(scores),
                _rank(np.where(real & (scores > 0), scores, -np.inf)),
                _share(self._pair_scores(scorer, last, items)),
            ]
        columns += [self.attributes.log_count[rows], self.attributes.trend[rows]]
        columns += _price(histories, rows, self.attributes)
        columns += _brand(histories, rows, self.attributes)
        columns += _category(histories, rows, self.attributes)
        columns.append(np.broadcast_to(np.log1p(histories.lengths)[:, None], items.shape))
        if self.predictor is not None:
            ratings = self.predictor.predict(vectors, histories, items)
            columns.append(ratings - np.float32(self.predictor.statistics.global_mean))
        for name, member in self.members.items():
            hybrid += self.hybrid[name] * self._pair_scores(member, histories, items)
        columns.append(hybrid)
        features: Matrix = np.stack(columns, axis=-1).astype(np.float32)
        features[~real] = 0
        return features

    def _pair_scores(self, scorer: PairScorer, histories: Histories, items: NDArray[np.int32]) -> Matrix:
        """Scores of the items; those nobody has chosen yet borrow them where they have none of their own."""
        score = scorer.pair_scorer(histories)
        return self.attributes.loans.fill(score(items), items, score)


def _gap(scores: Matrix, real: NDArray[np.bool_]) -> Matrix:
    """How far each score lies below the best of its query."""
    best = np.where(real, scores, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    return np.where(real, scores - np.where(np.isfinite(best), best, 0), 0)


def _share(scores: Matrix) -> Matrix:
    """Scores as shares of the best of their query, from -1 to 1; 0 where none is positive."""
    best = scores.max(axis=1, keepdims=True, initial=0)
    return np.where(best > 0, np.clip(scores / np.where(best > 0, best, 1), -1, 1), 0)


def _rank(scores: Matrix) -> Matrix:
    """1 / log2(1 + rank) among the query's candidates, 1 for the best; 0 where the score is -inf."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(scores.shape[1])[None] + 2, axis=1)
    return np.where(scores > -np.inf, 1 / np.log2(ranks), 0).astype(np.float32)


def _habit(histories: Histories) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Query row [T] and weight [T] of every interaction: the latest of a query counts most."""
    return histories.rows, HABIT_DECAY ** histories.steps_back.astype(np.float64)


def _price(histories: Histories, rows: NDArray[np.int32], attributes: ItemAttributes) -> list[Matrix]:
    """Whether user and item have a known price; log price against the user's habit, signed and absolute."""
    query, weights = _habit(histories)
    paid = attributes.log_price[histories.items]
    known = np.isfinite(paid)
    sums = np.bincount(query[known], weights[known] * paid[known], len(histories))
    mass = np.bincount(query[known], weights[known], len(histories))
    habit = np.where(mass > 0, sums / np.maximum(mass, 1e-9), np.nan)
    difference = attributes.log_price[rows] - habit[:, None]
    comparable = np.isfinite(difference)
    difference = np.where(comparable, difference, 0)
    return [comparable, difference, np.abs(difference)]


def _brand(histories: Histories, rows: NDArray[np.int32], attributes: ItemAttributes) -> list[Matrix]:
    """Share of the user's habit that has the candidate's brand; whether the last item has it."""
    query, weights = _habit(histories)
    share = _affinity(query, weights, attributes.brand[histories.items][:, None], attributes.brand[rows][..., None])
    last = histories.last(1)
    of_last = np.full(len(histories), NO_VALUE, np.int32)
    of_last[last.lengths > 0] = attributes.brand[last.items]
    brand = attributes.brand[rows]
    return [share, (brand == of_last[:, None]) & (brand != NO_VALUE)]


def _category(histories: Histories, rows: NDArray[np.int32], attributes: ItemAttributes) -> list[Matrix]:
    """Mean share of the candidate's categories in the user's habit; the same for the last item alone."""
    query, weights = _habit(histories)
    candidates = attributes.categories[rows]
    last = histories.last(1)
    rows_of_last = np.flatnonzero(last.lengths > 0)
    return [
        _affinity(query, weights, attributes.categories[histories.items], candidates),
        _affinity(rows_of_last, np.ones(len(rows_of_last)), attributes.categories[last.items], candidates),
    ]


def _affinity(
    query: NDArray[np.int64], weights: NDArray[np.float64], values: NDArray[np.int32], wanted: NDArray[np.int32]
) -> Matrix:
    """Mean over the `wanted` values of each candidate of the weighted share of interactions that have them.

    Args:
        query: int [T], row of each interaction.
        weights: float [T].
        values: int32 [T, V], values of each interaction, padded with `NO_VALUE`.
        wanted: int32 [B, C, V], of the candidates.

    Returns:
        float32 [B, C] in 0..1; 0 for a candidate without values.
    """
    n_queries = len(wanted)
    mass = np.bincount(query, weights, n_queries)
    stride = max(int(values.max(initial=0)), int(wanted.max(initial=0))) + 1
    real = values != NO_VALUE
    keys, place = np.unique((query[:, None] * stride + values)[real], return_inverse=True)
    totals = np.bincount(place, np.broadcast_to(weights[:, None], values.shape)[real], len(keys))
    asked = np.arange(n_queries)[:, None, None] * stride + wanted
    found = np.searchsorted(keys, asked)
    hit = (found < len(keys)) & (wanted != NO_VALUE)
    hit[hit] = keys[found[hit]] == asked[hit]
    shares = np.zeros(wanted.shape)
    shares[hit] = totals[found[hit]]
    sums = shares.sum(axis=2) / np.maximum(mass, 1e-9)[:, None]
    means: Matrix = (sums / np.maximum((wanted != NO_VALUE).sum(axis=2), 1)).astype(np.float32)
    return means
