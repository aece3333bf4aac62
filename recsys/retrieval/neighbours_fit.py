"""Fit item neighbours from interactions (needs SciPy; serving needs only `recsys.retrieval.neighbours`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recsys.dataset.histories import Histories
from recsys.retrieval.exact import top_k_sparse
from recsys.retrieval.neighbours import ItemNeighbours

Weighting = Literal["bm25", "cosine"]
_BLOCK_ITEMS = 1024


def fit_neighbours(
    histories: Histories,
    n_items: int,
    *,
    weighting: Weighting = "bm25",
    k: int = 100,
    k1: float = 1.2,
    b: float = 0.2,
    decay: float = 1.0,
    progress: Callable[[int], None] | None = None,
) -> ItemNeighbours:
    """Neighbour lists from the interactions of all users.

    The item-user matrix of event weights X [N, U] is weighted row by row; the similarity of two items is the inner
    product of their rows; each item keeps its `k` most similar ones, itself included.

    Args:
        histories: training interactions, row u is user u.
        n_items: size of the catalogue.
        weighting: see `bm25_weights` and `cosine_weights`.
        k: length of the neighbour lists.
        k1, b: of BM25.
        decay: recency decay of the retriever.
        progress: called with the number of items finished since the last call.
    """
    matrix = _item_user_matrix(histories, n_items)
    matrix = bm25_weights(matrix, k1, b) if weighting == "bm25" else cosine_weights(matrix)
    by_user = matrix.T.tocsr()
    neighbours = np.empty((n_items, k), np.int32)
    similarities = np.empty((n_items, k), np.float32)
    for start in range(0, n_items, _BLOCK_ITEMS):
        block = (matrix[start : start + _BLOCK_ITEMS] @ by_user).tocoo()
        positive = block.data > 0
        size = min(_BLOCK_ITEMS, n_items - start)
        best = top_k_sparse(block.row[positive], block.col[positive], block.data[positive].astype(np.float32), size, k)
        neighbours[start : start + size] = best.items
        similarities[start : start + size] = np.maximum(best.scores, 0)
        if progress is not None:
            progress(size)
    return ItemNeighbours(neighbours, similarities, decay)


def bm25_weights(matrix: sparse.csr_array, k1: float, b: float) -> sparse.csr_array:
    """Okapi BM25 with items as documents and users as terms, as in the library `implicit`.

    w(i, u) = x (k1 + 1) / (x + k1 (1 - b + b * length(i) / mean length)) * idf(u), where length(i) is the sum of
    row i and idf(u) = log(N) - log(1 + number of items of u).

    Args:
        matrix: float64 [N, U], positive entries.
        k1: saturation of repeated events; 0 ignores their number.
        b: in [0, 1], how much popular items are held back.
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    lengths = np.asarray(matrix.sum(axis=1)).ravel()
    norm = 1 - b + b * lengths / max(lengths.mean(), 1e-12)
    idf = np.log(matrix.shape[0]) - np.log1p(np.bincount(matrix.indices, minlength=matrix.shape[1]))
    weighted = matrix.copy()
    weighted.data = matrix.data * (k1 + 1) / (matrix.data + k1 * norm[rows]) * idf[matrix.indices]
    return weighted


def cosine_weights(matrix: sparse.csr_array) -> sparse.csr_array:
    """Rows scaled to Euclidean length 1, so that inner products are cosines; an empty row stays."""
    norm = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    weighted = matrix.copy()
    weighted.data = matrix.data / np.repeat(norm, np.diff(matrix.indptr))
    return weighted


def _item_user_matrix(histories: Histories, n_items: int) -> sparse.csr_array:
    users: NDArray[np.int64] = np.repeat(np.arange(len(histories)), histories.lengths)
    entries = (histories.weights.astype(np.float64), (histories.items, users))
    return sparse.coo_array(entries, shape=(n_items, len(histories))).tocsr()
