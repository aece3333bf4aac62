"""Fit item neighbours from interactions (needs SciPy; serving does not)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recsys.core.cores import available_cores
from recsys.core.histories import Histories
from recsys.core.queries import Candidates
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.sources.exact import top_k
from recsys.sources.fitting import Fit, FitData
from recsys.sources.interactions import user_item_matrix
from recsys.sources.item_to_item.fit_kernels import best_products
from recsys.sources.item_to_item.settings import NeighbourSettings
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.support import chosen_both

Weighting = Literal["bm25", "cosine", "cooccurrence"]
_BLOCK_ITEMS = 1024
_BLOCK_PAIRS = 1 << 24  # similarities held at a time, at most: 200 MB


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
) -> ItemToItem:
    """Neighbour lists from the interactions of all users.

    The item-user matrix of event weights X [N, U] is weighted row by row; the similarity of two items is the inner
    product of their rows; each item keeps its `k` most similar ones, itself included.

    Args:
        histories: training interactions, row u is user u.
        n_items: size of the catalogue.
        weighting: "bm25" and "cosine" as in `bm25_weights` and `cosine_weights`. "cooccurrence" takes X as it is: the
            number of users who have both items, each counted by the product of their event weights.
        k: length of the neighbour lists.
        k1, b: of BM25.
        decay: recency decay of the source.
        progress: called with the number of items finished since the last call.
    """
    matrix = user_item_matrix(histories, n_items).T.tocsr()
    if weighting == "bm25":
        matrix = bm25_weights(matrix, k1, b)
    elif weighting == "cosine":
        matrix = cosine_weights(matrix)
    lists = product_lists(matrix, k, progress)
    return ItemToItem(f"neighbours_{weighting}", *lists, decay, support=chosen_both(histories, lists[0]))


def product_lists(
    matrix: sparse.csr_array, k: int, progress: Callable[[int], None] | None = None, *, itself: bool = True
) -> tuple[Int32Array, Float32Array]:
    """As `neighbour_lists`, of the inner products of the rows of a sparse matrix [N, M], which are never all held.

    Blocks of items are shared out among the cores; memory is that of the lists and of three rows a thread.
    """
    n_items, other = int(matrix.shape[0]), matrix.T.tocsr()
    parts = [_arrays(part) for part in (matrix, other)]

    def write(start: int, neighbours: Int32Array, values: Float32Array) -> None:
        best_products(*parts[0], *parts[1], start, itself, np.zeros(n_items, matrix.dtype), neighbours, values)

    return lists_in_blocks(write, n_items, k, progress)


def lists_in_blocks(
    write: Callable[[int, Int32Array, Float32Array], None],
    n_items: int,
    k: int,
    progress: Callable[[int], None] | None = None,
) -> tuple[Int32Array, Float32Array]:
    """Neighbour lists int32 [N, k] with similarities float32 [N, k], made by all cores, a block of items at a time.

    Args:
        write: is given the row of the first item of a block and the lists of this and the following items, to write.
        n_items, k: N, and the length of the lists.
        progress: called with the number of items finished since the last call.
    """
    neighbours, values = np.empty((n_items, k), np.int32), np.empty((n_items, k), np.float32)

    def write_block(start: int) -> int:
        block = slice(start, min(start + _BLOCK_ITEMS, n_items))
        write(start, neighbours[block], values[block])
        return block.stop - start

    with ThreadPoolExecutor(available_cores()) as pool:
        for done in pool.map(write_block, range(0, n_items, _BLOCK_ITEMS)):
            if progress is not None:
                progress(done)
    return neighbours, values


def _arrays(matrix: sparse.csr_array) -> tuple[Int64Array, Int32Array, NDArray[np.floating]]:
    return matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False), matrix.data


def neighbour_lists(
    similarities: Callable[[slice], Float32Array],
    n_items: int,
    k: int,
    *,
    itself: bool = True,
) -> tuple[Int32Array, Float32Array]:
    """The k most similar items of each, int32 [N, k], and their similarities, float32 [N, k]: only positive ones.

    Args:
        similarities: gives those of a block of items with all, [block, N], in an array of its own.
        n_items: N.
        k: length of the lists.
        itself: whether an item may stand in its own list.
    """
    neighbours = np.empty((n_items, k), np.int32)
    values = np.empty((n_items, k), np.float32)
    step = min(_BLOCK_ITEMS, max(1, _BLOCK_PAIRS // max(n_items, 1)))
    for start in range(0, n_items, step):
        stop = min(start + step, n_items)
        block = similarities(slice(start, stop))
        own = None if itself else np.arange(start, stop)
        best = _best_dense(block, own, k)
        neighbours[start:stop] = best.items
        values[start:stop] = np.maximum(best.scores, 0)
    return neighbours, values


def _best_dense(block: Float32Array, own: Int64Array | None, k: int) -> Candidates:
    block[block <= 0] = -np.inf
    if own is not None:
        block[np.arange(len(block)), own] = -np.inf
    return top_k(block, k)


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


def _weighted(weighting: Weighting) -> Fit:
    def fit(data: FitData, _: NeighbourSettings, **chosen: Any) -> ItemToItem:
        return fit_neighbours(data.histories, data.n_items, weighting=weighting, **chosen)

    return Fit(fit)


BM25, COSINE, COOCCURRENCE = _weighted("bm25"), _weighted("cosine"), _weighted("cooccurrence")
