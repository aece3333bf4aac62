"""Exact top-k selection and search: the yardstick of ScaNN, and how sources rank what they scored.

Equal scores are ordered as `recsys.core.sort_keys` says.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recsys.core.half import halves, widen
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.sort_keys import of_sort_keys, sort_keys
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.sources.best_kernels import PADDING, keep_best
from recsys.sources.seen_kernels import write_among, write_seen, write_unseen

BLOCK_ENTRIES = 1 << 23  # scores held at a time: 32 MB of float32
_WIDENED = 2048  # embeddings held in single precision at a time: they stay in the processor's cache
_QUERIES = 1024  # vectors that are searched for at a time
_STRIDE = 8  # every so many scores make the sample that `top_k` looks at first


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
    padded = np.full((n_queries, counts.max()), PADDING)
    padded[rows, np.arange(len(rows)) - starts[rows]] = keys
    if padded.shape[1] > 2 * k:
        padded = np.partition(padded, k - 1, axis=1)[:, :k]
    padded = np.sort(padded, axis=1)[:, :k]
    real = padded != PADDING
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


def search(
    vectors: Float32Array, embeddings: NDArray[np.floating], k: int, seen: Histories | None = None
) -> Candidates:
    """The k items of highest inner product with each vector, computed in blocks.

    Args:
        vectors: float32 [B, D].
        embeddings: [N, D], of any precision.
        k: candidates wanted.
        seen: histories of B users whose items are left out; None: none is.
    """
    single = embeddings.dtype != np.float16
    wide = np.empty((0 if single else min(_WIDENED, len(embeddings)), embeddings.shape[1]), np.float32)
    best = Candidates.none(len(vectors), k)
    for start in range(0, len(vectors), _QUERIES):
        block = slice(start, min(start + _QUERIES, len(vectors)))
        of_block = np.ascontiguousarray(vectors[block])

        def write(first: int, scores: Float32Array, of_block: Float32Array = of_block) -> None:
            part = embeddings[first : first + scores.shape[1]]
            if not single:
                widen(halves(part), wide[: len(part)])
                part = wide[: len(part)]
            np.matmul(of_block, part.T, out=scores)

        of_histories = None if seen is None else seen.select(np.arange(block.start, block.stop))
        found = best_in_parts(write, len(of_block), len(embeddings), k, of_histories)
        best.items[block], best.scores[block] = found.items, found.scores
    return best


def best_in_parts(
    write_scores: Callable[[int, Float32Array], None],
    n_queries: int,
    n_items: int,
    k: int,
    seen: Histories | None = None,
) -> Candidates:
    """The k highest scores of each query, a part of the catalogue at a time: nothing grows with queries x items.

    Args:
        write_scores: is given the row of the first item of a part and an array float32 [B, W], into which it writes the
            scores of this and the following items; -inf: no candidate.
        n_queries, n_items: B, as many as the caller cares to score at a time, and N.
        k: candidates wanted.
        seen: histories of B users whose items are left out; None: none is.
    """
    best = Candidates.none(n_queries, k)
    keys = np.full((n_queries, min(k, n_items)), PADDING, np.uint64)
    order = np.zeros(0, np.int64) if seen is None else np.argsort(seen.items, kind="stable")
    rows, items = (order, order) if seen is None else (seen.rows[order], seen.items[order])
    scratch = np.empty(n_queries * min(_WIDENED, n_items), np.float32)
    for first in range(0, n_items if keys.size else 0, _WIDENED):
        stop = min(first + _WIDENED, n_items)
        scores = scratch[: n_queries * (stop - first)].reshape(n_queries, -1)
        write_scores(first, scores)
        left_out = slice(*np.searchsorted(items, (first, stop)))
        scores[rows[left_out], items[left_out] - first] = -np.inf
        keep_best(scores, first, keys)
    keys.sort(axis=1)
    real = keys != PADDING
    found, scores = of_sort_keys(keys)
    best.items[:, : keys.shape[1]] = np.where(real, found, NO_ITEM)
    best.scores[:, : keys.shape[1]] = np.where(real, scores, -np.inf)
    return best
