"""Item-to-item retrieval: what goes with the items of the history, the recent ones most.

Item-based k nearest neighbours after Deshpande & Karypis, "Item-based top-N recommendation algorithms"
(TOIS 2004), with a recency decay. What "goes with" means is up to the `*_fit` modules, which compute the
lists: bought by the same users, bought next, weighted by EASE, or of similar text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import mapped
from recsys.core.compiled import halves
from recsys.core.histories import Histories
from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array
from recsys.sources.base import ItemScores
from recsys.sources.kernels import look_up, look_up_last, spread, spread_best, write_spread
from recsys.sources.places import places


class ItemToItem:
    """Sums the similarities of each history item's neighbours, damped by `decay` for every step back.

    score(j) = sum over history positions p (0 = latest) of weight_p * decay^p * similarity(item_p, j).
    Items that are nobody's neighbour in the history, and queries with an empty history, have no score.

    Attributes:
        name: what the lists hold, such as "transitions".
        neighbours: int32 [N, K], the most similar items of each item; `NO_ITEM` pads on the right.
        shares: float16 [N, K], similarities divided by `scale`: half precision ranks as well in half of the memory.
        scale: a power of two by which the largest similarity comes near the end of half precision's range.
        decay: in (0, 1]; 1 gives old and new items of the history the same say.
    """

    def __init__(
        self,
        name: str,
        neighbours: Int32Array,
        similarities: NDArray[np.floating],
        decay: float = 1.0,
        *,
        scale: float | None = None,
    ) -> None:
        """Lists of given similarities.

        Args:
            name, neighbours, decay: see above.
            similarities: [N, K], of either sign; 0 beside padding. Divided by `scale` already if that is given.
            scale: see above; None: is chosen.
        """
        if not 0 < decay <= 1:
            raise ValueError(f"decay must lie in (0, 1], got {decay}")
        if scale is None:
            scale = _scale(similarities)
            similarities = similarities.astype(np.float64) / scale
        self.name, self.decay, self.scale = name, decay, scale
        # One layout and type, for which the kernels are compiled.
        self.neighbours = np.ascontiguousarray(neighbours, np.int32)
        self.shares = np.ascontiguousarray(similarities, np.float16)

    @property
    def similarities(self) -> Float32Array:
        """float32 [N, K], of either sign; 0 beside padding."""
        return self.shares.astype(np.float32) * np.float32(self.scale)

    @property
    def n_items(self) -> int:
        return len(self.neighbours)

    def with_decay(self, decay: float) -> Self:
        """The same neighbour lists with another recency decay."""
        return type(self)(self.name, self.neighbours, self.shares, decay, scale=self.scale)

    def scores(self, queries: Queries) -> Float32Array:
        dense = np.full((len(queries), self.n_items), -np.inf, np.float32)
        found = Spreads.of([self], queries.histories)
        write_spread(found.starts, found.items, found.sums, dense)
        return dense

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        best = Spreads.of([self], queries.histories).best(1, k, exclude_seen=exclude_seen)
        return Candidates(best.items[0], best.scores[0])

    def pair_scorer(self, histories: Histories) -> ItemScores:
        found = Spreads.of([self], histories)

        def scores(items: Int32Array) -> Float32Array:
            written = np.empty(items.shape, np.float32)
            found.write([self], np.zeros(1, np.int64), items, written[None])
            return written

        return scores

    def save(self, folder: Path) -> None:
        np.save(folder / "neighbours.npy", self.neighbours)
        np.save(folder / "shares.npy", self.shares)
        parameters = {"name": self.name, "decay": self.decay, "scale": self.scale}
        (folder / "parameters.json").write_text(json.dumps(parameters), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the lists stay on disk and are mapped into memory."""
        parameters = json.loads((folder / "parameters.json").read_text("utf8"))
        neighbours, shares = mapped(folder / "neighbours.npy"), mapped(folder / "shares.npy")
        return cls(parameters["name"], neighbours, shares, parameters["decay"], scale=parameters["scale"])


@dataclass(frozen=True)
class Spreads:
    """What the neighbour lists of R retrievers say of B histories: proposals and scores come from the same sums.

    Attributes:
        members: the retrievers, of one catalogue.
        histories: of the B queries.
        starts: int64 [B * R + 1], where what member r says of query b begins in what follows, at b * R + r.
        items: int32 [S], items with a score, each once for a query and member.
        sums: float64 [S], their scores.
    """

    members: Sequence[ItemToItem]
    histories: Histories
    starts: Int64Array
    items: Int32Array
    sums: Float64Array

    @classmethod
    def of(cls, members: Sequence[ItemToItem], histories: Histories) -> Self:
        """Read the lists; there is at least one member."""
        known = histories.indptr, histories.items, histories.weights
        decays = np.array([member.decay for member in members])
        return cls(members, histories, *spread(*known, *_lists(members), decays, places.of(members[0].n_items)))

    def best(self, first: int, k: int, *, exclude_seen: bool = True) -> Candidates:
        """The k items of the highest scores by each of the `first` members, [first, B, k].

        Without those of the history if `exclude_seen`.
        """
        shape = first, len(self.histories), k
        items, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
        seen = self.histories.indptr if exclude_seen else np.zeros_like(self.histories.indptr)
        table = places.of(self.members[0].n_items)
        spread_best(self.starts, self.items, self.sums, seen, self.histories.items, table, items, scores)
        return Candidates(items, scores)

    def knows(self, members: Sequence[ItemToItem]) -> bool:
        """Whether all of these are among the members."""
        return all(any(member is known for known in self.members) for member in members)

    def write(self, members: Sequence[ItemToItem], rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        """Write the members' scores of the items [B, C] into `scores` [..., B, C], 0 for an item without one.

        Args:
            members: those whose scores are wanted.
            rows: int64, the row of `scores` for each of them.
            items: int32 [B, C], padded with `NO_ITEM`.
            scores: see above.
        """
        chosen = np.array([next(n for n, known in enumerate(self.members) if known is member) for member in members])
        table = places.of(self.members[0].n_items)
        look_up(self.starts, self.items, self.sums, chosen, rows, table, items, scores)


def write_last(
    members: Sequence[ItemToItem], histories: Histories, rows: Int64Array, items: Int32Array, scores: Float32Array
) -> None:
    """As `Spreads.write`, what each history's last item alone says."""
    known = histories.indptr, histories.items, histories.weights
    look_up_last(*known, *_lists(members), rows, places.of(members[0].n_items), items, scores)


def _lists(
    members: Sequence[ItemToItem],
) -> tuple[tuple[Int32Array, ...], tuple[UInt16Array, ...], Float64Array]:
    """Neighbours, shares and scales, as kernels take them."""
    return (
        tuple(member.neighbours for member in members),
        tuple(halves(member.shares) for member in members),
        np.array([member.scale for member in members]),
    )


def _scale(similarities: NDArray[np.floating]) -> float:
    """The power of two that brings the largest to between 2^14 and 2^15."""
    return math.ldexp(1, math.frexp(np.abs(similarities).max(initial=0))[1] - 15)
