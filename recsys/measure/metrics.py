"""Metrics of ranked lists and of predicted ratings, vectorised over users. NumPy only.

A ranked list is a row of item rows, best first, without repetition, `NO_ITEM` where it ends early.
The relevant items of a user are a set: relevance is binary. Every function of ranked lists
returns one figure a user, so that means, slices and intervals are the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

_BOOTSTRAP_ENTRIES = 1 << 22  # of samples x users, in one matrix product

METRICS = ("recall", "ndcg", "hit_rate", "mrr", "precision", "map")


class Relevant(NamedTuple):
    """The relevant items of B users in CSR form; user b owns `items[indptr[b]:indptr[b + 1]]`.

    Attributes:
        indptr: int64 [B + 1].
        items: int32 [T], distinct within a user.
    """

    indptr: Int64Array
    items: Int32Array

    @property
    def counts(self) -> Int64Array:
        """int64 [B], relevant items of each user."""
        return np.diff(self.indptr)

    @property
    def owners(self) -> Int64Array:
        """int64 [T], the user each entry of `items` belongs to."""
        return np.repeat(np.arange(len(self.indptr) - 1), self.counts)

    def keep(self, mask: BoolArray) -> Relevant:
        """The same users with only the entries where `mask` [T] holds."""
        kept = np.bincount(self.owners[mask], minlength=len(self.indptr) - 1)
        return Relevant(np.concatenate([np.zeros(1, np.int64), np.cumsum(kept, dtype=np.int64)]), self.items[mask])

    def select(self, users: NDArray[np.integer]) -> Relevant:
        """The relevant items of the given users, in their order."""
        counts = self.counts[users]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
        index = np.arange(indptr[-1]) + np.repeat(self.indptr[:-1][users] - indptr[:-1], counts)
        return Relevant(indptr, self.items[index])


def membership(ranked: NDArray[np.integer], relevant: tuple[NDArray[np.integer], NDArray[np.integer]]) -> BoolArray:
    """Which entries of `ranked` [B, K] are among the same row's items of a CSR pair: bool [B, K]."""
    indptr, items = (np.asarray(part, np.int64) for part in relevant)
    rows = len(indptr) - 1
    stride = 1 + max(items.max(initial=0), ranked.max(initial=0))
    members = np.sort(np.repeat(np.arange(rows), np.diff(indptr)) * stride + items)
    if not len(members):
        return np.zeros(ranked.shape, bool)
    keys = np.arange(rows)[:, None] * stride + ranked
    at = np.minimum(np.searchsorted(members, keys), len(members) - 1)
    is_member: BoolArray = (members[at] == keys) & (ranked != NO_ITEM)
    return is_member


def as_lists(ranked: NDArray[np.integer]) -> tuple[Int64Array, NDArray[np.integer]]:
    """The CSR pair (indptr [B + 1], items [T]) of ranked lists [B, K], without `NO_ITEM`."""
    listed = ranked != NO_ITEM
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(listed.sum(axis=1))]), ranked[listed]


def overlap(ranked: NDArray[np.integer], reference: NDArray[np.integer]) -> Float64Array:
    """Share of each reference list [B, L] that is anywhere in the ranked list [B, K]; NaN for an empty reference."""
    sizes = (reference != NO_ITEM).sum(axis=1)
    common = membership(ranked, as_lists(reference)).sum(axis=1)
    return np.where(sizes > 0, common / np.maximum(sizes, 1), np.nan)


