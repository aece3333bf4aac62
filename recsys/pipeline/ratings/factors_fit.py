"""Fit rating statistics with tastes (serving needs only `statistics`, without SciPy)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.core.histories import Histories
from recsys.core.types import Float64Array, Int64Array
from recsys.pipeline.ratings.factors import RatingFactors
from recsys.pipeline.ratings.statistics import RatingStatistics

_ITERATIONS = 5  # more of them predict ratings held out no better
_BLOCK_USERS = 4096  # users whose sums [D, D] are held at a time
# Where the estimation starts, as shares of the ratings' variance, and the least noise it may reach.
_BIAS_SHARE, _FACTOR_SHARE, _NOISE_SHARE, _LEAST_NOISE = 0.2, 0.15, 0.65, 1e-3


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
    rated = ~np.isnan(histories.ratings)
    owners = histories.rows[rated]
    items = histories.items[rated].astype(np.int64)
    deviations = histories.ratings[rated] - statistics.global_mean
    variance = max(float(deviations.var()), 1e-6)
    shares = np.concatenate([[_BIAS_SHARE], np.full(vectors.shape[1], _FACTOR_SHARE)])
    item_vectors = np.column_stack([np.ones(len(vectors)), _directions(vectors)]) * np.sqrt(variance * shares)
    noise = _NOISE_SHARE * variance
    for _ in range(_ITERATIONS):
        biases = statistics.item_biases[items]
        ratings = _Ratings(owners, items, deviations - biases, (len(histories), len(vectors)))
        item_vectors, noise, left = _maximise(item_vectors, noise, ratings)
        noise = max(noise, _LEAST_NOISE * variance)
        sums = np.bincount(items, left + biases, len(vectors)).astype(np.float64)
        statistics = replace(statistics, item_sums=sums)
    return replace(statistics, factors=RatingFactors(item_vectors.astype(np.float32), noise))


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


def _maximise(vectors: Float64Array, noise: float, ratings: _Ratings) -> tuple[Float64Array, float, Float64Array]:
    """One step of expectation maximisation.

    Returns:
        Item vectors [N, D] for which the tastes have unit variance again, the variance of the noise, and what the
        tastes leave of every residual [R].
    """
    dim = vectors.shape[1]
    covariance, spread, raters = np.zeros((dim, dim)), 0.0, 0
    left = np.empty(len(ratings.items))
    for start in range(0, ratings.shape[0], _BLOCK_USERS):
        part = slice(*np.searchsorted(ratings.owners, [start, start + _BLOCK_USERS]))
        users, rows = np.unique(ratings.owners[part], return_inverse=True)
        items, residuals = ratings.items[part], ratings.residuals[part]
        used, columns = np.unique(items, return_inverse=True)  # D * D numbers of each are held, so not of all items
        cells, shape = (rows, columns), (len(users), len(used))
        near = vectors[used]
        outer = (near[:, :, None] * near[:, None, :]).reshape(len(used), dim * dim)
        grams = (sp.csr_array((np.ones(len(items)), cells), shape) @ outer).reshape(-1, dim, dim)
        sums = sp.csr_array((residuals, cells), shape) @ near
        uncertain = np.linalg.inv(grams / noise + np.eye(dim))  # covariance of each user's taste
        tastes = (uncertain @ sums[:, :, None])[..., 0] / noise
        left[part] = residuals - np.einsum("rd,rd->r", tastes[rows], vectors[items])
        covariance += tastes.T @ tastes + uncertain.sum(axis=0)
        spread += float(np.einsum("uij,uij->", grams, uncertain))
        raters += len(users)
    scaled = vectors @ np.linalg.cholesky(covariance / raters)
    return scaled, (float(left @ left) + spread) / len(left), left
