"""The two-tower source: a user vector from the query tower, searched for in the ScaNN index."""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from recsys.core.arrays import half
from recsys.core.errors import BundleError
from recsys.core.half import halves
from recsys.core.item_slots import item_slots
from recsys.core.parameters import Parameters, Positive, Share, read_parameters
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.stored_arrays import REMEDY, read_array
from recsys.core.tower_io import QUERY_TOWER
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.sources import exact
from recsys.sources.base import ReadingAlone, Source
from recsys.sources.new_items import NewItems
from recsys.sources.shares import Shares
from recsys.sources.two_tower.growing import GrowingRows
from recsys.sources.two_tower.grown_index import GrownIndex
from recsys.sources.two_tower.index import ScannIndex
from recsys.sources.two_tower.kernels import write_dots
from recsys.sources.two_tower.plans import plan_searches
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.sources.two_tower.text_match import TextMatch
from recsys.sources.two_tower.user_profiles import UserProfiles

EMBEDDINGS_FILE = "item_embeddings.npy"
INDEX_FOLDER = "scann"
PARAMETERS_FILE = "two_tower.json"


class TwoTowerReading(ReadingAlone):
    """User vectors and what was searched for with them are kept: scores of the same items need no second product."""

    def __init__(self, sources: Sequence[TwoTowerSource], queries: Queries) -> None:
        super().__init__(sources, queries)
        (self._two_tower,) = sources
        self._searched: Candidates | None = None
        self._vectors: Float32Array | None = None

    def select(self, rows: Int64Array, queries: Queries) -> Self:
        selected = super().select(rows, queries)
        selected._vectors = self.user_vectors[rows]
        return selected

    @property
    def user_vectors(self) -> Float32Array:
        if self._vectors is None:
            started = time.perf_counter()
            self._vectors = self._two_tower.encode(self.queries)
            self.seconds["query_tower"] = time.perf_counter() - started
        return self._vectors

    def propose(self, slots: Sequence[int], depths: Sequence[int], *, exclude_seen: bool) -> list[Candidates]:
        del slots  # there is but one
        vectors, (depth,) = self.user_vectors, depths
        started = time.perf_counter()
        best = self._two_tower.search(vectors, self.queries, depth, exclude_seen=exclude_seen)
        self.seconds["ann"] = time.perf_counter() - started
        self._searched = best
        return [best]

    def write_scores(self, slots: Int64Array, rows: Int64Array, items: Int32Array, scores: Float32Array) -> None:
        del slots
        for row in rows:
            self._two_tower.write_scores(self.user_vectors, items, scores[row], self._searched)

    def _write(self, queries: Queries, items: Int32Array, scores: Float32Array) -> None:
        self._two_tower.write_scores(self._two_tower.encode(queries), items, scores)


