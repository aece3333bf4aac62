"""The two-tower retriever: a user vector from the query tower, searched for in the ScaNN index."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrays import half, mapped
from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array
from recsys.sources.exact import inner_products
from recsys.sources.index import ScannIndex
from recsys.sources.query_tower import QueryTower
from recsys.sources.tower_kernels import plan_searches

QUERY_TOWER_FILE = "onnx/query_tower.onnx"
EMBEDDINGS_FILE = "item_embeddings.npy"
INDEX_FOLDER = "scann"
PARAMETERS_FILE = "two_tower.json"


class TwoTowerRetriever:
    """Items of the highest inner product between user and item embedding.

    `retrieve` searches approximately (see `ScannIndex`), `scores` is exact.

    Attributes:
        tower: encodes users.
        item_embeddings: float16 [N, D]: half precision ranks as well and takes half of the memory.
        index: over the same embeddings.
    """

    name = "two_tower"

    def __init__(self, tower: QueryTower, item_embeddings: NDArray[np.floating], index: ScannIndex) -> None:
        self.tower, self.index = tower, index
        self.item_embeddings = half(item_embeddings)

    @property
    def n_items(self) -> int:
        return len(self.item_embeddings)

    def encode(self, queries: Queries) -> Float32Array:
        """User vectors, float32 [B, D]; zero for an empty history."""
        return self.tower.encode(queries, self.item_embeddings)

    def scores(self, queries: Queries) -> Float32Array:
        scores = inner_products(self.encode(queries), self.item_embeddings)
        scores[queries.histories.lengths == 0] = -np.inf
        return scores

    def retrieve(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        return self.search(self.encode(queries), queries, k, exclude_seen=exclude_seen)

    def search(self, vectors: Float32Array, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        """As `retrieve`, for user vectors [B, D] that `encode` gave before.

        To leave k unseen items, k plus the history's length are fetched, that length rounded up to what the index finds
        anyway or to a power of two: it depends on the query alone, and queries of similar length share one search.
        """
        histories = queries.histories
        rows, ends, extra = plan_searches(histories.indptr, exclude_seen, max(self.index.least_depth - k, 0))
        found = Candidates.none(len(queries), k)
        start = 0
        for end, size in zip(ends.tolist(), extra.tolist(), strict=True):
            seen = histories if exclude_seen else None
            self.index.search_into(found, vectors, rows[start:end], k + size, seen)
            start = end
        return found

    def save(self, folder: Path) -> None:
        (folder / INDEX_FOLDER).mkdir()
        self.index.save(folder / INDEX_FOLDER)
        np.save(folder / EMBEDDINGS_FILE, self.item_embeddings)
        target = folder / QUERY_TOWER_FILE
        target.parent.mkdir(exist_ok=True)
        if not (target.exists() and target.samefile(self.tower.path)):
            shutil.copyfile(self.tower.path, target)
        parameters = {"max_history": self.tower.max_history}
        (folder / PARAMETERS_FILE).write_text(json.dumps(parameters), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Embeddings are memory-mapped."""
        parameters = json.loads((folder / PARAMETERS_FILE).read_text("utf8"))
        tower = QueryTower(folder / QUERY_TOWER_FILE, parameters["max_history"])
        embeddings = mapped(folder / EMBEDDINGS_FILE)
        return cls(tower, embeddings, ScannIndex.load(folder / INDEX_FOLDER, embeddings))
