"""An index and items that came after it was built: ScaNN for the ones, exact search for the others.

ScaNN can take items in by itself, but finds those that its partitions were not trained for too rarely.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.core.half import halves
from recsys.core.histories import Histories
from recsys.core.item_slots import item_slots
from recsys.core.queries import Candidates
from recsys.core.types import Float16Array, Float32Array, Int64Array
from recsys.sources.two_tower.coded_rows import CodedRows
from recsys.sources.two_tower.index import ScannIndex, left_out
from recsys.sources.two_tower.later_kernels import add_later


class GrownIndex(ScannIndex):
    """Searches N items that are indexed and M behind them, a few thousand, all of which it compares."""

    def __init__(self, index: ScannIndex, embeddings: Float16Array) -> None:
        """An index of the first N of the embeddings [N + M, D]."""
        super().__init__(index.searcher, index.parameters, embeddings)
        self._index = index
        self._later = CodedRows.of(embeddings[index.n_items :].astype(np.float32))

    def found(self, vectors: Float32Array, depth: int) -> tuple[Any, Any]:
        return self._index.found(vectors, depth)

    def search_into(
        self, best: Candidates, vectors: Float32Array, rows: Int64Array, depth: int, seen: Histories | None = None
    ) -> None:
        super().search_into(best, vectors, rows, depth, seen)
        later = self._later
        add_later(
            vectors,
            halves(self._embeddings),
            rows,
            later.codes,
            later.scales,
            later.sizes,
            later.errors,
            *left_out(seen, len(vectors)),
            item_slots.of(self.n_items),
            best.items,
            best.scores,
        )
