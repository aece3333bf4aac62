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
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.pipeline.aims import Aims, Wanted
from recsys.pipeline.allow import Allowed, ExcludeSeen, Restriction
from recsys.pipeline.arrange import Arrangement, arrange
from recsys.pipeline.fill import PopularItems
from recsys.pipeline.one_source import among_proposed, first_of, joined_by
from recsys.pipeline.policy import Plan, Policy
from recsys.pipeline.propose import Proposer, propose, proposed_by, union
from recsys.pipeline.ranker import RankedCandidates, Ranker
from recsys.pipeline.ratings.predictor import RatingPredictor
from recsys.pipeline.recommendations import Moves, Recommendations, joined
from recsys.pipeline.trace import Proposals, Trace
from recsys.sources.base import Source
from recsys.sources.exact import columns_of, is_among
from recsys.sources.readings import Panel, Readings, read

RANKING = "ranking"  # the stage of all that sources do not report themselves
_BLOCK_QUERIES = 256  # bounds the memory of the candidates' features
_MORE_POPULAR = 500  # popular items that are looked at beside the ranked ones where those leave a list short
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
    """

    proposers: Sequence[Proposer]
    popularity: Source
    predictor: RatingPredictor | None = None
    ranker: Ranker | None = None
    threads: int = 1

    @property
    def primary(self) -> Source:
        """The first source."""
        return self.proposers[0].source

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Names of all that propose candidates."""
        return tuple(proposer.source.name for proposer in self.proposers)

    @cached_property
    def settled(self) -> int:
        """So long lists, and shorter ones, are made of the same candidates and finalists.

        Unless they are arranged, each begins as the shorter ones.
        """
        depth = self.proposers[0].depth
        return depth if self.ranker is None else min(depth, self.ranker.finalists)

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
        by: Source | None = None,
        exclude_seen: ExcludeSeen = True,
        restrictions: Sequence[Restriction] = (),
        policy: Policy | None = None,
        first: Recommendations | None = None,
    ) -> Recommendations:
        """The k best items of each query, filled up with popular ones.

        Args:
            queries: B queries.
            k: length of the lists.
            by: the one source whose items they are, in its order; None: all sources and the ranker have their say.
            exclude_seen: leave out the items of the history; or "purchases", what was bought of them.
            restrictions: what else items must pass, the same for every query; lists fall short of k where too few items
                of the catalogue do.
            policy: what the shop wants of the lists; None: nothing.
            first: shorter lists of the same queries, which were shown: rules arrange lists that begin with these, see
                `recsys.pipeline.pages`. None: none were.
        """
        wanted = Wanted(exclude_seen, tuple(restrictions), policy)
        shown = None if first is None else first.items
        if by is not None:
            return self._trace_by(by, queries, k, wanted, shown).lists

        def recommended(rows: slice, block: Queries) -> Recommendations:
            return self._trace(block, k, wanted, None if shown is None else shown[rows]).lists

        return self._in_blocks(queries, recommended)

    def trace(
        self,
        queries: Queries,
        k: int,
        *,
        by: Source | None = None,
        exclude_seen: ExcludeSeen = True,
        restrictions: Sequence[Restriction] = (),
        policy: Policy | None = None,
    ) -> Trace:
        """As `recommend`, with what was kept on the way to the lists; all queries are one batch, however many.

        All candidates are held at once. The lists are those of `recommend`, bit for bit where that does not part the
        batch, else but for the rounding of products that depends on the size of a batch.
        """
        wanted = Wanted(exclude_seen, tuple(restrictions), policy)
        return self._trace(queries, k, wanted) if by is None else self._trace_by(by, queries, k, wanted)

    def _in_blocks(self, queries: Queries, recommend: Callable[[slice, Queries], Recommendations]) -> Recommendations:
        size = min(_BLOCK_QUERIES, max(_LEAST_BLOCK, -(-len(queries) // self.threads)))

        def recommended(block: tuple[slice, Queries]) -> Recommendations:
            return recommend(*block)

        several = self.threads > 1 and len(queries) > size
        blocks = list((self._pool.map if several else map)(recommended, queries.blocks(size)))
        return joined(blocks) if blocks else recommend(slice(0), queries)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="ranking")

    @cached_property
    def _popular(self) -> PopularItems:
        return PopularItems(self.popularity)

    def _trace(self, queries: Queries, k: int, wanted: Wanted, first: Int32Array | None = None) -> Trace:
        started = time.perf_counter()
        readings = self.read(queries)
        aims = replace(wanted.aims(queries, k, lambda: readings.user_vectors), first=first)
        ranked, retrieved = None, None
        if self.ranker is None:
            lists, parts, retrieved = self._retrieved(readings, aims)
        else:
            lists, parts, ranked = self._ranked(self.ranker, readings, aims)
        lists = self._finished(lists, readings, started, aims)
        if ranked is not None:
            lists = self._attributed(lists, tuple(parts.values()))
        return Trace(queries, k, aims.allowed, readings, parts, ranked, retrieved, lists, aims.plan, aims.invited)

    def _trace_by(
        self, source: Source, queries: Queries, k: int, wanted: Wanted, first: Int32Array | None = None
    ) -> Trace:
        started = time.perf_counter()
        readings, aims = read([source], queries), replace(wanted.aims(queries, k), first=first)
        lists, parts, retrieved = self._proposed(readings, source, aims)
        lists = replace(lists, sources=(source.name,))
        if source.name != self.primary.name:
            lists.retrieval_scores[lists.items != NO_ITEM] = np.nan
        lists = self._finished(lists, readings, started, aims)
        return Trace(queries, k, aims.allowed, readings, parts, None, retrieved, lists, aims.plan, aims.invited)

    def _finished(self, lists: Recommendations, readings: Readings, started: float, aims: Aims) -> Recommendations:
        """The lists arranged and filled up, with the time they took since they were started."""
        queries, plan = readings.queries, aims.plan
        if plan is None:
            self._popular.fill(lists, queries, aims.allowed)
        else:
            lists = self._as_planned(plan, queries, lists, aims)
        lists.seconds.update(readings.seconds)
        lists.seconds[RANKING] = time.perf_counter() - started - sum(lists.seconds.values())
        return lists

    def _as_planned(self, plan: Plan, queries: Queries, lists: Recommendations, aims: Aims) -> Recommendations:
        """The lists as a policy wants them, with what it did to them."""
        if plan.arrangement is None:
            self._popular.fill(lists, queries, aims.allowed)
            lists = replace(lists, moves=Moves.none(plan.rules, lists.items))
        else:
            lists = self._arranged(plan, plan.arrangement, queries, lists, aims)
        short = _lengths(lists) < aims.k
        if lists.moves is None:
            return lists
        lists.moves.shortened_by[:] |= plan.restricting & short[:, None]
        lists.moves.cut[:] |= plan.restricting.any(axis=1)
        for column, items in plan.offered_by:
            lists.moves.moved_by[:, :, column] |= is_among(lists.items, items)
        return replace(lists, moves=replace(lists.moves, placing=plan.placing))

    def _arranged(
        self, plan: Plan, arrangement: Arrangement, queries: Queries, pool: Recommendations, aims: Aims
    ) -> Recommendations:
        """The lists that an arrangement makes of what was ranked, and of popular items where that is not enough.

        How many of these it sees for a list is the same whatever other lists are in the batch.
        """
        k, lengths = aims.k, _lengths(pool)
        until = np.where(lengths < k, aims.depth, lengths)
        self._popular.fill(pool, queries, aims.allowed, until)
        exhausted = _lengths(pool) < until  # it holds all of the catalogue that is allowed
        if aims.for_strangers is not None:
            pool = self._popular.joined_by(pool, aims.for_strangers)
        if aims.first is not None:
            pool = self._popular.joined_by(pool, aims.first)
            arrangement = arrangement.after(columns_of(aims.first, pool.items))
        lists = arrange(arrangement, queries, pool, k, plan.rules)
        short = np.flatnonzero((_lengths(lists) < k) & ~exhausted)
        if not len(short):
            return lists
        queries, pool = queries.select(short), pool.rows(short).widened(pool.items.shape[1] + _MORE_POPULAR)
        self._popular.fill(pool, queries, aims.allowed.select(short.tolist()), _lengths(pool) + _MORE_POPULAR)
        lists.put(short, arrange(arrangement.select(short), queries, pool, k, plan.rules))
        return lists

    def _ranked(
        self, ranker: Ranker, readings: Readings, aims: Aims
    ) -> tuple[Recommendations, Proposals, RankedCandidates]:
        """The best of all that is proposed; what each source proposed; all that was ranked.

        Who proposed them is left open: `_attributed` says so of those that make the lists.
        """
        allowed, k = aims.allowed, aims.k
        parts = propose(readings, self.proposers, k, allowed)
        unproposed = aims.unproposed
        candidates = union(parts if unproposed is None else [*parts, unproposed])
        ranked = ranker.rank(readings, candidates, aims.least, repeats=allowed.repeats, invited=aims.invited)
        width = k if aims.arrangement is None else max(aims.depth, ranked.scores.shape[1])
        items, scores, retrieval_scores, deviations = ranker.best(ranked, width)
        if self.predictor is None or deviations is None:
            ratings = self._ratings(readings, items)
        else:
            ratings = self.predictor.on_scale(deviations + np.float32(self.predictor.statistics.global_mean))
        lists = Recommendations(
            items=items,
            scores=scores,
            retrieval_scores=retrieval_scores,
            ratings=ratings,
            proposed=np.empty((*items.shape, 0), np.bool_),
            sources=self.sources,
            ranked_by=ranker.order,
            popular=np.zeros(items.shape, np.bool_),
            seconds={},
            candidates={},
        )
        return lists, dict(zip(self.sources, parts, strict=True)), ranked

    def _attributed(self, lists: Recommendations, parts: Sequence[Int32Array]) -> Recommendations:
        """The lists with who proposed their items, and how many each source proposed; `parts`: by all sources."""
        proposed, counts = proposed_by(lists.personal_items, parts, len(self.sources))
        means = (counts / max(len(lists.items), 1)).tolist()
        return replace(lists, proposed=proposed, candidates=dict(zip(self.sources, means, strict=True)))

    def _retrieved(self, readings: Readings, aims: Aims) -> tuple[Recommendations, Proposals, Candidates]:
        """The best items by the primary source, with ratings; what it proposed, and that in order."""
        lists, parts, retrieved = self._proposed(readings, self.primary, aims)
        proposed = np.zeros((*lists.items.shape, len(self.sources)), np.bool_)
        proposed[..., :1] = lists.proposed
        ratings = self._ratings(readings, lists.items)
        return replace(lists, proposed=proposed, sources=self.sources, ratings=ratings), parts, retrieved

    def _proposed(
        self, readings: Readings, source: Source, aims: Aims
    ) -> tuple[Recommendations, Proposals, Candidates]:
        """The best items by one source, which is the only one to propose; what it proposed, and that in order."""
        allowed = aims.allowed
        # Nobody else has items for what is forbidden, so that more is asked for whatever restricts the list.
        depth = allowed.depth(aims.depth, source.n_items, dropped=bool(allowed.restrictions))
        (best,) = readings.propose({source.name: depth}, exclude_seen=allowed.exclude_seen)
        kept = allowed.keep(readings.queries, best.items)
        retrieved = first_of(kept, best.scores, max(aims.depth, depth))
        # An arrangement sees as many items whatever was asked for, which others of the batch may be the reason of.
        seen = retrieved if aims.arrangement is None else first_of(retrieved.items, retrieved.scores, aims.depth)
        unproposed = aims.unproposed
        if unproposed is not None:
            own = source.score(readings.queries, unproposed)
            retrieved, seen = joined_by(retrieved, unproposed, own), joined_by(seen, unproposed, own)
        width = aims.k if aims.arrangement is None else seen.items.shape[1]
        items, scores = seen.items[:, :width].copy(), seen.scores[:, :width].copy()
        lists = Recommendations(
            items=items,
            scores=scores,
            retrieval_scores=scores.copy(),
            ratings=None,
            proposed=among_proposed(items, kept, unproposed),
            sources=(source.name,),
            ranked_by=source.name,
            popular=np.zeros(items.shape, np.bool_),
            seconds={},
            candidates={},
        )
        return lists, {source.name: kept}, retrieved

    def _ratings(self, readings: Readings, items: Int32Array) -> Float32Array | None:
        """Predicted ratings of the items, NaN beside `NO_ITEM`; None without a predictor."""
        if self.predictor is None:
            return None
        return self.predictor.predict(readings.user_vectors, readings.queries.histories, items)


def _lengths(lists: Recommendations) -> Int64Array:
    """int64 [B], how many items each list holds."""
    lengths: Int64Array = (lists.items != NO_ITEM).sum(axis=1)
    return lengths
