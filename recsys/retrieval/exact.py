"""Exact top-k selection and search: the yardstick of ScaNN, and how retrievers rank what they scored.

Equal scores are ordered by a fixed scrambling of the item rows: the same everywhere and always, yet
without meaning. Ordering them by row would favour whatever order the source file had.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.dataset.histories import Histories
from recsys.retrieval.base import NO_ITEM, Candidates

BLOCK_ENTRIES = 1 << 23  # scores held at a time: 32 MB of float32


def block_rows(n_items: int) -> int:
    """Queries to score at a time so that their scores fit in `BLOCK_ENTRIES`."""
    return max(1, BLOCK_ENTRIES // max(n_items, 1))


def tie_keys(items: NDArray[np.integer]) -> NDArray[np.uint32]:
    """One distinct key for each item row, without order (Knuth's multiplicative hash, a bijection on 32 bits)."""
    return items.astype(np.uint32) * np.uint32(2654435761)


def top_k(scores: NDArray[np.float32], k: int) -> Candidates:
    """The k highest scores of each row; entries of -inf are no candidates.

    Args:
        scores: float32 [B, N], no NaN.
        k: candidates wanted, any positive number.
    """
    n_queries, n_items = scores.shape
    found = Candidates.none(n_queries, k)
    width = min(k, n_items)
    if not n_queries or not width:
        return found
    chosen = np.argpartition(scores, n_items - width, axis=1)[:, n_items - width :].astype(np.int32)
    if width < n_items:
        _settle_boundary_ties(scores, chosen)
    chosen_scores = np.take_along_axis(scores, chosen, axis=1)
    order = np.lexsort((tie_keys(chosen), -chosen_scores), axis=1)
    found.items[:, :width] = np.take_along_axis(chosen, order, axis=1)
    found.scores[:, :width] = np.take_along_axis(chosen_scores, order, axis=1)
    found.items[found.scores == -np.inf] = NO_ITEM
    return found


def _settle_boundary_ties(scores: NDArray[np.float32], chosen: NDArray[np.int32]) -> None:
    """Where more items share the lowest chosen score than fit, choose those with the lowest tie keys."""
    chosen_scores = np.take_along_axis(scores, chosen, axis=1)
    lowest = chosen_scores.min(axis=1, keepdims=True)
    tied_chosen = chosen_scores == lowest
    crowded = ((scores == lowest).sum(axis=1) > tied_chosen.sum(axis=1)) & (lowest[:, 0] > -np.inf)
    for row in np.flatnonzero(crowded):
        tied = np.flatnonzero(scores[row] == lowest[row])
        places = np.flatnonzero(tied_chosen[row])
        chosen[row, places] = tied[np.argsort(tie_keys(tied))[: len(places)]]


def top_k_sparse(
    rows: NDArray[np.integer],
    items: NDArray[np.integer],
    scores: NDArray[np.float32],
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
    order = np.lexsort((tie_keys(items), -scores, rows))
    rows = rows[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
    kept = rank < k
    found = Candidates.none(n_queries, k)
    found.items[rows[kept], rank[kept]] = items[order][kept]
    found.scores[rows[kept], rank[kept]] = scores[order][kept]
    return found


def is_seen(items: NDArray[np.integer], rows: NDArray[np.integer], histories: Histories) -> NDArray[np.bool_]:
    """Whether `items` are in the histories of the queries `rows`; both [T] or broadcast together."""
    span = 1 + max(int(histories.items.max(initial=0)), int(items.max(initial=0)))
    seen = np.repeat(np.arange(len(histories)), histories.lengths) * span + histories.items
    # A padding item would alias the entry of another row.
    return np.isin(rows * span + items, seen) & (items >= 0)


def drop_seen(candidates: Candidates, histories: Histories, k: int) -> Candidates:
    """The first k candidates of each query that are not in its history, in their order."""
    rows = np.arange(len(histories))[:, None]
    seen = is_seen(candidates.items, rows, histories)
    order = np.argsort(seen, axis=1, kind="stable")[:, :k]
    items = np.where(seen, NO_ITEM, candidates.items)
    scores = np.where(seen, -np.inf, candidates.scores).astype(np.float32)
    found = Candidates.none(len(histories), k)
    width = order.shape[1]
    found.items[:, :width] = np.take_along_axis(items, order, axis=1)
    found.scores[:, :width] = np.take_along_axis(scores, order, axis=1)
    return found


def search(vectors: NDArray[np.float32], embeddings: NDArray[np.float32], k: int) -> Candidates:
    """The k items of highest inner product with each vector, computed in blocks.

    Args:
        vectors: float32 [B, D].
        embeddings: float32 [N, D].
        k: candidates wanted.
    """
    found = Candidates.none(len(vectors), k)
    step = block_rows(len(embeddings))
    for start in range(0, len(vectors), step):
        best = top_k(vectors[start : start + step] @ embeddings.T, k)
        found.items[start : start + step] = best.items
        found.scores[start : start + step] = best.scores
    return found
