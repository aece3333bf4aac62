"""Candidates of several retrievers as one set a query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.ranking.kernels import write_union
from recsys.retrieval.base import NO_ITEM


def union(parts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
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
