"""Item-to-item retrieval: what goes with the items of the history, the recent ones most.

Item-based k nearest neighbours after Deshpande & Karypis, "Item-based top-N recommendation algorithms"
(TOIS 2004), with a recency decay. What "goes with" means is up to the `*_fit` modules, which compute the
lists: bought by the same users, bought next, weighted by EASE, or of similar text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.arrays import mapped
from recsys.dataset.histories import Histories
from recsys.retrieval.base import Candidates, Queries
from recsys.retrieval.kernels import look_up, spread, spread_best, write_spread
from recsys.retrieval.places import places

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Spread:
    """What lists of neighbours say of B histories: proposals and scores come from the same sums.

    Attributes:
        n_items: size of the catalogue.
        histories: of the B queries.
        indptr: int64 [B + 1], query b owns the slice `indptr[b]:indptr[b + 1]` of what follows.
        items: int32 [S], items with a score, each once a query.
        sums: float64 [S], their scores.
    """

    n_items: int
    histories: Histories
    indptr: Longs
    items: Ints
    sums: NDArray[np.float64]

    def best(self, k: int, *, exclude_seen: bool = True) -> Candidates:
        """The k items of the highest scores, without those of the history if `exclude_seen`."""
        found = Candidates.none(len(self.histories), k)
        seen = self.histories.indptr if exclude_seen else np.zeros_like(self.histories.indptr)
        table = places.of(self.n_items)
        spread_best(self.indptr, self.items, self.sums, seen, self.histories.items, table, found.items, found.scores)
        return found

    def __call__(self, items: Ints) -> Floats:
        """Scores float32 [B, C] of the items int32 [B, C]; 0 for an item without one and beside `NO_ITEM`."""
        scores = np.empty(items.shape, np.float32)
        look_up(self.indptr, self.items, self.sums, places.of(self.n_items), items, scores)
        return scores


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
        found = self.pair_scorer(queries.histories)
        write_spread(found.indptr, found.items, found.sums, dense)
        return dense

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return self.pair_scorer(queries.histories).best(k, exclude_seen=exclude_seen)

    def pair_scorer(self, histories: Histories) -> Spread:
        lists = self.neighbours, self.similarities, places.of(self.n_items)
        found = spread(histories.indptr, histories.items, histories.weights, self.decay, *lists)
        return Spread(self.n_items, histories, *found)

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
