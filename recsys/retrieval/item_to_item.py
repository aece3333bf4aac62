"""Item-to-item retrieval: what goes with the items of the history, the recent ones most. Scoring with NumPy alone.

Item-based k nearest neighbours after Deshpande & Karypis, "Item-based top-N recommendation algorithms"
(TOIS 2004), with a recency decay. What "goes with" means is up to the `*_fit` modules, which compute the
lists: bought by the same users, bought next, weighted by EASE, or of similar text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories
from recsys.retrieval.base import NO_ITEM, Candidates, ItemScores, Queries
from recsys.retrieval.exact import top_k_sparse
from recsys.retrieval.pair_table import MOST_PAIRS, PairTable

_MOST_CONTRIBUTIONS = 1 << 19  # of the history items' neighbours, held for a block of queries: a few MB
_table = PairTable()


class ItemToItem:
    """Sums the similarities of each history item's neighbours, damped by `decay` for every step back.

    score(j) = sum over history positions p (0 = latest) of weight_p * decay^p * similarity(item_p, j).
    Items that are nobody's neighbour in the history, and queries with an empty history, have no score.

    Attributes:
        name: what the lists hold, such as "transitions".
        neighbours: int32 [N, K], the most similar items of each item; `NO_ITEM` pads on the right.
        similarities: float32 [N, K], of either sign; 0 beside padding.
        decay: in (0, 1]; 1 gives old and new items of the history the same say.
    """

    def __init__(
        self, name: str, neighbours: NDArray[np.int32], similarities: NDArray[np.float32], decay: float = 1.0
    ) -> None:
        if not 0 < decay <= 1:
            raise ValueError(f"decay must lie in (0, 1], got {decay}")
        self.name, self.neighbours, self.similarities, self.decay = name, neighbours, similarities, decay

    @property
    def n_items(self) -> int:
        return len(self.neighbours)

    def with_decay(self, decay: float) -> Self:
        """The same neighbour lists with another recency decay."""
        return type(self)(self.name, self.neighbours, self.similarities, decay)

    def scores(self, queries: Queries) -> NDArray[np.float32]:
        dense = np.full((len(queries), self.n_items), -np.inf, np.float32)
        flat = dense.reshape(-1)
        for place, histories in self._blocks(queries.histories):
            pairs, scores = self._scored(histories)
            flat[pairs + place.start * self.n_items] = scores
        return dense

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        found = Candidates.none(len(queries), k)
        for place, histories in self._blocks(queries.histories):
            pairs, scores = self._scored(histories, exclude_seen=exclude_seen)
            best = top_k_sparse(pairs // self.n_items, pairs % self.n_items, scores, len(histories), k)
            found.items[place] = best.items
            found.scores[place] = best.scores
        return found

    def pair_scorer(self, histories: Histories) -> ItemScores:
        blocks = [(place, block, *self._scored(block)) for place, block in self._blocks(histories)]

        def scores(items: NDArray[np.int32]) -> NDArray[np.float32]:
            found = np.zeros(items.shape, np.float32)
            for place, block, pairs, values in blocks:
                real = items[place] != NO_ITEM
                wanted = (np.arange(len(block))[:, None] * self.n_items + items[place])[real]
                at = _table.find(wanted, pairs, len(block) * self.n_items)
                found[place][real] = np.where(at >= 0, np.append(values, np.float32(0))[at], np.float32(0))
            return found

        return scores

    def _blocks(self, histories: Histories) -> Iterator[tuple[slice, Histories]]:
        """Consecutive queries whose work fits in a bounded memory, each block with its place in the batch."""
        most_rows = max(1, MOST_PAIRS // max(self.n_items, 1))
        most_positions = max(1, _MOST_CONTRIBUTIONS // max(self.neighbours.shape[1], 1))
        start, end = 0, len(histories)
        while start < end:
            fitting = int(np.searchsorted(histories.indptr, histories.indptr[start] + most_positions, "right")) - 1
            stop = min(max(fitting, start + 1), start + most_rows, end)
            whole = stop - start == end
            yield slice(start, stop), histories if whole else histories.select(np.arange(start, stop))
            start = stop

    def _contributions(self, histories: Histories) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """What each history item adds to which score: pairs query * N + item [S], by query, and values [S]."""
        strength = histories.weights * self.decay ** histories.steps_back.astype(np.float64)
        neighbours = self.neighbours[histories.items]
        listed = neighbours != NO_ITEM
        pairs = histories.rows[:, None] * self.n_items + neighbours
        return pairs[listed], (strength[:, None] * self.similarities[histories.items])[listed]

    def _scored(
        self, histories: Histories, *, exclude_seen: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The pairs query * N + item that have a score [S], by query, and their scores [S]."""
        size = len(histories) * self.n_items
        pairs, values = self._contributions(histories)
        distinct, place = _table.distinct(pairs, size)
        scores = np.bincount(place, weights=values, minlength=len(distinct)).astype(np.float32)
        if exclude_seen:
            fresh = _table.find(distinct, histories.rows * self.n_items + histories.items, size) < 0
            distinct, scores = distinct[fresh], scores[fresh]
        return distinct, scores

    def save(self, folder: Path) -> None:
        np.save(folder / "neighbours.npy", self.neighbours)
        np.save(folder / "similarities.npy", self.similarities)
        (folder / "parameters.json").write_text(json.dumps({"name": self.name, "decay": self.decay}), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the lists stay on disk and are mapped into memory."""
        parameters = json.loads((folder / "parameters.json").read_text("utf8"))
        # As plain arrays, of which small pieces are taken much faster than of a memmap.
        neighbours = np.asarray(np.load(folder / "neighbours.npy", mmap_mode="r"))
        similarities = np.asarray(np.load(folder / "similarities.npy", mmap_mode="r"))
        return cls(parameters["name"], neighbours, similarities, parameters["decay"])
