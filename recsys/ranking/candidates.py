"""Candidates of several retrievers as one set a query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.retrieval.base import NO_ITEM
from recsys.retrieval.exact import tie_keys

_ITEM_BITS = np.uint64(32)
_NO_KEY = np.uint64(2**64 - 1)


def union(parts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Every item that some part proposes, once a query.

    The order is scrambled: equal scores keep it later, and neither who proposed an item nor its row may decide.

    Args:
        parts: int32 [B, k] each, padded with `NO_ITEM`.

    Returns:
        int32 [B, C], `NO_ITEM` on the right; C is the longest union in the batch.
    """
    items = np.concatenate(parts, axis=1)
    keys = tie_keys(items).astype(np.uint64) << _ITEM_BITS | items.astype(np.uint32)
    keys[items == NO_ITEM] = _NO_KEY
    keys.sort(axis=1)
    repeated = np.zeros(keys.shape, bool)
    repeated[:, 1:] = keys[:, 1:] == keys[:, :-1]
    keys[repeated] = _NO_KEY
    keys.sort(axis=1)
    real = keys != _NO_KEY
    width = int(real.sum(axis=1).max(initial=0))
    found = (keys[:, :width] & np.uint64(0xFFFFFFFF)).astype(np.uint32).astype(np.int32)
    return np.where(real[:, :width], found, NO_ITEM)