def ranking_metrics(
    ranked: NDArray[np.integer],
    relevant: tuple[NDArray[np.integer], NDArray[np.integer]],
    cutoffs: Sequence[int],
) -> dict[str, Float32Array]:
    r"""Metrics of each user's list at each cutoff k, as `trec_eval` defines them.

    With rel(i) = 1 if the item at rank i is relevant, else 0, and n relevant items:

    * recall@k = \sum_{i<=k} rel(i) / n
    * precision@k = \sum_{i<=k} rel(i) / k
    * hit_rate@k = 1 if any of the first k is relevant (trec_eval: success)
    * mrr@k = 1 / rank of the first relevant item if that is at most k, else 0
    * map@k = \sum_{i<=k} rel(i) precision@i / n (trec_eval: map_cut)
    * ndcg@k = \sum_{i<=k} rel(i) / log2(i + 1), divided by the same sum of an ideal list, whose
      first min(n, k) items are relevant (Järvelin & Kekäläinen, 2002, with binary gains)

    Args:
        ranked: int [B, K]; a list shorter than a cutoff counts as followed by nothing relevant.
        relevant: CSR pair `(indptr [B + 1], items [T])`, for example a `Relevant`.
        cutoffs: the k's, each at least 1.

    Returns:
        `"<metric>@<k>"` -> float32 [B]; NaN for a user without relevant items.
    """
    counts = np.diff(relevant[0])
    hits = membership(ranked, relevant)
    if not ranked.shape[1]:
        hits = np.zeros((len(ranked), 1), bool)
    depth = hits.shape[1]
    discounts = 1 / np.log2(np.arange(max(depth, *cutoffs)) + 2)
    ideal = np.cumsum(discounts)
    cumulative = np.cumsum(hits, axis=1)
    gains = np.cumsum(hits * discounts[:depth], axis=1)
    precisions = np.cumsum(hits * cumulative / np.arange(1, depth + 1), axis=1)
    first = np.where(cumulative[:, -1] > 0, hits.argmax(axis=1) + 1, np.inf)
    undefined = np.where(counts > 0, 0.0, np.nan)
    safe = np.maximum(counts, 1)
    results: dict[str, Float32Array] = {}
    for k in cutoffs:
        last = min(k, depth) - 1
        figures = (
            cumulative[:, last] / safe,
            gains[:, last] / ideal[np.minimum(safe, k) - 1],
            cumulative[:, last] > 0,
            np.where(first <= k, 1 / first, 0),
            cumulative[:, last] / k,
            precisions[:, last] / safe,
        )
        for metric, figure in zip(METRICS, figures, strict=True):
            results[f"{metric}@{k}"] = (figure + undefined).astype(np.float32)
    return results


def mean_popularity(
    lists: tuple[NDArray[np.integer], NDArray[np.integer]], popularity: NDArray[np.number]
) -> Float64Array:
    """Mean popularity of each user's items (CSR pair): float64 [B], NaN for an empty list."""
    indptr, items = lists
    sums = np.concatenate([[0.0], np.cumsum(popularity[items], dtype=np.float64)])
    counts = np.diff(indptr)
    return np.where(counts > 0, (sums[indptr[1:]] - sums[indptr[:-1]]) / np.maximum(counts, 1), np.nan)


def popularity_lift(recommended: NDArray[np.floating], reference: NDArray[np.floating]) -> float | None:
    r"""How much more popular recommended items are than a reference, relative to the reference.

    Abdollahpouri et al., 2020, "The Connection Between Popularity Bias, Calibration, and Fairness in
    Recommendation": PL = (GAP_q - GAP_p) / GAP_p, where GAP_q is the mean over users of the mean
    popularity of their recommended items, GAP_p that of the items in their profiles. 0: as popular as
    the reference; 1: twice as popular.

    Args:
        recommended: [B], `mean_popularity` of each user's list; NaN leaves the user out.
        reference: [B], that of the user's history, or of the user's relevant items; NaN leaves the user out.

    Returns:
        The lift; None without users or where the reference is all zero.
    """
    both = ~(np.isnan(recommended) | np.isnan(reference))
    base = float(reference[both].mean()) if both.any() else 0.0
    return float(recommended[both].mean()) / base - 1 if base > 0 else None


def rmse(predicted: NDArray[np.floating], actual: NDArray[np.floating]) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean(np.square(np.asarray(predicted, np.float64) - actual))))


def mae(predicted: NDArray[np.floating], actual: NDArray[np.floating]) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(np.asarray(predicted, np.float64) - actual)))


def bootstrap_means(values: NDArray[np.floating], samples: int, seed: int) -> Float64Array:
    """Means of resampled users (Efron, 1979), every column over the same draws.

    Shared draws make intervals of differences between columns paired: subtract the columns of the
    result. A ratio of means (for example RMSE, whose users have different numbers of ratings) is a
    ratio of the result's columns.

    Args:
        values: [B, M], one row a user, no NaN, at least one row.
        samples: number S of resamples.
        seed: of the draws; the same seed and B give the same draws.

    Returns:
        float64 [S, M].
    """
    rng = np.random.default_rng(seed)
    count = len(values)
    values = np.asarray(values, np.float64)
    means = np.empty((samples, values.shape[1]))
    at_a_time = max(1, _BOOTSTRAP_ENTRIES // count)
    for start in range(0, samples, at_a_time):
        block = means[start : start + at_a_time]
        weights = [np.bincount(rng.integers(0, count, count), minlength=count) for _ in block]
        block[:] = np.array(weights, np.float64) @ values / count
    return means


def interval(means: NDArray[np.floating], level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrapped means [S]."""
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
