"""Exact top-k selection and search: the yardstick of ScaNN, and how sources rank what they scored.

Equal scores are ordered as `recsys.core.sort_keys` says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.core.half import halves, widen
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.sort_keys import of_sort_keys, sort_keys
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.sources.seen_kernels import write_among, write_seen, write_unseen

BLOCK_ENTRIES = 1 << 23  # scores held at a time: 32 MB of float32
_WIDENED = 2048  # embeddings held in single precision at a time: they stay in the processor's cache
_STRIDE = 8  # every so many scores make the sample that `top_k` looks at first
_PADDING = np.uint64((1 << 64) - 1)  # that of no finite score


def block_rows(n_items: int) -> int:
    """Queries to score at a time so that their scores fit in `BLOCK_ENTRIES`."""
    return max(1, BLOCK_ENTRIES // max(n_items, 1))


def top_k(scores: Float32Array, k: int) -> Candidates:
    """The k highest scores of each row; entries of -inf are no candidates.

    Args:
        scores: float32 [B, N], no NaN.
        k: candidates wanted, any positive number.
    """
    rows, items = _contenders(scores, min(k, scores.shape[1]))
    return top_k_sparse(rows, items, scores[rows, items], len(scores), k)


def _contenders(scores: Float32Array, width: int) -> tuple[Int64Array, Int64Array]:
    """Rows and items, sorted by row, among which are the `width` highest finite scores of each row, ties included.

    A strided sample of each row gives a floor that about `width` scores reach, which a pass of comparisons then
    picks out; rows where fewer do get their true floor. Selecting among all scores would take ten times as long.
    """
    if not scores.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    share = width / _STRIDE
    rank = int(share + 4 * share**0.5) + 2
    sample = scores[:, ::_STRIDE]
    floors = _nth_highest(sample, rank) if 2 * rank < sample.shape[1] else _nth_highest(scores, width)
    above = scores >= floors
    missed = np.flatnonzero(above.sum(axis=1) < width)
    if len(missed):
        floors[missed] = _nth_highest(scores[missed], width)
        above[missed] = scores[missed] >= floors[missed]
    open_ended = np.flatnonzero(floors[:, 0] == -np.inf)
    above[open_ended] = scores[open_ended] > -np.inf
    return np.divmod(np.flatnonzero(above), scores.shape[1])


def _nth_highest(scores: Float32Array, n: int) -> Float32Array:
    """The n-th highest score of each row: [B, 1]."""
    rank = scores.shape[1] - n  # in ascending order
    return np.partition(scores, rank, axis=1)[:, rank : rank + 1]


def top_k_sparse(
    rows: NDArray[np.integer],
    items: NDArray[np.integer],
    scores: Float32Array,
    n_queries: int,
    k: int,
) -> Candidates:
    """The k highest scores of each query among listed (query, item, score) triples, each pair listed once.

    Args:
        rows: int [T], query of each triple, 0..n_queries-1, in any order.
        items: int [T], item rows.
        scores: float32 [T], finite.
        n_queries: B.
        k: candidates wanted.
    """
    best = Candidates.none(n_queries, k)
    if not len(rows):
        return best
    keys = sort_keys(scores, items)
    if (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        rows, keys = rows[order], keys[order]
    counts = np.bincount(rows, minlength=n_queries)
    starts = np.cumsum(counts) - counts
    padded = np.full((n_queries, counts.max()), _PADDING)
    padded[rows, np.arange(len(rows)) - starts[rows]] = keys
    if padded.shape[1] > 2 * k:
        padded = np.partition(padded, k - 1, axis=1)[:, :k]
    padded = np.sort(padded, axis=1)[:, :k]
    real = padded != _PADDING
    width = padded.shape[1]
    items, scores = of_sort_keys(padded)
    best.items[:, :width] = np.where(real, items, NO_ITEM)
    best.scores[:, :width] = np.where(real, scores, -np.inf)
    return best


def is_seen(items: NDArray[np.integer], rows: NDArray[np.integer], histories: Histories) -> BoolArray:
    """Whether `items` are in the histories of the queries `rows`, which are as many or broadcast to them."""
    seen = np.empty(items.shape, np.bool_)
    rows = np.broadcast_to(rows, items.shape)
    flat = items.astype(np.int32).reshape(-1), rows.astype(np.int64).reshape(-1)
    write_seen(*flat, histories.indptr, histories.items, seen.reshape(-1))
    return seen


def is_among(items: Int32Array, others: Int32Array) -> BoolArray:
    """Whether each of the items [B, C] is among the others [B, P] of its row; `NO_ITEM` never is."""
    among = np.zeros(items.shape, np.bool_)
    if others.shape[1]:
        write_among(items, others, among)
    return among


def columns_of(items: Int32Array, others: Int32Array) -> Int64Array:
    """int64 [B, G], where each of the items [B, G] stands among the others [B, D] of its row; -1: nowhere."""
    found = (items[:, :, None] == others[:, None, :]) & (items != NO_ITEM)[:, :, None]
    columns: Int64Array = np.where(found.any(axis=2), found.argmax(axis=2), -1)
    return columns


def drop_seen(candidates: Candidates, histories: Histories, k: int) -> Candidates:
    """The first k candidates of each query that are not in its history, in their order."""
    best = Candidates.none(len(histories), k)
    # Copies: a single row that is broadcast would stay read-only, another type, for which the kernel would be compiled.
    items, scores = np.array(candidates.items, order="C"), np.array(candidates.scores, order="C")
    write_unseen(items, scores, histories.indptr, histories.items, best.items, best.scores)
    return best


def inner_products(vectors: Float32Array, embeddings: NDArray[np.floating]) -> Float32Array:
    """Inner products of all vectors float32 [B, D] with all embeddings [N, D], computed in float32: [B, N]."""
    if embeddings.dtype != np.float16:
        return np.asarray(vectors @ embeddings.T, np.float32)
    products = np.empty((len(vectors), len(embeddings)), np.float32)
    wide = np.empty((min(_WIDENED, len(embeddings)), embeddings.shape[1]), np.float32)
    for start in range(0, len(embeddings), _WIDENED):
        part = halves(embeddings[start : start + _WIDENED])
        widen(part, wide[: len(part)])
        np.matmul(vectors, wide[: len(part)].T, out=products[:, start : start + len(part)])
    return products


def search(vectors: Float32Array, embeddings: NDArray[np.floating], k: int) -> Candidates:
    """The k items of highest inner product with each vector, computed in blocks.

    Args:
        vectors: float32 [B, D].
        embeddings: [N, D], of any precision.
        k: candidates wanted.
    """
    best = Candidates.none(len(vectors), k)
    step = block_rows(len(embeddings))
    for start in range(0, len(vectors), step):
        of_block = top_k(inner_products(vectors[start : start + step], embeddings), k)
        best.items[start : start + step] = of_block.items
        best.scores[start : start + step] = of_block.scores
    return best
