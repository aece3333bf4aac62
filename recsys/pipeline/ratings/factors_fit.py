"""Fit rating statistics with tastes (serving needs only `statistics`, without SciPy)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.types import Float64Array, Int64Array
from recsys.pipeline.ratings.factors import RatingFactors
from recsys.pipeline.ratings.fit_kernels import move_vectors
from recsys.pipeline.ratings.statistics import RatingStatistics

_ITERATIONS = 5  # more of them predict ratings held out no better
_BLOCK_USERS = 4096  # users whose sums [D, D] are held at a time
# Where the estimation starts, as shares of the ratings' variance, and the least noise it may reach.
_BIAS_SHARE, _FACTOR_SHARE, _NOISE_SHARE, _LEAST_NOISE = 0.2, 0.15, 0.65, 1e-3
# Variance of what ratings say of an item's vector beyond the given one, as a share of the vectors' own variance.
_MOVE_SHARE = 0.1
# Ratings that an item with any has on average where vectors move: with 34 and 36 nothing is gained, with 234 much.
_MANY_RATINGS = 100


def fit_ratings(histories: Histories, vectors: NDArray[np.floating], damping: float) -> RatingStatistics:
    """Item biases and tastes of training histories.

    A taste is linear in the items' given vectors: users are expected to rate alike what is close. The covariance of
    the users' tastes and the noise are estimated by expectation maximisation (Zhang and Koren, SIGIR 2007), in turns
    with the item biases.

    Args:
        histories: training histories, with at least one rating.
        vectors: float [N, K], of the items; only their directions count. They must not know any rating.
        damping: ratings at 0 added to every item bias.

    Raises:
        ValueError: no ratings.
    """
    statistics = RatingStatistics.fit(histories.items, histories.ratings, len(vectors), damping)
    deviations = histories.ratings[~np.isnan(histories.ratings)] - statistics.global_mean
    variance = max(float(deviations.var()), 1e-6)
    shares = np.concatenate([[_BIAS_SHARE], np.full(vectors.shape[1], _FACTOR_SHARE)])
    item_vectors = np.column_stack([np.ones(len(vectors)), _directions(vectors)]) * np.sqrt(variance * shares)
    noise = _NOISE_SHARE * variance
    for _ in range(_ITERATIONS):
        ratings = _Ratings.of(histories, statistics)
        item_vectors, noise, left = _maximise(item_vectors, noise, ratings)
        noise = max(noise, _LEAST_NOISE * variance)
        sums = np.bincount(ratings.items, left + statistics.item_biases[ratings.items], len(vectors))
        statistics = replace(statistics, item_sums=sums.astype(np.float64))
    return replace(statistics, factors=RatingFactors(item_vectors.astype(np.float32), noise))


def with_rated_vectors(statistics: RatingStatistics, histories: Histories) -> RatingStatistics:
    """The statistics with item vectors that know the ratings of `histories`; unchanged where items have few.

    For serving. A vector moves from where it was given by a ridge regression of its ratings on its raters' tastes, and
    the biases follow. Features keep their meaning, so that what was trained on those of `statistics` can read
    these; training cannot, since an item's vector now knows the ratings that are to be predicted.

    Args:
        statistics: of `fit_ratings`, or of a bundle, whose vectors may have moved before.
        histories: of training, or of training and what followed it.
    """
    ratings = _Ratings.of(histories, statistics)
    counts = np.bincount(ratings.items, minlength=ratings.shape[1])
    if len(ratings.items) < _MANY_RATINGS * np.count_nonzero(counts):
        return statistics
    vectors, noise = statistics.factors.vectors.astype(np.float64), statistics.factors.noise
    tastes, uncertainty = _mean_tastes(vectors, noise, ratings)
    by_item = np.argsort(ratings.items, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(counts)])
    ridge = noise / (_MOVE_SHARE * max(float(np.square(vectors).mean()), 1e-9))
    owners, residuals = ratings.owners[by_item], ratings.residuals[by_item]
    move_vectors(indptr, owners, residuals, tastes, uncertainty, ridge, vectors)
    factors = replace(statistics.factors, vectors=vectors.astype(np.float32))
    return replace(statistics, factors=factors).with_biases_of(histories)


def _directions(vectors: NDArray[np.floating]) -> Float64Array:
    """The vectors at length 1; those of rounding errors' length become 0."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    long = lengths > 1e-6 * lengths.max(initial=0.0)
    directions: Float64Array = np.divide(vectors, lengths, out=np.zeros(vectors.shape), where=long)
    return directions


