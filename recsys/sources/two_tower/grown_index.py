"""An index and items that came after it was built: ScaNN for the ones, exact search for the others.

ScaNN can take items in by itself, but finds those that its partitions were not trained for too rarely.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.core.types import Float16Array, Float32Array
from recsys.sources.two_tower.index import ScannIndex

# Which of equal items are found may follow from rounding, which varies with the size of a batch: so many more make sure
# that it decides about none that is wanted.
_SPARE = 16


class GrownIndex(ScannIndex):
    """Searches N items that are indexed and M behind them, a few thousand, all of which it compares."""

    def __init__(self, index: ScannIndex, embeddings: Float16Array) -> None:
        """An index of the first N of the embeddings [N + M, D]."""
        super().__init__(index.searcher, index.parameters, embeddings)
        self._index = index
        self._later = embeddings[index.n_items :].astype(np.float32)

    def found(self, vectors: Float32Array, depth: int) -> tuple[Any, Any]:
        items, scores = self._index.found(vectors, depth)
        products = vectors @ self._later.T
        count = min(depth + _SPARE, products.shape[1])
        best = np.argpartition(products, -count, axis=1)[:, -count:] if count < products.shape[1] else _all(products)
        later = (best + self._index.n_items).astype(items.dtype)
        scores = np.concatenate([scores, np.take_along_axis(products, best, axis=1)], axis=1)
        return np.concatenate([items, later], axis=1), scores


def _all(products: Float32Array) -> Any:
    return np.broadcast_to(np.arange(products.shape[1]), products.shape)
