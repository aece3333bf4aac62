"""Item-to-item retrieval: what goes with the items of the history, the recent ones most.

Item-based k nearest neighbours after Deshpande & Karypis, "Item-based top-N recommendation algorithms"
(TOIS 2004), with a recency decay. What "goes with" means is up to the `*_fit` modules, which compute the
lists: bought by the same users, bought next, weighted by EASE, or of similar text.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.arrays import mapped
from recsys.dataset.histories import Histories
from recsys.retrieval.base import Candidates, ItemScores, Queries
from recsys.retrieval.kernels import spread_best, spread_dense, spread_score

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float32]


class _Places(threading.local):
    """The kernels' table over a catalogue, all 0 between calls. One to each thread, of the largest size asked for."""

    def __init__(self) -> None:
        self._table = np.zeros(0, np.int32)

    def of(self, n_items: int) -> NDArray[np.int32]:
        if len(self._table) < n_items:
            self._table = np.zeros(n_items, np.int32)
        return self._table


_places = _Places()


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
        self.name, self.decay = name, decay
        # One layout and type, for which the kernels are compiled.
        self.neighbours = np.ascontiguousarray(neighbours, np.int32)
        self.similarities = np.ascontiguousarray(similarities, np.float32)

    @property
    def n_items(self) -> int:
        return len(self.neighbours)

    def with_decay(self, decay: float) -> Self:
        """The same neighbour lists with another recency decay."""
        return type(self)(self.name, self.neighbours, self.similarities, decay)

    def scores(self, queries: Queries) -> NDArray[np.float32]:
        dense = np.full((len(queries), self.n_items), -np.inf, np.float32)
        spread_dense(*self._arguments(queries.histories), dense)
        return dense

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        found = Candidates.none(len(queries), k)
        spread_best(*self._arguments(queries.histories), exclude_seen, found.items, found.scores)
        return found

    def pair_scorer(self, histories: Histories) -> ItemScores:
        arguments = self._arguments(histories)

        def scores(items: NDArray[np.int32]) -> NDArray[np.float32]:
            found = np.empty(items.shape, np.float32)
            spread_score(*arguments, items, found)
            return found

        return scores

    def _arguments(self, histories: Histories) -> tuple[Longs, Ints, Floats, float, Ints, Floats, Ints]:
        """What all kernels read."""
        lists = self.neighbours, self.similarities, _places.of(self.n_items)
        return histories.indptr, histories.items, histories.weights, self.decay, *lists

    def save(self, folder: Path) -> None:
        np.save(folder / "neighbours.npy", self.neighbours)
        np.save(folder / "similarities.npy", self.similarities)
        (folder / "parameters.json").write_text(json.dumps({"name": self.name, "decay": self.decay}), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the lists stay on disk and are mapped into memory."""
        parameters = json.loads((folder / "parameters.json").read_text("utf8"))
        neighbours, similarities = mapped(folder / "neighbours.npy"), mapped(folder / "similarities.npy")
        return cls(parameters["name"], neighbours, similarities, parameters["decay"])
