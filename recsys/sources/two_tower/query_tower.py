"""The user tower as the server runs it: exported to ONNX, computed by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.core.half import halves
from recsys.core.queries import Queries
from recsys.core.tower_io import QUERY_TOWER
from recsys.core.types import Float32Array, Int64Array
from recsys.sources.onnx_session import OnnxModel
from recsys.sources.two_tower.kernels import tower_inputs
from recsys.sources.two_tower.plans import plan_blocks

_BLOCK_QUERIES = 256
_SHORT_HISTORY = 24  # histories up to here are encoded together: a call costs as much as a few padded positions


class QueryTower:
    """Encodes users from the embeddings of the items in their history.

    Attributes:
        path: the ONNX file.
        max_history: most recent interactions read.
    """

    def __init__(self, path: Path, max_history: int) -> None:
        self._model = OnnxModel(path)
        self.path, self.max_history = path, max_history

    def encode(self, queries: Queries, item_embeddings: NDArray[np.floating]) -> Float32Array:
        """User vectors float32 [B, D]; zero for an empty history.

        Args:
            queries: B users.
            item_embeddings: [N, D], rounded to half precision if they are not yet.
        """
        lengths = [min(length, self.max_history) for length in queries.histories.lengths.tolist()]
        blocks = plan_blocks(lengths, _SHORT_HISTORY, _BLOCK_QUERIES)
        if len(blocks) == 1 and len(blocks[0]) == len(queries):
            return self._encode_block(queries, np.array(blocks[0], np.int64), item_embeddings)
        vectors = np.zeros((len(queries), item_embeddings.shape[1]), np.float32)
        for block in blocks:
            vectors[block] = self._encode_block(queries, np.array(block, np.int64), item_embeddings)
        return vectors

    def _encode_block(self, queries: Queries, rows: Int64Array, item_embeddings: NDArray[np.floating]) -> Float32Array:
        histories, embeddings = queries.histories, halves(item_embeddings)
        history, lengths, gaps, users = tower_inputs(
            histories.indptr, histories.items, histories.timestamps, queries.users, rows, self.max_history, embeddings
        )
        vectors = self._model(**QUERY_TOWER.named(history, lengths, gaps, users))
        self._model.require_output(vectors, (len(rows), embeddings.shape[1]))
        return vectors
