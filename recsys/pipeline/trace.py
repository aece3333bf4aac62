"""What a recommender kept on the way from a batch of queries to their lists: what explanations are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.pipeline.allow import Allowed
from recsys.pipeline.policy import Plan
from recsys.pipeline.ranker import RankedCandidates
from recsys.pipeline.recommendations import Recommendations
from recsys.sources.readings import Readings

Proposals = Mapping[str, Int32Array]


@dataclass(frozen=True)
class Trace:
    """The way of B queries, stage by stage. It depends on k: longer lists have more candidates and more finalists.

    Attributes:
        queries: the batch.
        k: length of the lists.
        allowed: what the lists may hold.
        readings: what the sources say; may be asked further questions.
        proposals: by source, what it proposed: int32 [B, its depth], best first, `NO_ITEM` in place of what
            restrictions forbid. Of an only source, without a ranker, its depth follows from k.
        ranked: all candidates, the finalists among them and their final scores; None where one source alone decides.
        retrieved: what the one source proposed, with its scores; None where there is a ranker.
        lists: exactly as `Recommender.recommend` gives them for the same batch.
        plan: what the policy wants of the lists; None: nothing.
        invited: int32 [B, W], candidates without a source that proposes them; None: there are none.
    """

    queries: Queries
    k: int
    allowed: Allowed
    readings: Readings
    proposals: Proposals
    ranked: RankedCandidates | None
    retrieved: Candidates | None
    lists: Recommendations
    plan: Plan | None = None
    invited: Int32Array | None = None

    @cached_property
    def ranking(self) -> Candidates:
        """All that was ranked, best first, before any arrangement and any filling: [B, C] with final scores."""
        if self.ranked is not None:
            return self.ranked.in_order
        return Candidates.none(len(self.queries), 0) if self.retrieved is None else self.retrieved

    def columns(self, item: int) -> Int64Array:
        """int64 [B], where the item stands in each ranking, 0 for the first; -1 where it is not ranked."""
        found = self.ranking.items == item
        return np.where(found.any(axis=1), found.argmax(axis=1), -1) if found.size else np.full(len(found), -1)

    def scores(self, item: int) -> Float32Array:
        """float32 [B], final scores of the item; NaN where it is not ranked."""
        columns = self.columns(item)
        scores = np.full(len(columns), np.nan, np.float32)
        rows = np.flatnonzero(columns >= 0)
        scores[rows] = self.ranking.scores[rows, columns[rows]]
        return scores

    def proposed(self, source: str, item: int) -> bool:
        """Whether the source proposed the item to the first query."""
        return source in self.proposals and bool((self.proposals[source][0] == item).any()) and item != NO_ITEM
