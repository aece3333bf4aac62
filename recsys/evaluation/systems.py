"""The systems compared in one run, each asked for its lists under both protocols."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.ranking.recommender import Recommender
from recsys.retrieval.base import Candidates, Queries
from recsys.retrieval.exact import drop_seen, top_k
from recsys.retrieval.neighbours import ItemNeighbours
from recsys.retrieval.popularity import Popularity

SYSTEM, ANN, EXACT = "system", "two_tower_scann", "two_tower_exact"
NEIGHBOURS, POPULARITY = "item_neighbours", "popularity"
BASELINES = (NEIGHBOURS, POPULARITY)
SYSTEMS = {
    SYSTEM: ("Whole system", "what is served: ScaNN candidates, rescored, popular items for empty histories"),
    ANN: ("Two-tower, ScaNN", "retrieval alone, approximate search"),
    EXACT: ("Two-tower, exact", "retrieval alone, exact inner products"),
    NEIGHBOURS: ("Item neighbours", "BM25 item-item similarity with recency decay, tuned on validation"),
    POPULARITY: ("Popularity", "the same most popular train items for everyone"),
}

SEEN_REMOVED, NOTHING_REMOVED = "seen_removed", "nothing_removed"
PROTOCOLS = {
    SEEN_REMOVED: "Seen items removed: items of the history are not recommended",
    NOTHING_REMOVED: "Nothing removed: items of the history compete too",
}

Lists = dict[str, dict[str, Candidates]]
"""Protocol -> system -> lists."""


@dataclass(frozen=True)
class Systems:
    """All systems of a comparison.

    Attributes:
        recommender: what is served; its retriever is the two-tower.
        popularity: the baseline, fitted on train.
        neighbours: the baseline, fitted on train.
    """

    recommender: Recommender
    popularity: Popularity
    neighbours: ItemNeighbours

    def rank(self, queries: Queries, k: int) -> Lists:
        """The first k items of every system for a block of queries."""
        retriever = self.recommender.retriever
        vectors = retriever.encode(queries)
        longer = k + int(queries.histories.lengths.max(initial=0))
        # One search without exclusion, long enough for both protocols, wherever that is exact.
        exact = {
            EXACT: self._exact(vectors, queries, longer),
            NEIGHBOURS: self.neighbours.retrieve(queries, longer, exclude_seen=False),
            POPULARITY: self._popular(queries, longer),
        }
        lists: Lists = {}
        for protocol in PROTOCOLS:
            exclude = protocol == SEEN_REMOVED
            served = self.recommender.recommend(queries, k, exclude_seen=exclude)
            lists[protocol] = {
                SYSTEM: Candidates(served.items, served.scores),
                ANN: retriever.search(vectors, queries, k, exclude_seen=exclude),
            }
        lists[NOTHING_REMOVED] |= {name: Candidates(c.items[:, :k], c.scores[:, :k]) for name, c in exact.items()}
        lists[SEEN_REMOVED] |= {name: drop_seen(c, queries.histories, k) for name, c in exact.items()}
        return lists

    def _exact(self, vectors: NDArray[np.float32], queries: Queries, k: int) -> Candidates:
        scores = vectors @ self.recommender.retriever.item_embeddings.T
        scores[queries.histories.lengths == 0] = -np.inf
        return top_k(scores, k)

    def _popular(self, queries: Queries, k: int) -> Candidates:
        """The same list for everyone, searched once."""
        found = self.popularity.retrieve(queries.select([0]), k, exclude_seen=False)
        return Candidates(np.repeat(found.items, len(queries), axis=0), np.repeat(found.scores, len(queries), axis=0))
