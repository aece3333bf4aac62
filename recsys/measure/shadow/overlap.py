"""How alike two ranked lists are."""

from __future__ import annotations

from collections.abc import Sequence

PERSISTENCE = 0.9  # of rank-biased overlap: of the weight, 86% lies on the first ten ranks


def overlap_at(depth: int, old: Sequence[str], new: Sequence[str]) -> float:
    """Share of the longer list's first `depth` items that both have among theirs; 1 where neither has any."""
    first, second = set(old[:depth]), set(new[:depth])
    longer = max(len(first), len(second))
    return len(first & second) / longer if longer else 1.0


def jaccard(old: Sequence[str], new: Sequence[str]) -> float:
    """Items of both lists among those of either; 1 where there are none."""
    either = set(old) | set(new)
    return len(set(old) & set(new)) / len(either) if either else 1.0


def rank_biased_overlap(old: Sequence[str], new: Sequence[str], persistence: float = PERSISTENCE) -> float:
    r"""Overlap with the first ranks weighing most, from 0 to 1 (Webber, Moffat & Zobel, 2010, RBO_ext of eq. 30).

    With X_d the items that both have among their first d, and k the length of the shorter list, which is where the
    comparison ends:

        \frac{X_k}{k} p^k + \frac{1 - p}{p} \sum_{d = 1}^k \frac{X_d}{d} p^d

    Args:
        old, new: lists without repetition; 1 where both are empty, 0 where one is.
        persistence: p, between 0 and 1.
    """
    depth = min(len(old), len(new))
    if not depth:
        return float(len(old) == len(new))
    seen_old: set[str] = set()
    seen_new: set[str] = set()
    common, total = 0, 0.0
    for rank, (left, right) in enumerate(zip(old[:depth], new[:depth], strict=True), start=1):
        seen_old.add(left)
        common += left in seen_new
        seen_new.add(right)
        common += right in seen_old
        total += common / rank * persistence**rank
    return common / depth * persistence**depth + (1 - persistence) / persistence * total
