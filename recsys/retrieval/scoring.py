"""What retrievers that can only score the whole catalogue share."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from recsys.retrieval.base import Candidates, Queries
from recsys.retrieval.exact import block_rows, mask_seen, top_k


class ScoringRetriever(ABC):
    """Retrieves by scoring all items, in blocks of queries: a subclass gives `scores` and `n_items`."""

    @property
    @abstractmethod
    def n_items(self) -> int: ...

    @abstractmethod
    def scores(self, queries: Queries) -> NDArray[np.float32]: ...

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        """The k best items of each query, without those in its history if `exclude_seen`."""
        found = Candidates.none(len(queries), k)
        for place, block in queries.blocks(block_rows(self.n_items)):
            scores = self.scores(block)
            if exclude_seen:
                mask_seen(scores, block.histories)
            best = top_k(scores, k)
            found.items[place] = best.items
            found.scores[place] = best.scores
        return found
