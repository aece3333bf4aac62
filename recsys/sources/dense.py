"""Candidates of a source that scores the whole catalogue: score a block of queries, drop the seen, keep the best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recsys.core.histories import Histories
from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array
from recsys.sources.exact import block_rows, top_k


def propose_by_scores(
    score: Callable[[Queries], Float32Array], n_items: int, queries: Queries, k: int, *, exclude_seen: bool
) -> Candidates:
    """The k best items of each query by `score`, in blocks so that memory does not grow with the batch.

    Args:
        score: gives float32 [B, n_items] of B queries in an array of its own, which is written to; -inf: no candidate.
        n_items: size of the catalogue.
        queries: any number of them.
        k: candidates wanted.
        exclude_seen: leave out the items of each query's history.
    """
    candidates = Candidates.none(len(queries), k)
    for rows, block in queries.blocks(block_rows(n_items)):
        block_scores = score(block)
        if exclude_seen:
            remove_seen(block_scores, block.histories)
        best = top_k(block_scores, k)
        candidates.items[rows], candidates.scores[rows] = best.items, best.scores
    return candidates


def remove_seen(scores: Float32Array, histories: Histories) -> None:
    """Set the scores [B, N] of each row's history items to -inf, in place."""
    scores[histories.rows, histories.items] = -np.inf
