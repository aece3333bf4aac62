"""Rankers of random tables, and two finalists of made-up numbers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.core.types import Float32Array
from recsys.explain.contributions import Finalist
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures, FeatureInput, FeatureParts
from recsys.pipeline.features.group import FeatureGroupOfParts
from recsys.pipeline.features.source_sum import SOURCE_SUM, SourceSumFeatures
from recsys.pipeline.finalists import ScoredCandidates
from recsys.pipeline.ranker import RankedCandidates, Ranker
from recsys.pipeline.ranker_tables import RankerTables
from recsys.sources.lending import Loans
from recsys.sources.registry import NOT_PERSONAL
from tests.support.fixed_scores import FixedScores

PRIMARY = "two_tower"
ITEM, REFERENCE = 0, 1
NEITHER = (False, False)


@dataclass(frozen=True)
class Columns(FeatureGroupOfParts):
    """Features of one heading, `HEADING.0`, `HEADING.1` ..., which nothing computes."""

    heading: str
    count: int

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        return {self.heading: tuple(f"{self.heading}.{n}" for n in range(self.count))}

    @classmethod
    def of(cls, parts: FeatureParts) -> Self:
        raise NotImplementedError

    def write(self, given: FeatureInput, features: Float32Array, first: int) -> None:
        raise NotImplementedError


def columns_of(headings: Mapping[str, int], sum_at: int) -> CandidateFeatures:
    """Features of those headings, with the source sum after so many of them."""
    groups: list[tuple[str, FeatureGroupOfParts]] = [(name, Columns(name, count)) for name, count in headings.items()]
    groups.insert(sum_at, (SOURCE_SUM, SourceSumFeatures()))
    return CandidateFeatures(dict(groups))


def scorer_of(weights: Mapping[str, float], headings: Sequence[str]) -> CandidateScorer:
    """Of the primary source, scorers where they are headings, and members; all but the first have a weight."""
    sources = {name: FixedScores(np.zeros((1, 2), np.float32), name) for name in weights if name != PRIMARY}
    scorers = {name: source for name, source in sources.items() if name in headings and name not in NOT_PERSONAL}
    members = {name: source for name, source in sources.items() if name not in scorers}
    primary = FixedScores(np.zeros((1, 2), np.float32), PRIMARY)
    return CandidateScorer(primary, scorers, Loans.none(2), weights, members)


def random_tables(
    random: np.random.Generator, n_features: int, sum_column: int, hidden: Sequence[int], bins: int
) -> RankerTables:
    """Some edges coincide, as where many items share one value."""
    edges = np.sort(random.normal(size=(n_features, bins + 1)), axis=1).astype(np.float32)
    edges[random.random(n_features) < 0.3, 1:] = 1
    edges.sort(axis=1)
    sizes = (n_features * bins, *hidden, 1)
    weights = [random.normal(0, 1 / np.sqrt(rows), (rows, width)) for rows, width in itertools.pairwise(sizes)]
    return RankerTables(
        edges,
        [(weight * 3).astype(np.float32) for weight in weights],
        [random.normal(size=size).astype(np.float32) for size in sizes[1:]],
        random.normal(size=n_features * bins).astype(np.float32),
        sum_weight=float(random.normal()),
        sum_column=sum_column,
    )


def random_ranker(
    random: np.random.Generator,
    headings: Mapping[str, int],
    weights: Mapping[str, float],
    *,
    hidden: Sequence[int] = (6, 4),
    bins: int = 5,
    sum_at: int = 0,
    repeat_log_odds: float = -2.0,
) -> Ranker:
    """A ranker of random tables.

    Args:
        random: what the tables come of.
        headings: features of each.
        weights: of the source sum.
        hidden: widths of the layers.
        bins: of each feature.
        sum_at: before which heading the source sum is a feature.
        repeat_log_odds: see `Ranker`.
    """
    features = columns_of(headings, sum_at)
    tables = random_tables(random, len(features.names), features.column(SOURCE_SUM), hidden, bins)
    return Ranker(scorer_of(weights, tuple(headings)), features, tables, repeat_log_odds, finalists=2)


@dataclass(frozen=True)
class Pair:
    """The items `ITEM` and `REFERENCE` as finalists of one query."""

    queries: Queries
    ranked: RankedCandidates

    @classmethod
    def of(
        cls,
        ranker: Ranker,
        features: Float32Array,
        source_scores: Float32Array,
        repeated: Sequence[bool] = (False,) * 2,
    ) -> Self:
        """Two finalists.

        Args:
            ranker: which scores them.
            features: float32 [2, F]; the source sum is filled in.
            source_scores: float32 [S, 2].
            repeated: whether the history holds them.
        """
        items = np.array([[ITEM, REFERENCE]], np.int32)
        past = np.flatnonzero(repeated)
        history = Histories.from_rows(1, np.zeros(len(past), np.int64), past, np.arange(len(past)))
        queries = Queries(history, np.zeros(1, np.int32), np.zeros(1, np.int64))
        sums = ranker.scorer.sums(np.ascontiguousarray(source_scores[:, None]))
        features = features.copy()
        features[:, ranker.model.sum_column] = sums[0]
        candidates = ScoredCandidates(ranker.scorer.names, items, source_scores[:, None].copy(), sums)
        scores = ranker.score(queries, features[None], items)
        return cls(queries, RankedCandidates(candidates, candidates, features[None], scores))

    @property
    def item(self) -> Finalist:
        return Finalist.of(self.ranked, self.queries.histories, 0, ITEM)

    @property
    def reference(self) -> Finalist:
        return Finalist.of(self.ranked, self.queries.histories, 0, REFERENCE)


def random_pair(random: np.random.Generator, ranker: Ranker, repeated: Sequence[bool] = NEITHER) -> Pair:
    """Two finalists of random numbers."""
    features = random.normal(size=(2, len(ranker.features.names))).astype(np.float32)
    scores = random.normal(size=(len(ranker.scorer.names), 2)).astype(np.float32)
    return Pair.of(ranker, features, scores, repeated)


def by_all_orders(ranker: Ranker, pair: Pair, groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Shapley values as they were defined: each order of the groups, one group after the other, through the ranker.

    Args:
        ranker: scores each mixture of both finalists.
        pair: of them.
        groups: names of headings and of sources by group; the log odds of a repeat are of the heading `history`.
    """
    names, sources = np.array([name.split(".")[0] for name in ranker.features.names]), np.array(ranker.scorer.names)
    weights = [np.float32(ranker.scorer.weights.get(name, 0)) for name in sources]
    features, scores = pair.ranked.features[0], pair.ranked.finalists.scores[:, 0]
    repeated = [pair.item.numbers.repeated, pair.reference.numbers.repeated]

    def score(joined: Sequence[str]) -> float:
        members = [name for group in joined for name in groups[group]]
        row = np.where(np.isin(names, members), features[ITEM], features[REFERENCE])
        mixed = np.where(np.isin(sources, members), scores[:, ITEM], scores[:, REFERENCE])
        row[ranker.model.sum_column] = sum(weight * one for weight, one in zip(weights, mixed, strict=True))
        own = ranker.model.score(row[None, None])[0, 0]
        return float(own) + ranker.repeat_log_odds * repeated[ITEM if "history" in members else REFERENCE]

    orders = list(itertools.permutations(groups))
    values = dict.fromkeys(groups, 0.0)
    for order in orders:
        for place, group in enumerate(order):
            values[group] += (score(order[: place + 1]) - score(order[:place])) / len(orders)
    return values