@dataclass(frozen=True)
class _Ratings:
    """R ratings, less mean and item biases, sorted by user.

    Attributes:
        owners, items: int64 [R].
        residuals: float64 [R].
        shape: users, items.
    """

    owners: Int64Array
    items: Int64Array
    residuals: Float64Array
    shape: tuple[int, int]

    @classmethod
    def of(cls, histories: Histories, statistics: RatingStatistics) -> Self:
        """The ratings of histories."""
        rated = ~np.isnan(histories.ratings)
        items = histories.items[rated].astype(np.int64)
        residuals = histories.ratings[rated] - statistics.global_mean - statistics.item_biases[items]
        return cls(histories.rows[rated], items, residuals, (len(histories), len(statistics.item_counts)))


@dataclass(frozen=True)
class _Tastes:
    """What is known of the tastes of some users that gave ratings.

    Attributes:
        part: slice of their ratings.
        users: int64 [B].
        rows: int64 [len(part)], row 0..B-1 of each rating's user.
        grams: float64 [B, D, D], sums of x xᵀ over the vectors x of the items rated.
        means: float64 [B, D].
        covariances: float64 [B, D, D].
    """

    part: slice
    users: Int64Array
    rows: Int64Array
    grams: Float64Array
    means: Float64Array
    covariances: Float64Array


def _tastes(vectors: Float64Array, noise: float, ratings: _Ratings) -> Iterator[_Tastes]:
    """Of all users, in blocks."""
    dim = vectors.shape[1]
    for start in range(0, ratings.shape[0], _BLOCK_USERS):
        part = slice(*np.searchsorted(ratings.owners, [start, start + _BLOCK_USERS]))
        users, rows = np.unique(ratings.owners[part], return_inverse=True)
        items = ratings.items[part]
        used, columns = np.unique(items, return_inverse=True)  # D * D numbers of each are held, so not of all items
        cells, shape = (rows, columns), (len(users), len(used))
        near = vectors[used]
        outer = (near[:, :, None] * near[:, None, :]).reshape(len(used), dim * dim)
        grams = (sp.csr_array((np.ones(len(items)), cells), shape) @ outer).reshape(-1, dim, dim)
        sums = sp.csr_array((ratings.residuals[part], cells), shape) @ near
        covariances = np.linalg.inv(grams / noise + np.eye(dim))
        yield _Tastes(part, users, rows, grams, (covariances @ sums[:, :, None])[..., 0] / noise, covariances)


def _mean_tastes(vectors: Float64Array, noise: float, ratings: _Ratings) -> tuple[Float64Array, Float64Array]:
    """Means [U, D] of all users' tastes, 0 without ratings, and their covariance [D, D] on average over the ratings."""
    dim = vectors.shape[1]
    means, covariance = np.zeros((ratings.shape[0], dim)), np.zeros((dim, dim))
    for block in _tastes(vectors, noise, ratings):
        means[block.users] = block.means
        covariance += np.tensordot(np.bincount(block.rows, minlength=len(block.users)), block.covariances, axes=1)
    return means, covariance / max(len(ratings.items), 1)


def _maximise(vectors: Float64Array, noise: float, ratings: _Ratings) -> tuple[Float64Array, float, Float64Array]:
    """One step of expectation maximisation.

    Returns:
        Item vectors [N, D] for which the tastes have unit variance again, the variance of the noise, and what the
        tastes leave of every residual [R].
    """
    dim = vectors.shape[1]
    covariance, spread, raters = np.zeros((dim, dim)), 0.0, 0
    left = np.empty(len(ratings.items))
    for block in _tastes(vectors, noise, ratings):
        likings = np.einsum("rd,rd->r", block.means[block.rows], vectors[ratings.items[block.part]])
        left[block.part] = ratings.residuals[block.part] - likings
        covariance += block.means.T @ block.means + block.covariances.sum(axis=0)
        spread += float(np.einsum("uij,uij->", block.grams, block.covariances))
        raters += len(block.users)
    scaled = vectors @ np.linalg.cholesky(covariance / raters)
    return scaled, (float(left @ left) + spread) / len(left), left