class TwoTowerSource(Source):
    """Items of the highest inner product between user and item embedding.

    `propose` searches approximately (see `ScannIndex`), `score` is exact. An item without interactions has a vector of
    its text and of what its nearest neighbours by text have learned: it needs to borrow no score.

    Attributes:
        tower: encodes users.
        item_embeddings: float16 [N, D]: half precision ranks as well and takes half of the memory.
        index: over the same embeddings.
        match: how the text part of a score is made; None: it has none.
        profiles: what users' attributes add to their vectors; None: nothing.
    """

    name = kind = "two_tower"
    reading = TwoTowerReading
    borrows = False

    def __init__(
        self,
        tower: QueryTower,
        item_embeddings: NDArray[np.floating],
        index: ScannIndex,
        match: TextMatch | None = None,
        profiles: UserProfiles | None = None,
    ) -> None:
        self.tower, self.index, self.match, self.profiles = tower, index, match, profiles
        self.item_embeddings = half(item_embeddings)

    @property
    def n_items(self) -> int:
        return len(self.item_embeddings)

    def with_new_items(self, new: NewItems) -> Self:
        """The source with the vectors of new items behind its own.

        Raises:
            ValueError: vectors of another size, or that are not finite.
        """
        if new.vectors.shape[1] != self.item_embeddings.shape[1] or not np.isfinite(new.vectors).all():
            raise ValueError(f"finite vectors of {self.item_embeddings.shape[1]} numbers, got {new.vectors.shape}")
        wider = copy.copy(self)
        wider.item_embeddings = self._growing.followed_by(half(new.vectors))
        wider.index = GrownIndex(self.index, wider.item_embeddings)
        return wider

    @cached_property
    def _growing(self) -> GrowingRows:
        return GrowingRows(self.item_embeddings)

    def encode(self, queries: Queries) -> Float32Array:
        """User vectors, float32 [B, D]; zero for an empty history."""
        vectors = self.tower.encode(queries, self.item_embeddings)
        if self.profiles is not None:
            self.profiles.add_to(vectors, queries)
        return vectors

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        vectors = self.encode(queries)
        if items is None:
            scores = exact.inner_products(vectors, self.item_embeddings)
        else:
            scores = np.empty(items.shape, np.float32)
            self.write_scores(vectors, items, scores)
            scores[items == NO_ITEM] = -np.inf
        scores[queries.histories.lengths == 0] = -np.inf
        return scores

    def write_scores(
        self, vectors: Float32Array, items: Int32Array, scores: Float32Array, searched: Candidates | None = None
    ) -> None:
        """Write the scores of items int32 [B, C] for user vectors [B, D], 0 beside `NO_ITEM`.

        Args:
            vectors, items: see above.
            scores: float32 [B, C].
            searched: items whose scores for these vectors are at hand.
        """
        searched = searched or Candidates.none(len(vectors), 0)
        at_hand = searched.items, searched.scores, item_slots.of(self.n_items)
        write_dots(vectors, halves(self.item_embeddings), items, *at_hand, scores)

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return self.search(self.encode(queries), queries, k, exclude_seen=exclude_seen)

    def best(self, queries: Queries, k: int) -> Candidates:
        return self.best_of(self.encode(queries), queries, k)

    def best_of(self, vectors: Float32Array, queries: Queries, k: int) -> Candidates:
        """As `best`, for user vectors [B, D] that `encode` gave before."""
        best = exact.search(vectors, self.item_embeddings, k)
        strangers = queries.histories.lengths == 0
        best.items[strangers], best.scores[strangers] = NO_ITEM, -np.inf
        return best

    def why(self, queries: Queries, items: Int32Array) -> Shares:
        """An interaction's share is its term of the text part; the learned part, a transformer's, is the rest.

        Interactions before the latest `max_history`, which the tower does not read, have no share.
        """
        scores = self.score(queries, items)
        if self.match is None:
            return Shares.nobodys(scores, int(queries.histories.lengths.max(initial=0)))
        histories = queries.histories
        by_position = np.zeros((*items.shape, int(histories.lengths.max(initial=0))))
        for row, length in enumerate(histories.lengths.tolist()):
            read = histories.items[histories.indptr[row] : histories.indptr[row + 1]][-self.tower.max_history :]
            shares = self.match.shares(self.item_embeddings, read, items[row])
            by_position[row, :, length - len(read) : length] = shares
        scored = np.isfinite(scores)
        by_position[~scored] = 0
        rest = np.where(scored, scores, 0) - by_position.sum(axis=2)
        return Shares.of_history(by_position, rest)

    def similar(self, item: int, k: int) -> Candidates:
        """The k items whose vectors have the highest inner product with the item's."""
        best = self.index.search(self.item_embeddings[[item]].astype(np.float32), k + 1)
        others = np.flatnonzero(best.items[0] != item)[:k]
        return Candidates(best.items[:, others], best.scores[:, others])

    def fault(self) -> str | None:
        indexed = self.index.n_items
        return None if indexed == self.n_items else f"an index of {indexed} items beside {self.n_items} embeddings"

    def search(self, vectors: Float32Array, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        """As `propose`, for user vectors [B, D] that `encode` gave before.

        To leave k unseen items, k plus the history's length are fetched, that length rounded up to what the index finds
        anyway or to a power of two: it depends on the query alone, and queries of similar length share one search.
        """
        histories = queries.histories
        spare = max(self.index.least_depth - k, 0) if exclude_seen else None
        candidates = Candidates.none(len(queries), k)
        for more, rows in plan_searches(histories.lengths.tolist(), spare).items():
            seen = histories if exclude_seen else None
            self.index.search_into(candidates, vectors, np.array(rows, np.int64), k + more, seen)
        return candidates

    def save(self, folder: Path) -> None:
        (folder / INDEX_FOLDER).mkdir()
        self.index.save(folder / INDEX_FOLDER)
        np.save(folder / EMBEDDINGS_FILE, self.item_embeddings)
        target = folder / QUERY_TOWER.onnx_file
        target.parent.mkdir(exist_ok=True)
        if not (target.exists() and target.samefile(self.tower.path)):
            shutil.copyfile(self.tower.path, target)
        match = None if self.match is None else asdict(self.match)
        parameters = {"max_history": self.tower.max_history, "match": match}
        (folder / PARAMETERS_FILE).write_text(json.dumps(parameters), "utf8")
        if self.profiles is not None:
            self.profiles.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Embeddings are memory-mapped.

        Raises:
            BundleError: a file is missing, or not what `save` writes.
        """
        noted = read_parameters(folder / PARAMETERS_FILE, _Noted)
        tower = QueryTower(folder / QUERY_TOWER.onnx_file, noted.max_history)
        embeddings = read_array(folder / EMBEDDINGS_FILE, np.float16, None, None)
        match = None
        if noted.match is not None:
            match = TextMatch(noted.match.dim, noted.match.scale, noted.match.decay)
            if match.dim > embeddings.shape[1]:
                expected = f"a text part within {embeddings.shape[1]} columns in {folder / PARAMETERS_FILE}"
                raise BundleError(expected, str(match.dim), REMEDY)
        profiles = UserProfiles.load(folder, embeddings.shape[1])
        return cls(tower, embeddings, ScannIndex.load(folder / INDEX_FOLDER, embeddings), match, profiles)


class _NotedMatch(Parameters, frozen=True, kw_only=True):
    """See `TextMatch`."""

    dim: Annotated[int, Meta(ge=1)]
    scale: Positive
    decay: Share


class _Noted(Parameters, frozen=True, kw_only=True):
    """See `QueryTower`, and the text part of scores: null where there is none."""

    max_history: Annotated[int, Meta(ge=1, le=100_000)]
    match: _NotedMatch | None
