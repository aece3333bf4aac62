"""The user tower as the server runs it: exported to ONNX, computed by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.retrieval.base import Queries
from recsys.retrieval.onnx_session import OnnxModel

_BLOCK_QUERIES = 256
_SHORT_HISTORY = 12  # histories up to here are encoded together: a call costs as much as a few padded positions


class QueryTower:
    """Encodes users from the embeddings of the items in their history.

    Attributes:
        path: the ONNX file.
        max_history: most recent interactions read.
    """

    def __init__(self, path: Path, max_history: int, threads: int = 1) -> None:
        self._model = OnnxModel(path, threads)
        self.path, self.max_history = path, max_history

    def encode(self, queries: Queries, item_embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """User vectors float32 [B, D]; zero for an empty history.

        Args:
            queries: B users.
            item_embeddings: float32 [N, D].
        """
        vectors = np.zeros((len(queries), item_embeddings.shape[1]), np.float32)
        # By length, so that a block pads little.
        lengths = np.minimum(queries.histories.lengths, self.max_history)
        order = np.argsort(lengths, kind="stable")
        start = int(np.searchsorted(lengths[order], 1))
        while start < len(order):
            longest = max(_SHORT_HISTORY, 2 * int(lengths[order[start]]))
            fitting = int(np.searchsorted(lengths[order], longest, "right"))
            rows = order[start : min(fitting, start + _BLOCK_QUERIES)]
            vectors[rows] = self._encode_block(queries.select(rows), item_embeddings)
            start += len(rows)
        return vectors

    def _encode_block(self, queries: Queries, item_embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        recent = queries.histories.last(self.max_history)
        lengths = recent.lengths.astype(np.int32)
        filled = np.arange(int(lengths.max())) < lengths[:, None]
        history = np.zeros((*filled.shape, item_embeddings.shape[1]), np.float32)
        history[filled] = item_embeddings[recent.items]
        return self._model(
            history=history, lengths=lengths, gaps=recent.padded(recent.gaps(), 0), user=queries.users + np.int32(1)
        )
