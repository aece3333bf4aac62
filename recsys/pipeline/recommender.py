"""From a query to its list: propose, allow, finalists, rank, arrange, fill.

Evaluation and the server call the same code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.pipeline.allow import Allowed, ExcludeSeen, Rule
from recsys.pipeline.arrange import Arrangement, arrange
from recsys.pipeline.fill import PopularItems
from recsys.pipeline.propose import Proposer, propose, proposed_by, union
from recsys.pipeline.ranker import MOST_VIEWED, RankedCandidates, Ranker
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.pipeline.recommendations import RANKER, Recommendations, joined
from recsys.pipeline.trace import Proposals, Trace
from recsys.sources.base import Source
from recsys.sources.readings import Panel, Readings, read

RANKING = "ranking"  # the stage of all that sources do not report themselves
_BLOCK_QUERIES = 256  # bounds the memory of the candidates' features
_LEAST_BLOCK = 16  # fewer queries are not shared among threads: each call has a fixed cost


@dataclass(frozen=True)
class Recommender:
    """Candidates from several sources, then the ranking of all that they propose.

    Attributes:
        proposers: of different names. The first is the primary source: its order is final where there is no ranker, its
            user vectors predict ratings, and it is asked for at least k items.
        popularity: fills up lists, and answers queries for which nobody has a candidate.
        predictor: predicts ratings; None: no ratings.
        ranker: puts the candidates in order; None: only the primary source proposes.
        threads: that share the queries of a large batch. Most of the time is spent in compiled code, which holds no
            lock of the interpreter.
        arrangement: chooses what makes a list from more ranked items; None: the first k do.
    """

    proposers: Sequence[Proposer]
    popularity: Source
    predictor: RatingPredictor | None = None
    ranker: Ranker | None = None
    threads: int = 1
    arrangement: Arrangement | None = None

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
        return self._panel.read(queries)

    @cached_property
    def _panel(self) -> Panel:
        scored = () if self.ranker is None else self.ranker.scorer.sources
        by_name = {source.name: source for source in (*(one.source for one in self.proposers), *scored)}
        return Panel(tuple(by_name.values()))

    def candidates(self, readings: Readings, *, exclude_seen: bool = True) -> Int32Array:
        """All that the sources propose for each query, int32 [B, C], padded with `NO_ITEM`."""
        return union(propose(readings, self.proposers, 1, Allowed(exclude_seen)))

    def recommend(
        self,
        queries: Queries,
        k: int,
        *,
        exclude_seen: ExcludeSeen = True,
        rules: Sequence[Rule] = (),
    ) -> Recommendations:
        """The k best items of each query, filled up with popular ones.

        Args:
            queries: B queries.
            k: length of the lists.
            exclude_seen: leave out the items of the history; or "purchases", what was bought of them.
            rules: what else items must pass; lists fall short of k where too few items of the catalogue do.
        """
        allowed = Allowed.of(exclude_seen, rules)
        return self._in_blocks(queries, lambda block: self._trace(block, k, allowed).lists)

    def trace(self, queries: Queries, k: int, *, exclude_seen: ExcludeSeen = True, rules: Sequence[Rule] = ()) -> Trace:
        """As `recommend`, with what was kept on the way to the lists; all queries are one batch, however many.

        All candidates are held at once. The lists are those of `recommend`, bit for bit where that does not part the
        batch, else but for the rounding of products that depends on the size of a batch.
        """
        return self._trace(queries, k, Allowed.of(exclude_seen, rules))

    def recommend_by(
        self, source: Source, queries: Queries, k: int, *, exclude_seen: ExcludeSeen = True, rules: Sequence[Rule] = ()
    ) -> Recommendations:
        """As `recommend`, the k best items by one source alone, in its order."""
        return self.trace_by(source, queries, k, exclude_seen=exclude_seen, rules=rules).lists

    def trace_by(
        self, source: Source, queries: Queries, k: int, *, exclude_seen: ExcludeSeen = True, rules: Sequence[Rule] = ()
    ) -> Trace:
        """As `trace`, of one source alone."""
        started = time.perf_counter()
        allowed, readings = Allowed.of(exclude_seen, rules), read([source], queries)
        lists, parts, retrieved = self._proposed(readings, source, k, allowed)
        lists = replace(lists, sources=(source.name,))
        if source.name != self.primary.name:
            lists.retrieval_scores[lists.items != NO_ITEM] = np.nan
        lists = self._finished(lists, readings, started, allowed)
        return Trace(queries, k, allowed, readings, parts, None, retrieved, lists)

    def _in_blocks(self, queries: Queries, recommend: Callable[[Queries], Recommendations]) -> Recommendations:
        size = min(_BLOCK_QUERIES, max(_LEAST_BLOCK, -(-len(queries) // self.threads)))

        def recommended(block: tuple[slice, Queries]) -> Recommendations:
            return recommend(block[1])

        several = self.threads > 1 and len(queries) > size
        blocks = list((self._pool.map if several else map)(recommended, queries.blocks(size)))
        return joined(blocks) if blocks else recommend(queries)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="ranking")

    @cached_property
    def _popular(self) -> PopularItems:
        return PopularItems(self.popularity)

    def _trace(self, queries: Queries, k: int, allowed: Allowed) -> Trace:
        started = time.perf_counter()
        readings = self.read(queries)
        depth = k if self.arrangement is None else max(k, self.arrangement.depth)
        ranked, retrieved = None, None
        if self.ranker is None:
            lists, parts, retrieved = self._retrieved(readings, depth, allowed)
        else:
            lists, parts, ranked = self._ranked(self.ranker, readings, depth, allowed)
        if self.arrangement is not None:
            lists = arrange(self.arrangement, queries, lists, k)
        lists = self._finished(lists, readings, started, allowed)
        return Trace(queries, k, allowed, readings, parts, ranked, retrieved, lists)

    def _finished(
        self, lists: Recommendations, readings: Readings, started: float, allowed: Allowed
    ) -> Recommendations:
        """The lists filled up, with the time they took since they were started."""
        self._popular.fill(lists, readings.queries, allowed)
        lists.seconds.update(readings.seconds)
        lists.seconds[RANKING] = time.perf_counter() - started - sum(lists.seconds.values())
        return lists

    def _ranked(
        self, ranker: Ranker, readings: Readings, k: int, allowed: Allowed
    ) -> tuple[Recommendations, Proposals, RankedCandidates]:
        """The k best of all that is proposed; what each source proposed; all that was ranked."""
        parts = propose(readings, self.proposers, k, allowed)
        candidates = union([*parts, _viewed(readings.queries, allowed)] if allowed.viewed else parts)
        ranked = ranker.rank(readings, candidates, k, repeats=allowed.repeats, viewed=allowed.viewed)
        items, scores, retrieval_scores, deviations = ranker.best(ranked, k)
        if self.predictor is None or deviations is None:
            ratings = self._ratings(readings, items)
        else:
            ratings = self.predictor.on_scale(deviations + np.float32(self.predictor.statistics.global_mean))
        proposed, counts = proposed_by(items, parts, len(self.sources))
        means = (counts / max(len(items), 1)).tolist()
        lists = Recommendations(
            items=items,
            scores=scores,
            retrieval_scores=retrieval_scores,
            ratings=ratings,
            proposed=proposed,
            sources=self.sources,
            ranked_by=RANKER,
            personal=(items != NO_ITEM).sum(axis=1),
            seconds={},
            candidates=dict(zip(self.sources, means, strict=True)),
        )
        return lists, dict(zip(self.sources, parts, strict=False)), ranked

    def _retrieved(self, readings: Readings, k: int, allowed: Allowed) -> tuple[Recommendations, Proposals, Candidates]:
        """The k best items by the primary source, with ratings; what it proposed, and that in order."""
        lists, parts, retrieved = self._proposed(readings, self.primary, k, allowed)
        proposed = np.zeros((*lists.items.shape, len(self.sources)), np.bool_)
        proposed[..., :1] = lists.proposed
        ratings = self._ratings(readings, lists.items)
        return replace(lists, proposed=proposed, sources=self.sources, ratings=ratings), parts, retrieved

    def _proposed(
        self, readings: Readings, source: Source, k: int, allowed: Allowed
    ) -> tuple[Recommendations, Proposals, Candidates]:
        """The k best items by one source, which is the only one to propose; what it proposed, and that in order."""
        depth = allowed.depth(k, source.n_items)
        (best,) = readings.propose({source.name: depth}, exclude_seen=allowed.exclude_seen)
        kept = allowed.keep(readings.queries, best.items)
        retrieved = _first(kept, best.scores, max(k, depth))
        items, scores = retrieved.items[:, :k].copy(), retrieved.scores[:, :k].copy()
        listed = items != NO_ITEM
        lists = Recommendations(
            items=items,
            scores=scores,
            retrieval_scores=scores.copy(),
            ratings=None,
            proposed=listed[..., None],
            sources=(source.name,),
            ranked_by=source.name,
            personal=listed.sum(axis=1),
            seconds={},
            candidates={},
        )
        return lists, {source.name: kept}, retrieved

    def _ratings(self, readings: Readings, items: Int32Array) -> Float32Array | None:
        """Predicted ratings of the items, NaN beside `NO_ITEM`; None without a predictor."""
        if self.predictor is None:
            return None
        return self.predictor.predict(readings.user_vectors, readings.queries.histories, items)


def _viewed(queries: Queries, allowed: Allowed) -> Int32Array:
    """The latest items of each history that are allowed: int32 [B, L], padded with `NO_ITEM`."""
    latest = queries.histories.last(MOST_VIEWED)
    return allowed.keep(queries, latest.padded(latest.items, NO_ITEM).astype(np.int32))


def _first(items: Int32Array, scores: Float32Array, k: int) -> Candidates:
    """The first k items [B, D] of each row that are none of `NO_ITEM`, and their scores, -inf beside padding."""
    first = Candidates.none(len(items), k)
    order = np.argsort(items == NO_ITEM, axis=1, kind="stable")[:, :k]
    first.items[:, : order.shape[1]] = np.take_along_axis(items, order, axis=1)
    first.scores[:, : order.shape[1]] = np.take_along_axis(scores, order, axis=1)
    first.scores[first.items == NO_ITEM] = -np.inf
    return first
