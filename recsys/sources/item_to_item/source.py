"""Item-to-item sources: what goes with the items of the history, the recent ones most.

Item-based k nearest neighbours after Deshpande & Karypis, "Item-based top-N recommendation algorithms"
(TOIS 2004), with a recency decay. What "goes with" means is up to the `*_fit` modules, which compute the
lists: bought by the same users, bought next, weighted by EASE, or of similar text.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.half import halves
from recsys.core.histories import Histories
from recsys.core.item_slots import item_slots
from recsys.core.parameters import Parameters, Positive, Share, read_parameters
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.stored_arrays import read_array, require_range
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array
from recsys.sources.base import Reading, SimilarBy, Source, scores_of
from recsys.sources.item_to_item.kernels import look_up, spread, spread_best, write_spread
from recsys.sources.new_items import NewItems
from recsys.sources.shares import Shares


class NeighbourReading(Reading):
    """What all neighbour lists say of a batch, read in one pass: candidates and scores come from the same sums."""

    together = True
    sources: Sequence[ItemToItem]

    @cached_property
    def sums(self) -> tuple[Int64Array, Int32Array, Float64Array]:
        """What the R sources say of the B queries, see `_sums`."""
        return _sums(self.sources, self.queries.histories)

    def propose(self, slots: Sequence[int], depths: Sequence[int], *, exclude_seen: bool) -> list[Candidates]:
        histories = self.queries.histories
        shape = max(slots) + 1, len(self.queries), max(depths)
        items, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
        seen = histories.indptr if exclude_seen else np.zeros_like(histories.indptr)
        spread_best(*self.sums, seen, histories.items, self._table, items, scores)
        return [
            Candidates(items[slot, :, :depth], scores[slot, :, :depth])
            for slot, depth in zip(slots, depths, strict=True)
        ]

    def write_scores(self, slots: Int64Array, rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        look_up(*self.sums, slots, rows, self._table, items, scores)

    def write_last_scores(self, slots: Int64Array, rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        sums = _sums([self.sources[slot] for slot in slots], self.queries.histories.last(1))
        look_up(*sums, np.arange(len(slots)), rows, self._table, items, scores)

    @property
    def _table(self) -> Int32Array:
        return item_slots.of(self.sources[0].n_items)


class ItemToItem(Source):
    """Sums the similarities of each history item's neighbours, damped by `decay` for every step back.

    score(j) = sum over history positions p (0 = latest) of weight_p * decay^p * similarity(item_p, j).
    Items that are nobody's neighbour in the history, and queries with an empty history, have no score.

    Attributes:
        name: what the lists hold, such as "transitions".
        neighbours: int32 [N, K], the most similar items of each item; `NO_ITEM` pads on the right.
        scaled: float16 [N, K], similarities divided by `scale`: half precision ranks as well in half of the memory.
        scale: a power of two by which the largest similarity comes near the end of half precision's range.
        decay: in (0, 1]; 1 gives old and new items of the history the same say.
        similar_by: what the lists were fitted on.
        support: uint16 [N, K], how many users of the training data stand behind each entry, 65,535 at most, see
            `recsys.sources.item_to_item.support`; 0 beside padding. None: nobody has counted, as of lists fitted on
            content.
    """

    kind = "item_to_item"
    reading = NeighbourReading
    similar_by: SimilarBy

    def __init__(
        self,
        name: str,
        neighbours: Int32Array,
        similarities: NDArray[np.floating],
        decay: float = 1.0,
        *,
        scale: float | None = None,
        similar_by: SimilarBy = "behaviour",
        support: UInt16Array | None = None,
        measured: Mapping[str, float] | None = None,
    ) -> None:
        """Lists of given similarities.

        Args:
            name, neighbours, decay, similar_by, support, measured: see above and `Source`.
            similarities: [N, K], of either sign; 0 beside padding. Divided by `scale` already if that is given.
            scale: see above; None: is chosen.
        """
        if not 0 < decay <= 1:
            raise ValueError(f"decay must lie in (0, 1], got {decay}")
        if scale is None:
            scale = _scale(similarities)
            similarities = similarities.astype(np.float64) / scale
        self.name, self.decay, self.scale, self.similar_by = name, decay, scale, similar_by
        # One layout and type, for which the kernels are compiled.
        self.neighbours = np.ascontiguousarray(neighbours, np.int32)
        self.scaled = np.ascontiguousarray(similarities, np.float16)
        self.support = None if support is None else np.ascontiguousarray(support, np.uint16)
        self.measured = measured or {}
        self._n_new = 0

    @property
    def similarities(self) -> Float32Array:
        """float32 [N, K], of either sign; 0 beside padding."""
        return self.scaled.astype(np.float32) * np.float32(self.scale)

    @property
    def n_items(self) -> int:
        return len(self.neighbours) + self._n_new

    def with_new_items(self, new: NewItems) -> Self:
        """The same lists: new items have none, and are in none. In a history they count as a step back."""
        wider = copy.copy(self)
        wider._n_new = len(new)
        return wider

    def supporters(self, item: int, other: int) -> int | None:
        if self.support is None:
            return None
        if item >= len(self.support):
            return 0
        return int(self.support[item][self.neighbours[item] == other].max(initial=0))

    def why(self, queries: Queries, items: Int32Array) -> Shares:
        """Each position's share is its term of the sum, see above."""
        histories = queries.histories
        by_position = np.zeros((*items.shape, int(histories.lengths.max(initial=0))))
        for row in range(len(queries)):
            history = histories.items[histories.indptr[row] : histories.indptr[row + 1]]
            steps_back = np.arange(len(history))[::-1]
            weights = histories.weights[histories.indptr[row] : histories.indptr[row + 1]]
            listed = history < len(self.neighbours)
            history, strengths = np.where(listed, history, 0), self.scale * self.decay**steps_back * weights * listed
            alike = self.scaled[history].astype(np.float64) * strengths[:, None]
            named = self.neighbours[history][None] == items[row][:, None, None]
            by_position[row, :, : len(history)] = np.where(named, alike, 0).sum(axis=2)
        by_position[items == NO_ITEM] = 0
        return Shares.of_history(by_position)

    def with_settings(self, **settings: Any) -> Self:
        """The same lists with another `decay`, the one setting that takes no fit."""
        return self.with_decay(**settings)

    def with_decay(self, decay: float) -> Self:
        """The same neighbour lists with another recency decay."""
        return type(self)(
            self.name,
            self.neighbours,
            self.scaled,
            decay,
            scale=self.scale,
            similar_by=self.similar_by,
            support=self.support,
            measured=self.measured,
        )

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        dense = np.full((len(queries), self.n_items), -np.inf, np.float32)
        write_spread(*NeighbourReading([self], queries).sums, dense)
        return dense if items is None else scores_of(items, dense)

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return NeighbourReading([self], queries).propose([0], [k], exclude_seen=exclude_seen)[0]

    def save(self, folder: Path) -> None:
        np.save(folder / "neighbours.npy", self.neighbours)
        np.save(folder / "shares.npy", self.scaled)
        if self.support is not None:
            np.save(folder / "support.npy", self.support)
        parameters = {
            "name": self.name,
            "decay": self.decay,
            "scale": self.scale,
            "similar_by": self.similar_by,
            "counted": self.support is not None,
        }
        (folder / "parameters.json").write_text(json.dumps(parameters), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the lists stay on disk and are mapped into memory.

        Raises:
            BundleError: a file is missing, or not what `save` writes.
        """
        noted = read_parameters(folder / "parameters.json", _Noted)
        path = folder / "neighbours.npy"
        neighbours = read_array(path, np.int32, None, None)
        require_range(neighbours, path, NO_ITEM, len(neighbours) - 1)
        scaled = read_array(folder / "shares.npy", np.float16, *neighbours.shape)
        support = read_array(folder / "support.npy", np.uint16, *neighbours.shape) if noted.counted else None
        return cls(
            noted.name,
            neighbours,
            scaled,
            noted.decay,
            scale=noted.scale,
            similar_by=noted.similar_by,
            support=support,
        )


class _Noted(Parameters, frozen=True, kw_only=True):
    """See `ItemToItem`; `counted`: whether there is a file of its support."""

    name: str
    decay: Share
    scale: Positive
    similar_by: SimilarBy
    counted: bool


def _sums(sources: Sequence[ItemToItem], histories: Histories) -> tuple[Int64Array, Int32Array, Float64Array]:
    """What the neighbour lists of R sources say of B histories, each item once for a history and source.

    Returns:
        starts int64 [R * B + 1], where what source r says of history b begins, at r * B + b; items int32 [S or more]
        that have a score; their scores float64 [S or more].
    """
    most = len(histories.items) * sum(source.neighbours.shape[1] for source in sources)
    starts = np.zeros(len(sources) * len(histories) + 1, np.int64)
    items, scores = np.empty(most, np.int32), np.empty(most, np.float64)
    indptr, history, weights = histories.indptr, histories.items, histories.weights
    table = item_slots.of(sources[0].n_items)
    for n, source in enumerate(sources):
        neighbours, shares = source.neighbours, halves(source.scaled)
        scale, decay, first = source.scale, source.decay, n * len(histories)
        spread(indptr, history, weights, neighbours, shares, scale, decay, table, starts, first, items, scores)
    return starts, items, scores


def _scale(similarities: NDArray[np.floating]) -> float:
    """The power of two that brings the largest to between 2^14 and 2^15."""
    return math.ldexp(1, math.frexp(np.abs(similarities).max(initial=0))[1] - 15)
