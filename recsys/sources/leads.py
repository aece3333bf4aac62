"""How far items lie above a source's floor: what a hybrid adds up, of the items that have any of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.item_slots import item_slots
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array
from recsys.sources.base import Source
from recsys.sources.best_kernels import add_up
from recsys.sources.item_to_item.kernels import look_up, spread_best

FLOOR_RANK = 1000


@dataclass(frozen=True)
class Leads:
    """What lies above the floors of M sources for B queries, see `recsys.sources.hybrid.above_floor`.

    No more than `FLOOR_RANK` items of a source do, or those few that it scores, so that this is kept instead of an
    array of the whole catalogue, and is the same.

    Attributes:
        n_items: size of the catalogue.
        starts: int64 [M * B + 1], the leads of source m for query b are those from `starts[m * B + b]` on.
        items: int32 [S], item rows.
        values: float64 [S], above 0, as numbers of single precision.
        histories: of the B queries.
    """

    n_items: int
    starts: Int64Array
    items: Int32Array
    values: Float64Array
    histories: Histories

    @classmethod
    def of(cls, sources: Sequence[Source], queries: Queries) -> Self:
        """Those of sources over one catalogue; none for a query with an empty history."""
        return cls.of_best([source.best(queries, FLOOR_RANK) for source in sources], sources[0].n_items, queries)

    @classmethod
    def of_best(cls, best: Sequence[Candidates], n_items: int, queries: Queries) -> Self:
        """Of what `Source.best` gave of each source: its `FLOOR_RANK` first items."""
        counts: list[NDArray[np.intp]] = []
        items, values = [np.zeros(0, np.int32)], [np.zeros(0, np.float64)]
        strangers = queries.histories.lengths == 0
        for candidates in best:
            leads = above_last(candidates)
            leads[strangers] = 0
            above = leads > 0
            counts.append(above.sum(axis=1))
            items.append(candidates.items[above])
            values.append(leads[above].astype(np.float64))
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(counts), dtype=np.int64)])
        return cls(n_items, starts, np.concatenate(items), np.concatenate(values), queries.histories)

    @property
    def n_sources(self) -> int:
        """M."""
        return (len(self.starts) - 1) // max(len(self.histories), 1)

    def added_up(self, weights: NDArray[np.floating]) -> Leads:
        """The weighted sum as one source's, weights float [M]; in the order of the sources, in single precision."""
        starts = np.zeros(len(self.histories) + 1, np.int64)
        items, sums = np.empty_like(self.items), np.empty_like(self.values)
        table = item_slots.of(self.n_items)
        add_up(self.starts, self.items, self.values, weights.astype(np.float32), table, starts, items, sums)
        return Leads(self.n_items, starts, items[: starts[-1]], sums[: starts[-1]], self.histories)

    def best(self, k: int, *, exclude_seen: bool) -> list[Candidates]:
        """The k items of the highest leads of each source, without those of the history if `exclude_seen`."""
        shape = self.n_sources, len(self.histories), k
        items, scores = np.empty(shape, np.int32), np.empty(shape, np.float32)
        indptr, table = self.histories.indptr, item_slots.of(self.n_items)
        left_out = indptr if exclude_seen else np.zeros_like(indptr)
        spread_best(self.starts, self.items, self.values, left_out, self.histories.items, table, items, scores)
        return [Candidates(items[source], scores[source]) for source in range(len(items))]

    def of_items(self, items: Int32Array) -> Float32Array:
        """float32 [M, B, C], the leads of items int32 [B, C]; 0 where there is none, and beside `NO_ITEM`."""
        leads = np.empty((self.n_sources, *items.shape), np.float32)
        rows, table = np.arange(self.n_sources), item_slots.of(self.n_items)
        look_up(self.starts, self.items, self.values, rows, rows, table, items, leads)
        return leads


def above_last(best: Candidates) -> Float32Array:
    """Of each query's `FLOOR_RANK` best items float32 [B, K]: how far each lies above the floor, at least 0.

    The floor is the score of the last of them; if there are fewer, the lowest, or 0 if that is lower.
    """
    scores, real = best.scores, best.items != NO_ITEM
    lowest = np.where(real, scores, np.inf).min(axis=1, initial=np.inf)
    floors = np.where(real.sum(axis=1) < FLOOR_RANK, np.minimum(lowest, 0), lowest).astype(np.float32)
    leads: Float32Array = np.maximum(scores - floors[:, None], np.float32(0))
    return leads
