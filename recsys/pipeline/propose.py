"""Propose: candidates of several sources, and what proposed each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Int32Array, Int64Array
from recsys.pipeline.allow import Allowed
from recsys.pipeline.kernels import write_sources, write_union
from recsys.sources.base import Source
from recsys.sources.readings import Readings


@dataclass(frozen=True)
class Proposer:
    """A source, and how many items it proposes for a query."""

    source: Source
    depth: int


def propose(readings: Readings, proposers: Sequence[Proposer], k: int, allowed: Allowed) -> list[Int32Array]:
    """Items int32 [B, ...] that each of the proposers has for each query, best first, `NO_ITEM` in place of others.

    Args:
        readings: of B queries.
        proposers: of different sources. The first is the primary one, which is asked for at least k items.
        k: see above.
        allowed: the items wanted. Where restrictions may drop most of what is proposed, more is asked for.
    """
    depths = {proposer.source.name: proposer.depth for proposer in proposers}
    primary = proposers[0].source
    depths[primary.name] = max(k, depths[primary.name])
    first, kept = _asked(readings, depths, primary.n_items, allowed)
    if kept is first or all(restriction.selective for restriction in allowed.restrictions):
        return kept
    # Queries whose proposals are mostly forbidden ask for more, alone, so that no other list is different for them.
    poor = np.flatnonzero(2 * _counted(kept) < _counted(first))
    if not len(poor):
        return kept
    _, more = _asked(readings.select(poor), depths, primary.n_items, allowed.select(poor.tolist()), dropped=True)
    return [_replaced(part, poor, rows) for part, rows in zip(kept, more, strict=True)]


def _asked(
    readings: Readings, depths: Mapping[str, int], n_items: int, allowed: Allowed, *, dropped: bool = False
) -> tuple[list[Int32Array], list[Int32Array]]:
    """What the sources propose, and what is allowed of that; the same object where nothing is restricted."""
    asked = {name: allowed.depth(depth, n_items, dropped=dropped) for name, depth in depths.items()}
    first = [one.items for one in readings.propose(asked, exclude_seen=allowed.exclude_seen)]
    return first, [allowed.keep(readings.queries, items) for items in first] if allowed.restrictions else first


def _counted(parts: Sequence[Int32Array]) -> Int64Array:
    """How many items all parts [B, ...] hold for each query: int64 [B]."""
    counts: Int64Array = sum((part != NO_ITEM).sum(axis=1) for part in parts)
    return counts


def _replaced(part: Int32Array, rows: Int64Array, others: Int32Array) -> Int32Array:
    """A part [B, k] with other rows, which may be longer, in place of some."""
    wide = np.full((len(part), max(part.shape[1], others.shape[1])), NO_ITEM, np.int32)
    wide[:, : part.shape[1]] = part
    wide[rows, : others.shape[1]] = others
    wide[rows, others.shape[1] :] = NO_ITEM
    return wide


def union(parts: Sequence[Int32Array]) -> Int32Array:
    """Every item that some part proposes, once a query.

    The order is scrambled: equal scores keep it later, and neither who proposed an item nor its row may decide.

    Args:
        parts: int32 [B, k] each, padded with `NO_ITEM`.

    Returns:
        int32 [B, C], `NO_ITEM` on the right; C is the longest union in the batch.
    """
    items = np.concatenate(parts, axis=1)
    distinct = np.full_like(items, NO_ITEM)
    return np.ascontiguousarray(distinct[:, : write_union(items, distinct)])


def proposed_by(items: Int32Array, parts: Sequence[Int32Array], n_sources: int) -> tuple[BoolArray, Int64Array]:
    """Which of R sources proposed each of the items, bool [B, K, R]; how many items each proposed in all, int64 [R].

    Args:
        items: int32 [B, K].
        parts: int32 [B, k] of each source that was asked, padded with `NO_ITEM`.
        n_sources: R; those behind the ones asked proposed nothing.
    """
    proposed, counts = np.zeros((*items.shape, n_sources), np.bool_), np.zeros(n_sources, np.int64)
    ends = np.cumsum([part.shape[1] for part in parts])
    write_sources(items, np.concatenate(parts, axis=1), ends, proposed, counts)
    return proposed, counts
