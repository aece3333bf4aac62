"""The systems compared in one run: what they are, and their lists under both protocols."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from recsys.bundle import Bundle
from recsys.core.cores import available_cores
from recsys.core.errors import ConfigError
from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Int64Array
from recsys.pipeline.recommender import Recommender
from recsys.sources import registry
from recsys.sources.base import Source
from recsys.sources.exact import drop_seen
from recsys.sources.hybrid import Hybrid
from recsys.sources.leads import FLOOR_RANK, Leads
from recsys.sources.two_tower.source import TwoTowerSource

TWO_TOWER = registry.TWO_TOWER
SYSTEM, ANN, EXACT = "system", f"{TWO_TOWER}_scann", f"{TWO_TOWER}_exact"
HYBRID, BLEND, POPULARITY = registry.HYBRID, registry.BLEND, registry.FALLBACK
OURS = (SYSTEM, ANN, EXACT, HYBRID)
"""What the two-tower has a part in; every other system is a baseline."""

_MOST_WORKERS = 4

SEEN_REMOVED, NOTHING_REMOVED = "seen_removed", "nothing_removed"
PROTOCOLS = (SEEN_REMOVED, NOTHING_REMOVED)
"""Whether items of the history may be recommended: not in the first, where they are relevant neither; in the second."""


def headline_protocol(*, repeats: bool) -> str:
    """The protocol of headline figures: what lists show by default, unless users choose the same again."""
    return NOTHING_REMOVED if repeats else SEEN_REMOVED


Lists = dict[str, dict[str, Candidates]]
"""Protocol -> system -> lists."""


def baselines(names: Iterable[str]) -> list[str]:
    """Those of the systems that the two-tower has no part in."""
    return [name for name in names if name not in OURS]


class Systems:
    """All systems of a comparison, by name.

    Attributes:
        recommender: what is served.
        two_tower: the source, asked approximately and exactly.
        retrievers: the other sources by name.
    """

    def __init__(self, recommender: Recommender, two_tower: TwoTowerSource, retrievers: dict[str, Source]):
        self.recommender, self.two_tower, self.retrievers = recommender, two_tower, retrievers

    @classmethod
    def of(cls, bundle: Bundle, chosen: Collection[str] | None = None) -> Systems:
        """The whole system, the two-tower, popularity, and the bundle's other sources.

        Args:
            bundle: an open bundle.
            chosen: names of the other sources wanted; None: all.

        Raises:
            ConfigError: the bundle has no source of a chosen name.
        """
        held = [name for name in bundle.sources if name != TWO_TOWER]
        unknown = sorted(set(chosen or ()) - {*held, TWO_TOWER})
        if unknown:
            raise ConfigError(
                f"--retrievers among {', '.join(held)}", ", ".join(unknown), "name sources that the bundle holds"
            )
        wanted = [name for name in held if chosen is None or name in chosen or name == POPULARITY]
        order = [name for name in (HYBRID, BLEND) if name in wanted]
        order += [name for name in wanted if name not in order]
        return cls(bundle.recommender(), bundle.two_tower(), {name: bundle.source(name) for name in order})

    @property
    def names(self) -> list[str]:
        """All systems, our own first."""
        return [SYSTEM, ANN, EXACT, *self.retrievers]

    def rank(
        self,
        queries: Queries,
        k: int,
        names: Collection[str] | None = None,
        protocols: Sequence[str] = PROTOCOLS,
    ) -> Lists:
        """The first k items of systems for a block of queries.

        A query with an empty history gets popular items from each of them, as it does when served: a comparison is
        of who knows the users best, not of who has a policy for strangers.

        Args:
            queries: a block.
            k: length of the lists.
            names: of the systems asked; None: all.
            protocols: which are wanted.
        """
        vectors = self.two_tower.encode(queries)
        names = self.names if names is None else names
        # Approximate search and candidates depend on what is left out, so that each protocol is asked for.
        asked = [(name, protocol) for name in (SYSTEM, ANN) if name in names for protocol in protocols]
        others = [name for name in names if name not in (SYSTEM, ANN)]
        longest = k + int(queries.histories.lengths.max(initial=0))
        # NumPy, ScaNN and ONNX Runtime leave the interpreter free while they compute.
        with ThreadPoolExecutor(_workers()) as pool:
            answers = pool.map(lambda one: self._ask(one[0], vectors, queries, k, one[1]), asked)
            best = self._best(others, vectors, queries, longest, pool)
            summed = pool.map(lambda name: self._summed(name, best, queries, longest), others)
            whole = dict(zip(others, summed, strict=True))
            found = dict(zip(asked, answers, strict=True))
        for name, full in whole.items():
            for protocol in protocols:
                found[name, protocol] = _first(full, queries, k, protocol)
        lists: Lists = {protocol: {name: found[name, protocol] for name in names} for protocol in protocols}
        self._fill_strangers(lists, queries, k)
        return lists

    def _fill_strangers(self, lists: Lists, queries: Queries, k: int) -> None:
        """Give popular items to the queries with an empty history."""
        strangers = np.flatnonzero(queries.histories.lengths == 0)
        popularity = self.retrievers.get(POPULARITY)
        if not len(strangers) or popularity is None:
            return
        popular = popularity.propose(queries.select(strangers), k)
        for of_protocol in lists.values():
            for name, candidates in of_protocol.items():
                if name not in (POPULARITY, SYSTEM):
                    of_protocol[name] = _replaced(candidates, strangers, popular)

    def _ask(self, name: str, vectors: Float32Array, queries: Queries, k: int, protocol: str) -> Candidates:
        exclude = protocol == SEEN_REMOVED
        if name == ANN:
            return self.two_tower.search(vectors, queries, k, exclude_seen=exclude)
        served = self.recommender.recommend(queries, k, exclude_seen=exclude)
        return Candidates(served.items, served.scores)

    def _best(
        self, names: Sequence[str], vectors: Float32Array, queries: Queries, k: int, pool: Executor
    ) -> dict[str, Candidates]:
        """The best items of every source that is named or a member of a hybrid that is, each asked once.

        Those of members are as many as a hybrid needs. The exact two-tower is called as the source is.
        """
        hybrids = [source for name in names if isinstance(source := self.retrievers.get(name), Hybrid)]
        # A member need not be among the systems compared.
        sources = {member: source for hybrid in hybrids for member, source in hybrid.members.items()} | self.retrievers
        depths = {member: FLOOR_RANK for hybrid in hybrids for member in hybrid.members}
        for name in names:
            if not isinstance(self.retrievers.get(name), Hybrid):
                asked = TWO_TOWER if name == EXACT else name
                depths[asked] = max(depths.get(asked, 0), k)

        def ask(name: str) -> Candidates:
            if name == TWO_TOWER:
                return self.two_tower.best_of(vectors, queries, depths[name])
            return sources[name].best(queries, depths[name])

        return dict(zip(depths, pool.map(ask, depths), strict=True))

    def _summed(self, name: str, best: Mapping[str, Candidates], queries: Queries, k: int) -> Candidates:
        """The k best items of a source, or of a hybrid from what its members say."""
        source = self.retrievers.get(name)
        if not isinstance(source, Hybrid):
            return best[TWO_TOWER if name == EXACT else name]
        members = [_cut(best[member], FLOOR_RANK) for member in source.members]
        leads = Leads.of_best(members, source.n_items, queries)
        return source.sum_of(leads).best(k, exclude_seen=False)[0]


def _cut(candidates: Candidates, k: int) -> Candidates:
    """The first k of each query."""
    return Candidates(candidates.items[:, :k], candidates.scores[:, :k])


def _first(full: Candidates, queries: Queries, k: int, protocol: str) -> Candidates:
    """The first k of lists that are long enough for either protocol."""
    return drop_seen(full, queries.histories, k) if protocol == SEEN_REMOVED else _cut(full, k)


def _replaced(candidates: Candidates, rows: Int64Array, others: Candidates) -> Candidates:
    """`candidates` with the given rows from `others`."""
    items, scores = candidates.items.copy(), candidates.scores.copy()
    items[rows], scores[rows] = others.items[:, : items.shape[1]], others.scores[:, : items.shape[1]]
    return Candidates(items, scores)


def _workers() -> int:
    """Systems asked at a time: the cores at hand, few enough to bound the memory."""
    return min(available_cores(), _MOST_WORKERS)
