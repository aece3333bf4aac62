"""Matrix factorisation: a query is scored by the inner product of a user vector and item vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from recsys.core.histories import Histories
from recsys.core.parameters import Parameters, Weight, read_parameters
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.stored_arrays import read_array
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from recsys.sources.base import ReadingAlone, Source
from recsys.sources.exact import BLOCK_ENTRIES, best_in_parts
from recsys.sources.factors.fold_in import FoldIn
from recsys.sources.factors.kernels import dots, write_means
from recsys.sources.factors.rows import rows_of
from recsys.sources.new_items import NewItems
from recsys.sources.shares import Shares

_QUERIES = 1024  # that are scored at a time


class FactorsReading(ReadingAlone):
    """Of one factorisation."""

    source: ImplicitFactors

    def _write(self, queries: Queries, items: Int32Array, scores: Float32Array) -> None:
        self.source.write_scores(self.source.encode(queries), items, scores)


@dataclass(eq=False)
class ImplicitFactors(Source):
    """Scores x'y + b, with x the user's vector, y the item's and b the item's bias.

    The user's vector comes from the history alone: users of the training data and new ones are treated alike, and the
    latest events count. It is found by `fold_in` (ALS), else (BPR, which has no closed form) it is the mean of the
    history's item vectors by weight. On Beauty and on CDs that mean ranks validation better than the user vectors that
    BPR trained, and spares keeping them.

    An item that training never saw (a zero vector) has no score. Neither has a query with an empty history, nor one
    whose history holds no other than such items.

    Attributes:
        name: "als" or "bpr".
        item_factors: float32 [N, D].
        item_bias: float32 [N], or None for none.
        fold_in: finds user vectors; None: the mean.
        n_new: M, items of the catalogue in the rows behind those N; training never saw them.
    """

    kind = "factors"
    reading = FactorsReading
    scans = True

    name: str
    item_factors: Float32Array
    item_bias: Float32Array | None = None
    fold_in: FoldIn | None = None
    n_new: int = 0

    @property
    def n_items(self) -> int:
        return len(self.item_factors) + self.n_new

    def with_new_items(self, new: NewItems) -> Self:
        return replace(self, n_new=len(new))

    def encode(self, queries: Queries) -> Float64Array:
        """User vectors, float64 [B, D]; zero for an empty history."""
        histories, width = queries.histories, self.item_factors.shape[1]
        most = BLOCK_ENTRIES // 4 // max(width, 1)
        if self.fold_in is not None and len(histories.items) <= most:
            return self.fold_in.solve(histories, self.item_factors, self.n_items)
        vectors = np.zeros((len(histories), width))
        if self.fold_in is None:
            write_means(histories.indptr, histories.items, histories.weights, self.item_factors, vectors)
            return vectors
        for block in _blocks(histories, most):
            vectors[block] = self.fold_in.solve(histories.select(block), self.item_factors, self.n_items)
        return vectors

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        vectors = self.encode(queries)
        if items is None:
            return self._score_all(vectors)
        scores = np.empty(items.shape, np.float32)
        self.write_scores(vectors, items, scores)
        scores[~self._scored(vectors, items)] = -np.inf
        return scores

    def _score_all(self, vectors: Float64Array) -> Float32Array:
        """float32 [B, N]."""
        scores = np.empty((len(vectors), self.n_items), np.float32)
        step = max(1, BLOCK_ENTRIES // 4 // max(self.item_factors.shape[1], 1))
        for start in range(0, self.n_items, step):
            self._write_part(vectors, start, scores[:, start : start + step])
        scores[~vectors.any(axis=1)] = -np.inf
        return scores

    def _write_part(self, vectors: Float64Array, first: int, scores: Float32Array) -> None:
        """Write the scores float32 [B, W] of the items from row `first` on; -inf where there is none."""
        part = slice(first, first + scores.shape[1])
        factors = self.item_factors[part]
        # Items that the same few users took have all but equal factors. In float32 the rounding of the product,
        # which varies with the size of a batch, would decide between them.
        products = vectors @ factors.T.astype(np.float64)
        own = scores[:, : len(factors)]
        own[:] = products if self.item_bias is None else products + self.item_bias[part]
        own[:, ~factors.any(axis=1)] = -np.inf
        scores[:, len(factors) :] = -np.inf

    def write_scores(self, vectors: Float64Array, items: Int32Array, scores: Float32Array) -> None:
        """Write the scores of items int32 [B, C] for user vectors [B, D], 0 where there is none."""
        dots(vectors, self.item_factors, items, scores)
        if self.item_bias is not None:
            scores += np.where(self._scored(vectors, items), rows_of(self.item_bias, items), np.float32(0))

    def _scored(self, vectors: Float64Array, items: Int32Array) -> BoolArray:
        """Whether there is a score of each of the items, bool [B, C]."""
        users = np.asarray(vectors.any(axis=1))[:, None]
        scored: BoolArray = users & (items != NO_ITEM) & rows_of(self.item_factors, items).any(axis=2)
        return scored

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        best = Candidates.none(len(queries), k)
        for rows, block in queries.blocks(_QUERIES):
            vectors = self.encode(block)
            write = partial(self._write_part, vectors)
            seen = block.histories if exclude_seen else None
            found = best_in_parts(write, len(block), self.n_items, k, seen)
            known = vectors.any(axis=1)
            best.items[rows][known], best.scores[rows][known] = found.items[known], found.scores[known]
        return best

    def why(self, queries: Queries, items: Int32Array) -> Shares:
        """A position's share is the inner product with its part of the user's vector; an item's bias is the rest."""
        histories = queries.histories
        by_position = np.zeros((*items.shape, int(histories.lengths.max(initial=0))))
        scored = self._scored(self.encode(queries), items)
        for row in range(len(queries)):
            history = slice(histories.indptr[row], histories.indptr[row + 1])
            parts = self._parts(histories.items[history], histories.weights[history].astype(np.float64))
            by_position[row, :, : len(parts)] = rows_of(self.item_factors, items[row]).astype(np.float64) @ parts.T
        by_position[~scored] = 0
        bias = (
            None if self.item_bias is None else np.where(scored, rows_of(self.item_bias, items), 0).astype(np.float64)
        )
        return Shares.of_history(by_position, bias)

    def _parts(self, items: Int32Array, weights: Float64Array) -> Float64Array:
        """What each interaction of a history [L] adds to the user's vector: float64 [L, D]."""
        factors = rows_of(self.item_factors, items).astype(np.float64)
        if self.fold_in is not None:
            return self.fold_in.parts(items, weights, factors)
        return np.asarray(factors * (weights / max(weights.sum(), 1e-300))[:, None])

    def save(self, folder: Path) -> None:
        parameters: dict[str, Any] = {"name": self.name}
        np.save(folder / "item_factors.npy", self.item_factors)
        if self.item_bias is not None:
            np.save(folder / "item_bias.npy", self.item_bias)
        if self.fold_in is not None:
            np.save(folder / "gram.npy", self.fold_in.gram)
            parameters |= {"regularization": self.fold_in.regularization, "alpha": self.fold_in.alpha}
        (folder / "parameters.json").write_text(json.dumps(parameters), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing, or not what `save` writes.
        """
        noted = read_parameters(folder / "parameters.json", _Noted)
        factors = read_array(folder / "item_factors.npy", np.float32, None, None)
        bias, gram = folder / "item_bias.npy", folder / "gram.npy"
        fold_in = None
        if noted.regularization is not None and noted.alpha is not None:
            width = factors.shape[1]
            fold_in = FoldIn(read_array(gram, np.float64, width, width), noted.regularization, noted.alpha)
        item_bias = read_array(bias, np.float32, len(factors)) if bias.is_file() else None
        return cls(noted.name, factors, item_bias, fold_in)


class _Noted(Parameters, frozen=True, kw_only=True):
    """Name of the source, and the numbers of its `FoldIn` if it has one."""

    name: str
    regularization: Weight | None = None
    alpha: Weight | None = None


def _blocks(histories: Histories, most: int) -> Iterator[Int64Array]:
    """Rows of consecutive histories with at most so many interactions, unless one alone has more."""
    start = 0
    while start < len(histories):
        fitting = int(np.searchsorted(histories.indptr, histories.indptr[start] + most, "right")) - 1
        stop = max(fitting, start + 1)
        yield np.arange(start, stop)
        start = stop
