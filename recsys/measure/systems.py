"""The systems compared in one run: what they are, and their lists under both protocols."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from recsys.bundle import Bundle
from recsys.core.errors import ConfigError
from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Int64Array
from recsys.pipeline.recommender import Recommender
from recsys.sources import registry
from recsys.sources.base import Source
from recsys.sources.exact import drop_seen, inner_products, top_k
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
        lists: Lists = {protocol: {} for protocol in protocols}

        def ask(task: tuple[str, Sequence[str]]) -> dict[str, Candidates]:
            name, wanted = task
            if name in (SYSTEM, ANN):
                return {protocol: self._ask(name, vectors, queries, k, protocol) for protocol in wanted}
            return self._ask_once(name, vectors, queries, k, wanted)

        # Approximate search and candidates depend on what is left out, so that each protocol is asked for.
        tasks = [
            (name, part)
            for name in (self.names if names is None else names)
            for part in ([[protocol] for protocol in protocols] if name in (SYSTEM, ANN) else [protocols])
        ]
        # NumPy, ScaNN and ONNX Runtime leave the interpreter free while they compute.
        with ThreadPoolExecutor(_workers()) as pool:
            for (name, _), lists_of_system in zip(tasks, pool.map(ask, tasks), strict=True):
                for protocol, candidates in lists_of_system.items():
                    lists[protocol][name] = candidates
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

    def _ask_once(
        self, name: str, vectors: Float32Array, queries: Queries, k: int, protocols: Sequence[str]
    ) -> dict[str, Candidates]:
        """One search without exclusion, long enough for all protocols."""
        longer = k + int(queries.histories.lengths.max(initial=0))
        if name == EXACT:
            full = self._exact(vectors, queries, longer)
        else:
            full = self.retrievers[name].propose(queries, longer, exclude_seen=False)
        first = Candidates(full.items[:, :k], full.scores[:, :k])
        return {
            protocol: drop_seen(full, queries.histories, k) if protocol == SEEN_REMOVED else first
            for protocol in protocols
        }

    def _exact(self, vectors: Float32Array, queries: Queries, k: int) -> Candidates:
        scores = inner_products(vectors, self.two_tower.item_embeddings)
        scores[queries.histories.lengths == 0] = -np.inf
        return top_k(scores, k)


def _replaced(candidates: Candidates, rows: Int64Array, others: Candidates) -> Candidates:
    """`candidates` with the given rows from `others`."""
    items, scores = candidates.items.copy(), candidates.scores.copy()
    items[rows], scores[rows] = others.items[:, : items.shape[1]], others.scores[:, : items.shape[1]]
    return Candidates(items, scores)


def _workers() -> int:
    """Systems asked at a time: the cores at hand, few enough to bound the memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)
