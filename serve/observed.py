"""The recommender with a stopwatch on its stages."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from recsys.ranking.recommender import Recommender
from recsys.retrieval.base import NO_ITEM, Candidates, Queries
from recsys.retrieval.two_tower import TwoTowerRetriever


class Stopwatch:
    """Adds up seconds by stage. For one thread at a time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.candidates: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started

    def restart(self) -> None:
        """Forget what was measured."""
        self.seconds.clear()
        self.candidates.clear()


class TimedTwoTower(TwoTowerRetriever):
    """The two-tower retriever, its query tower and its search timed apart."""

    def __init__(self, two_tower: TwoTowerRetriever, watch: Stopwatch) -> None:
        super().__init__(two_tower.tower, two_tower.item_embeddings, two_tower.index)
        self._watch = watch

    def encode(self, queries: Queries) -> NDArray[np.float32]:
        with self._watch.stage("query_tower"):
            return super().encode(queries)

    def search(
        self, vectors: NDArray[np.float32], queries: Queries, k: int, *, exclude_seen: bool = True
    ) -> Candidates:
        with self._watch.stage("ann"):
            return super().search(vectors, queries, k, exclude_seen=exclude_seen)


@dataclass(frozen=True)
class ObservedRecommender(Recommender):
    """A recommender that notes how long its stages took and how many candidates they gave."""

    watch: Stopwatch = field(default_factory=Stopwatch)

    @classmethod
    def of(cls, recommender: Recommender) -> ObservedRecommender:
        """The same recommender, observed."""
        watch = Stopwatch()
        parts = {part.name: getattr(recommender, part.name) for part in fields(recommender)}
        return cls(**{**parts, "retriever": TimedTwoTower(recommender.retriever, watch)}, watch=watch)

    def propose(
        self, queries: Queries, vectors: NDArray[np.float32], k: int, *, exclude_seen: bool = True
    ) -> list[NDArray[np.int32]]:
        found = super().propose(queries, vectors, k, exclude_seen=exclude_seen)
        for source, items in zip(self.sources, found, strict=True):
            self.watch.candidates[source] = float((items != NO_ITEM).sum()) / max(len(items), 1)
        return found
