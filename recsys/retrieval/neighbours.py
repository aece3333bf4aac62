"""Item neighbours: what resembles the items of the history, the recent ones most. Scoring with NumPy alone.

Item-based k nearest neighbours after Deshpande & Karypis, "Item-based top-N recommendation algorithms"
(TOIS 2004), with a recency decay. `recsys.retrieval.neighbours_fit` computes the neighbour lists.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories
from recsys.retrieval.base import NO_ITEM, Candidates, Queries
from recsys.retrieval.exact import BLOCK_ENTRIES, is_seen, top_k_sparse


class ItemNeighbours:
    """Sums the similarities of each history item's neighbours, damped by `decay` for every step back.

    score(j) = sum over history positions p (0 = latest) of weight_p * decay^p * similarity(item_p, j).
    Items that are nobody's neighbour in the history, and queries with an empty history, have no score.

    Attributes:
        neighbours: int32 [N, K], the most similar items of each item; `NO_ITEM` pads on the right.
        similarities: float32 [N, K], 0 beside padding.
        decay: in (0, 1]; 1 gives old and new items of the history the same say.
    """

    name = "item_neighbours"

    def __init__(self, neighbours: NDArray[np.int32], similarities: NDArray[np.float32], decay: float = 1.0) -> None:
        if not 0 < decay <= 1:
            raise ValueError(f"decay must lie in (0, 1], got {decay}")
        self.neighbours, self.similarities, self.decay = neighbours, similarities, decay

    @property
    def n_items(self) -> int:
        return len(self.neighbours)

    def with_decay(self, decay: float) -> Self:
        """The same neighbour lists with another recency decay."""
        return type(self)(self.neighbours, self.similarities, decay)

    def scores(self, queries: Queries) -> NDArray[np.float32]:
        dense = np.full((len(queries), self.n_items), -np.inf, np.float32)
        for place, block in queries.blocks(self._block_rows(queries.histories)):
            rows, items, scores = self._sparse_scores(block.histories)
            dense[place][rows, items] = scores
        return dense

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        found = Candidates.none(len(queries), k)
        for place, block in queries.blocks(self._block_rows(queries.histories)):
            rows, items, scores = self._sparse_scores(block.histories)
            if exclude_seen:
                fresh = ~is_seen(items, rows, block.histories)
                rows, items, scores = rows[fresh], items[fresh], scores[fresh]
            best = top_k_sparse(rows, items, scores, len(block), k)
            found.items[place] = best.items
            found.scores[place] = best.scores
        return found

    def _block_rows(self, histories: Histories) -> int:
        """Queries at a time so that the neighbours of all their history items fit in a block."""
        longest = max(int(histories.lengths.max(initial=0)), 1)
        width: int = max(self.neighbours.shape[1], 1)
        return max(1, BLOCK_ENTRIES // 8 // (longest * width))

    def _sparse_scores(self, histories: Histories) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Query rows [S], item rows [S] and scores [S] of all scored pairs, sorted by query and item."""
        query = np.repeat(np.arange(len(histories)), histories.lengths)
        steps_back = histories.indptr[1:][query] - 1 - np.arange(len(query))
        strength = histories.weights * self.decay ** steps_back.astype(np.float64)
        neighbours = self.neighbours[histories.items]
        pairs = query[:, None] * self.n_items + neighbours
        listed = neighbours != NO_ITEM
        keys, place = np.unique(pairs[listed], return_inverse=True)
        sums = np.bincount(place, weights=(strength[:, None] * self.similarities[histories.items])[listed])
        return keys // self.n_items, keys % self.n_items, sums[: len(keys)].astype(np.float32)

    def save(self, folder: Path) -> None:
        np.save(folder / "neighbours.npy", self.neighbours)
        np.save(folder / "similarities.npy", self.similarities)
        (folder / "parameters.json").write_text(json.dumps({"decay": self.decay}), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        decay = json.loads((folder / "parameters.json").read_text("utf8"))["decay"]
        neighbours = np.load(folder / "neighbours.npy", mmap_mode="r")
        return cls(neighbours, np.load(folder / "similarities.npy", mmap_mode="r"), decay)
