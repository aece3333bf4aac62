"""From a query to the final list: candidates of several retrievers, put in order by the ranker, popularity if none.

Evaluation and the server call the same code.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.pipeline.candidates import sources, union
from recsys.pipeline.features import TWO_TOWER_COLUMN
from recsys.pipeline.head import RatingPredictor
from recsys.pipeline.kernels import write_lists
from recsys.pipeline.ranker import CandidateRanker
from recsys.sources.item_to_item import ItemToItem, Spreads
from recsys.sources.popularity import Popularity
from recsys.sources.two_tower import TwoTowerRetriever

STAGES = ("query_tower", "ann", "ranking")
_FILTER_DEPTH = 1000
_BLOCK_QUERIES = 256  # bounds the memory of the candidates' features
_LEAST_BLOCK = 16  # fewer queries are not shared among threads: each call has a fixed cost


@dataclass(frozen=True)
class Recommendations:
    """The final lists of B queries, best first.

    Attributes:
        items: int32 [B, k], item rows; `NO_ITEM` where there are fewer than k.
        scores: float32 [B, k], final scores, never increasing along a row; -inf beside `NO_ITEM`.
        retrieval_scores: float32 [B, k], the two-tower's score of each item (popularity in fallback rows);
            -inf beside `NO_ITEM`.
        ratings: float32 [B, k], predicted ratings (NaN beside `NO_ITEM` and in fallback rows), or
            None when the bundle predicts no ratings.
        sources: bool [B, k, R], which of the recommender's `sources` proposed each item; none in fallback rows.
        fallback: bool [B], true where no retriever had a candidate and popular items are given.
        seconds: time that the stages `STAGES` took, in all.
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
class Recommender:
    """Retrieval by the two-tower and item-to-item retrievers, then ranking of all they propose.

    Attributes:
        retriever: the two-tower.
        popularity: answers queries for which nobody has a candidate.
        predictor: predicts ratings; None: no ratings.
        ranker: puts the candidates in order; None: only the two-tower proposes, in its order.
        proposers: item-to-item retrievers by name; those whose scores the ranker reads.
        candidates: items the two-tower proposes for a query, at least k.
        proposer_candidates: items that each proposer does.
        threads: that share the queries of a large batch. Most of the time is spent in compiled code, which holds no
            lock of the interpreter.
    """

    retriever: TwoTowerRetriever
    popularity: Popularity
    predictor: RatingPredictor | None = None
    ranker: CandidateRanker | None = None
    proposers: Mapping[str, ItemToItem] = field(default_factory=dict)
    candidates: int = field(kw_only=True)
    proposer_candidates: int = field(kw_only=True)
    threads: int = 1

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of all that propose candidates."""
        return (self.retriever.name, *self.proposers)

    def propose(
        self,
        queries: Queries,
        vectors: Float32Array,
        k: int,
        *,
        exclude_seen: bool = True,
        allowed: BoolArray | None = None,
    ) -> list[Int32Array]:
        """Candidates int32 [B, ...] of each of `sources`, best first.

        Args:
            queries: B queries.
            vectors: float32 [B, D], their user vectors.
            k: fewest items the two-tower is asked for.
            exclude_seen: leave out the items of the history.
            allowed: bool [N], the items wanted; None: all. `NO_ITEM` takes the place of others, of more that are found.
        """
        first = self.retriever.search(vectors, queries, self._depth(k, allowed), exclude_seen=exclude_seen)
        return self._proposed(first, self._spreads(queries), exclude_seen, allowed)

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
        vectors = self.retriever.encode(queries)
        encoded = time.perf_counter()
        depth = k if self.ranker is None and allowed is None else self._depth(k, allowed)
        first = self.retriever.search(vectors, queries, depth, exclude_seen=exclude_seen)
        searched = time.perf_counter()
        if self.ranker is None:
            proposed = _only(allowed, [first.items])
            found, retrieval_scores = _first(proposed[0], first.scores, k)
            ratings = None
        else:
            spreads = self._spreads(queries)
            proposed = self._proposed(first, spreads, exclude_seen, allowed)
            found, retrieval_scores, ratings = self._ranked(
                queries, vectors, union(proposed), first, spreads, k, self.ranker, repeats=not exclude_seen
            )
        if ratings is None and self.predictor is not None:
            ratings = self.predictor.predict(vectors, queries.histories, found.items)
        proposers, counts = sources(found.items, proposed, len(self.sources))
        fallback = (found.items == NO_ITEM).all(axis=1)
        rows = np.flatnonzero(fallback)
        if len(rows):
            popular = self.popularity.retrieve(queries.select(rows), k, exclude_seen=exclude_seen)
            found.items[rows] = popular.items
            found.scores[rows] = retrieval_scores[rows] = popular.scores
        spent = encoded - started, searched - encoded, time.perf_counter() - searched
        means = (counts / max(len(queries), 1)).tolist()
        seconds = dict(zip(STAGES, spent, strict=True))
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

    def _depth(self, k: int, allowed: BoolArray | None) -> int:
        """How many items the two-tower is asked for."""
        depth = max(k, self.candidates)
        return depth if allowed is None else filter_depth(depth, self.retriever.n_items)

    @cached_property
    def _lists(self) -> list[ItemToItem]:
        """The proposers, then the other item-to-item retrievers whose scores the ranker reads."""
        proposers = list(self.proposers.values())
        read = self.ranker.features.scores_of_retrievers.lists if self.ranker else []
        return proposers + [one for one in read if not any(one is proposer for proposer in proposers)]

    def _spreads(self, queries: Queries) -> Spreads | None:
        """What the item-to-item retrievers say of the queries; None if there are none."""
        return Spreads.of(self._lists, queries.histories) if self._lists else None

    def _proposed(
        self, first: Candidates, spreads: Spreads | None, exclude_seen: bool, allowed: BoolArray | None
    ) -> list[Int32Array]:
        """Candidates of the two-tower, found already, and of each of the proposers."""
        depth = self.proposer_candidates
        if allowed is not None:
            depth = filter_depth(depth, self.retriever.n_items)
        others = spreads.best(len(self.proposers), depth, exclude_seen=exclude_seen).items if spreads else ()
        return _only(allowed, [first.items, *others])

    def _ranked(
        self,
        queries: Queries,
        vectors: Float32Array,
        items: Int32Array,
        first: Candidates,
        spreads: Spreads | None,
        k: int,
        ranker: CandidateRanker,
        *,
        repeats: bool,
    ) -> tuple[Candidates, Float32Array, Float32Array | None]:
        """The k best of the candidates `items` [B, C], their two-tower scores, and ratings if those are a feature.

        `first` are those that the two-tower found.
        """
        features, predictor = ranker.features, ranker.features.predictor
        finals = ranker.finals(queries, features.score(queries, vectors, items, spreads, first), k, repeats=repeats)
        described = features.describe(queries, vectors, finals)
        scores = ranker.score(queries, described, finals.items, repeats=repeats)
        shape = len(queries), k
        found = Candidates(np.empty(shape, np.int32), np.empty(shape, np.float32))
        rated = predictor is not None and self.predictor is not None
        columns = np.array([TWO_TOWER_COLUMN, features.rating_column] if rated else [TWO_TOWER_COLUMN])
        kept = np.empty((*shape, len(columns)), np.float32)
        write_lists(finals.items, scores, described, columns, found.items, found.scores, kept)
        retrieval_scores = np.where(found.items == NO_ITEM, np.float32(-np.inf), kept[..., 0])
        if predictor is None or not rated:
            return found, retrieval_scores, None
        return found, retrieval_scores, kept[..., 1] + np.float32(predictor.statistics.global_mean)


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
        {stage: sum(block.seconds[stage] for block in blocks) for stage in STAGES},
        {
            name: sum(len(block.items) * block.candidates[name] for block in blocks) / queries
            for name in blocks[0].candidates
        },
    )
