"""Candidates of several retrievers as one set a query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Int32Array, Int64Array
from recsys.pipeline.kernels import write_sources, write_union


def union(parts: Sequence[Int32Array]) -> Int32Array:
    """Every item that some part proposes, once a query.

    The order is scrambled: equal scores keep it later, and neither who proposed an item nor its row may decide.

    Args:
        parts: int32 [B, k] each, padded with `NO_ITEM`.

    Returns:
        int32 [B, C], `NO_ITEM` on the right; C is the longest union in the batch.
    """
    items = np.concatenate(parts, axis=1)
    found = np.full_like(items, NO_ITEM)
    return np.ascontiguousarray(found[:, : write_union(items, found)])


def sources(items: Int32Array, parts: Sequence[Int32Array], n_sources: int) -> tuple[BoolArray, Int64Array]:
    """Which of R sources proposed each of the items, bool [B, K, R]; how many items each proposed in all, int64 [R].

    Args:
        items: int32 [B, K].
        parts: int32 [B, k] of each source that was asked, padded with `NO_ITEM`.
        n_sources: R; those behind the ones asked proposed nothing.
    """
    found, counts = np.zeros((*items.shape, n_sources), np.bool_), np.zeros(n_sources, np.int64)
    ends = np.cumsum([part.shape[1] for part in parts])
    write_sources(items, np.concatenate(parts, axis=1), ends, found, counts)
    return found, counts
