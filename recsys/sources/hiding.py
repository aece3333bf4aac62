"""Sources in a catalogue of more items than they know: new rows are hidden from those that cannot read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.sources.base import Source
from recsys.sources.new_items import NewItems
from recsys.sources.shares import Shares


def extended(source: Source, new: NewItems) -> Source:
    """A source in a catalogue of new items beside its own; it shares all that the source holds."""
    if not len(new):
        return source
    return source.with_new_items(new) or Hiding(source, len(new))


class Hiding(Source):
    """A source from which M items behind its own N are hidden: it reads none in a history, proposes and scores none.

    Attributes:
        source: of N items, which sees rows below N alone.
    """

    def __init__(self, source: Source, n_new: int) -> None:
        self.source, self._n_new = source, n_new
        self.name, self.similar_by, self.borrows = source.name, source.similar_by, source.borrows

    @property
    def n_items(self) -> int:
        return self.source.n_items + self._n_new

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return self.source.propose(self._seen_by_source(queries), k, exclude_seen=exclude_seen)

    def best(self, queries: Queries, k: int) -> Candidates:
        return self.source.best(self._seen_by_source(queries), k)

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        queries = self._seen_by_source(queries)
        if items is not None:
            return self.source.score(queries, self._its_own(items))
        scores = np.full((len(queries), self.n_items), -np.inf, np.float32)
        scores[:, : self.source.n_items] = self.source.score(queries)
        return scores

    def why(self, queries: Queries, items: Int32Array) -> Shares:
        """The source's, at the positions that the interactions have in the whole histories."""
        shares = self.source.why(self._seen_by_source(queries), self._its_own(items))
        known, histories = self._known(queries), queries.histories
        by_position = np.zeros((*items.shape, int(histories.lengths.max(initial=0))))
        for row in range(len(queries)):
            positions = np.flatnonzero(known[histories.indptr[row] : histories.indptr[row + 1]])
            by_position[row][:, positions] = shares.by_position[row, :, : len(positions)]
        return replace(shares, by_position=by_position)

    def supporters(self, item: int, other: int) -> int | None:
        return self.source.supporters(item, other) if max(item, other) < self.source.n_items else None

    def similar(self, item: int, k: int) -> Candidates:
        return self.source.similar(item, k) if item < self.source.n_items else Candidates.none(1, k)

    def fault(self) -> str | None:
        return self.source.fault()

    def save(self, folder: Path) -> None:  # noqa: ARG002
        raise TypeError(f"{self.name} is saved without the items that are hidden from it")

    @classmethod
    def load(cls, folder: Path) -> Self:  # noqa: ARG003
        raise TypeError("a source that items are hidden from is no part of a bundle")

    def _known(self, queries: Queries) -> BoolArray:
        return np.asarray(queries.histories.items < self.source.n_items)

    def _seen_by_source(self, queries: Queries) -> Queries:
        """The queries without new items in their histories."""
        known, bought = self._known(queries), queries.bought
        if bought is not None and (others := bought.items >= self.source.n_items).any():
            bought = bought.where(~others)
        if known.all() and bought is queries.bought:
            return queries
        return replace(queries, histories=queries.histories.where(known), bought=bought)

    def _its_own(self, items: Int32Array) -> Int32Array:
        return np.where(items < self.source.n_items, items, np.int32(NO_ITEM))
