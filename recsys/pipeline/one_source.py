"""Lists of one source that decides alone: what it proposed, and what is in them though it did not propose it."""

from __future__ import annotations

import numpy as np

from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.sources.exact import is_among


def joined_by(candidates: Candidates, others: Int32Array, scores: Float32Array) -> Candidates:
    """Candidates [B, C] and others [B, W], best first; those of which nothing is known at the least score."""
    new = (others != NO_ITEM) & ~is_among(others, candidates.items) & ~_again_in_row(others)
    least = np.where(candidates.items == NO_ITEM, np.inf, candidates.scores).min(axis=1, initial=0)
    known = np.where(np.isfinite(scores), scores, least[:, None]).astype(np.float32)
    items = np.concatenate([candidates.items, np.where(new, others, np.int32(NO_ITEM))], axis=1)
    both = np.concatenate([candidates.scores, np.where(new, known, np.float32(-np.inf))], axis=1)
    order = np.argsort(-both, axis=1, kind="stable")
    return Candidates(np.take_along_axis(items, order, axis=1), np.take_along_axis(both, order, axis=1))


def _again_in_row(items: Int32Array) -> BoolArray:
    """Whether each item [B, W] stands in its row before."""
    equal = items[:, :, None] == items[:, None, :]
    earlier: BoolArray = np.any(equal & np.tri(items.shape[1], k=-1, dtype=np.bool_), axis=2)
    return earlier


def among_proposed(items: Int32Array, kept: Int32Array, invited: Int32Array | None) -> BoolArray:
    """Bool [B, K, 1], which of the items [B, K] the source proposed, `kept` being what is allowed of that."""
    proposed: BoolArray = np.not_equal(items, NO_ITEM)
    if invited is not None:
        proposed &= ~is_among(items, invited) | is_among(items, kept)
    return np.expand_dims(proposed, 2)


def first_of(items: Int32Array, scores: Float32Array, k: int) -> Candidates:
    """The first k items [B, D] of each row that are none of `NO_ITEM`, and their scores, -inf beside padding."""
    first = Candidates.none(len(items), k)
    order = np.argsort(items == NO_ITEM, axis=1, kind="stable")[:, :k]
    first.items[:, : order.shape[1]] = np.take_along_axis(items, order, axis=1)
    first.scores[:, : order.shape[1]] = np.take_along_axis(scores, order, axis=1)
    first.scores[first.items == NO_ITEM] = -np.inf
    return first
