"""From a query to the final list: candidates of several sources, put in order by the ranker, popularity if none.

Evaluation and the server call the same code.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.pipeline.candidates import sources, union
from recsys.pipeline.features.rating import PREDICTED_RATING
from recsys.pipeline.head import RatingPredictor
from recsys.pipeline.kernels import write_lists
from recsys.pipeline.ranker import CandidateRanker
from recsys.sources.base import Source
from recsys.sources.readings import Readings, read

RANKING = "ranking"  # the stage of all that sources do not report themselves
_FILTER_DEPTH = 1000
_BLOCK_QUERIES = 256  # bounds the memory of the candidates' features
_LEAST_BLOCK = 16  # fewer queries are not shared among threads: each call has a fixed cost


@dataclass(frozen=True)
class Recommendations:
    """The final lists of B queries, best first.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], final scores, never increasing along a row; -inf beside `NO_ITEM`.
        retrieval_scores: float32 [B, k], the primary source's score of each item (popularity in fallback rows);
            -inf beside `NO_ITEM`.
        ratings: float32 [B, k], predicted ratings (NaN beside `NO_ITEM` and in fallback rows), or
            None when the bundle predicts no ratings.
        sources: bool [B, k, R], which of the recommender's `sources` proposed each item; none in fallback rows.
        fallback: bool [B], true where no source had a candidate and popular items are given.
        seconds: time that stages took, in all: those that sources report, and `RANKING` for the rest.
        candidates: by source, how many items it proposed for a query, on average.
    """

    items: Int32Array
    scores: Float32Array
    retrieval_scores: Float32Array
    ratings: Float32Array | None
    sources: BoolArray
    fallback: BoolArray
    seconds: Mapping[str, float]
    candidates: Mapping[str, float]


@dataclass(frozen=True)
class Proposer:
    """A source, and how many items it proposes for a query."""

    source: Source
    depth: int


@dataclass(frozen=True)
class Recommender:
    """Candidates from several sources, then the ranking of all that they propose.

    Attributes:
        proposers: of different names. The first is the primary source: its order is final where there is no ranker, its
            user vectors predict ratings, and it is asked for at least k items.
        popularity: answers queries for which nobody has a candidate.
        predictor: predicts ratings; None: no ratings.
        ranker: puts the candidates in order; None: only the primary source proposes.
        threads: that share the queries of a large batch. Most of the time is spent in compiled code, which holds no
            lock of the interpreter.
    """

    proposers: Sequence[Proposer]
    popularity: Source
    predictor: RatingPredictor | None = None
    ranker: CandidateRanker | None = None
    threads: int = 1

    @property
    def primary(self) -> Source:
        """The first source."""
        return self.proposers[0].source

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Names of all that propose candidates."""
        return tuple(proposer.source.name for proposer in self.proposers)

    def read(self, queries: Queries) -> Readings:
        """Get ready to ask about the queries all sources that propose and all whose scores the ranker reads."""
        return read(self._read, queries)

    @cached_property
    def _read(self) -> tuple[Source, ...]:
        scored = () if self.ranker is None else self.ranker.scorer.sources
        by_name = {source.name: source for source in (*(one.source for one in self.proposers), *scored)}
        return tuple(by_name.values())

    def propose(
        self, readings: Readings, k: int, *, exclude_seen: bool = True, allowed: BoolArray | None = None
    ) -> list[Int32Array]:
        """Candidates int32 [B, ...] of each of `sources`, best first.

        Args:
            readings: see `read`.
            k: fewest items the primary source is asked for.
            exclude_seen: leave out the items of the history.
            allowed: bool [N], the items wanted; None: all. `NO_ITEM` takes the place of others, of more that are found.
        """
        depths = {proposer.source.name: proposer.depth for proposer in self.proposers}
        depths[self.primary.name] = max(k, depths[self.primary.name])
        if allowed is not None:
            depths = {name: filter_depth(depth, self.primary.n_items) for name, depth in depths.items()}
        lists = readings.propose(depths, exclude_seen=exclude_seen)
        return _only(allowed, [candidates.items for candidates in lists])

    def recommend(
        self, queries: Queries, k: int, *, exclude_seen: bool = True, allowed: BoolArray | None = None
    ) -> Recommendations:
        """The k best items of each query, without those in its history if `exclude_seen`.

        Args:
            queries: B queries.
            k: length of the lists.
            exclude_seen: see above.
            allowed: bool [N], the items wanted; None: all. Lists may fall short of k then. Those filled in for queries
                without candidates are not filtered.
        """
        size = min(_BLOCK_QUERIES, max(_LEAST_BLOCK, -(-len(queries) // self.threads)))

        def recommended(block: tuple[slice, Queries]) -> Recommendations:
            return self._recommend(block[1], k, exclude_seen, allowed)

        several = self.threads > 1 and len(queries) > size
        blocks = list((self._pool.map if several else map)(recommended, queries.blocks(size)))
        if not blocks:
            blocks = [self._recommend(queries, k, exclude_seen, allowed)]
        return blocks[0] if len(blocks) == 1 else _joined(blocks)

    def _recommend(self, queries: Queries, k: int, exclude_seen: bool, allowed: BoolArray | None) -> Recommendations:
        started = time.perf_counter()
        readings = self.read(queries)
        ratings = None
        if self.ranker is None:
            proposed, found, retrieval_scores = self._retrieved(readings, k, exclude_seen, allowed)
        else:
            proposed = self.propose(readings, k, exclude_seen=exclude_seen, allowed=allowed)
            found, retrieval_scores, ratings = self._ranked(
                readings, union(proposed), k, self.ranker, repeats=not exclude_seen
            )
        if ratings is None and self.predictor is not None:
            ratings = self.predictor.predict(readings.user_vectors, queries.histories, found.items)
        proposers, counts = sources(found.items, proposed, len(self.sources))
        fallback = (found.items == NO_ITEM).all(axis=1)
        rows = np.flatnonzero(fallback)
        if len(rows):
            popular = self.popularity.propose(queries.select(rows), k, exclude_seen=exclude_seen)
            found.items[rows] = popular.items
            found.scores[rows] = retrieval_scores[rows] = popular.scores
        means = (counts / max(len(queries), 1)).tolist()
        seconds = readings.seconds
        seconds[RANKING] = time.perf_counter() - started - sum(seconds.values())
        return Recommendations(
            found.items,
            found.scores,
            retrieval_scores,
            ratings,
            proposers,
            fallback,
            seconds,
            dict(zip(self.sources, means, strict=True)),
        )

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="ranking")

    def _retrieved(
        self, readings: Readings, k: int, exclude_seen: bool, allowed: BoolArray | None
    ) -> tuple[list[Int32Array], Candidates, Float32Array]:
        """What the primary source proposes, the k best of it, and once more their scores."""
        primary = self.proposers[0]
        depth = k if allowed is None else filter_depth(max(k, primary.depth), primary.source.n_items)
        (first,) = readings.propose({primary.source.name: depth}, exclude_seen=exclude_seen)
        proposed = _only(allowed, [first.items])
        return proposed, *_first(proposed[0], first.scores, k)

    def _ranked(
        self,
        readings: Readings,
        items: Int32Array,
        k: int,
        ranker: CandidateRanker,
        *,
        repeats: bool,
    ) -> tuple[Candidates, Float32Array, Float32Array | None]:
        """The k best of the candidates `items` [B, C].

        With the primary source's scores of them, and with ratings if those are a feature.
        """
        queries = readings.queries
        finals = ranker.finals(queries, ranker.scorer.score(readings, items), k, repeats=repeats)
        described = ranker.describe(readings, finals)
        scores = ranker.score(queries, described, finals.items, repeats=repeats)
        shape = len(queries), k
        found = Candidates(np.empty(shape, np.int32), np.empty(shape, np.float32))
        rated = self.predictor is not None and PREDICTED_RATING in ranker.features.names
        kept_names = (f"{self.primary.name}_score", *([PREDICTED_RATING] if rated else []))
        columns = np.array([ranker.features.column(name) for name in kept_names])
        kept = np.empty((*shape, len(columns)), np.float32)
        write_lists(finals.items, scores, described, columns, found.items, found.scores, kept)
        retrieval_scores = np.where(found.items == NO_ITEM, np.float32(-np.inf), kept[..., 0])
        if self.predictor is None or not rated:
            return found, retrieval_scores, None
        return found, retrieval_scores, kept[..., 1] + np.float32(self.predictor.statistics.global_mean)


def filter_depth(depth: int, n_items: int) -> int:
    """How many items to ask for, instead of `depth`, where a filter will drop most of them."""
    return min(max(depth, _FILTER_DEPTH), n_items)


def _only(allowed: BoolArray | None, proposed: list[Int32Array]) -> list[Int32Array]:
    """The proposed items with `NO_ITEM` in place of those not allowed."""
    if allowed is None:
        return proposed
    return [np.where((items != NO_ITEM) & allowed[items], items, NO_ITEM).astype(np.int32) for items in proposed]


def _first(items: Int32Array, scores: Float32Array, k: int) -> tuple[Candidates, Float32Array]:
    """The first k items [B, D] of each row that are none of `NO_ITEM`, and once more their scores."""
    found = Candidates.none(len(items), k)
    order = np.argsort(items == NO_ITEM, axis=1, kind="stable")[:, :k]
    width = order.shape[1]
    found.items[:, :width] = np.take_along_axis(items, order, axis=1)
    found.scores[:, :width] = np.take_along_axis(scores, order, axis=1)
    found.scores[found.items == NO_ITEM] = -np.inf
    return found, found.scores.copy()


def _joined(blocks: Sequence[Recommendations]) -> Recommendations:
    """The lists of all blocks of queries, one below the other."""
    ratings = [block.ratings for block in blocks if block.ratings is not None]
    queries = sum(len(block.items) for block in blocks)
    return Recommendations(
        np.concatenate([block.items for block in blocks]),
        np.concatenate([block.scores for block in blocks]),
        np.concatenate([block.retrieval_scores for block in blocks]),
        np.concatenate(ratings) if ratings else None,
        np.concatenate([block.sources for block in blocks]),
        np.concatenate([block.fallback for block in blocks]),
        {stage: sum(block.seconds[stage] for block in blocks) for stage in blocks[0].seconds},
        {
            name: sum(len(block.items) * block.candidates[name] for block in blocks) / queries
            for name in blocks[0].candidates
        },
    )
