"""Tastes: a user's deviation from the items' biases, as a linear function of item vectors.

Folding a user in takes nothing but the ratings of the history: users unknown to training are served as all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Float64Array, Int64Array
from recsys.pipeline.ratings.kernels import write_tastes

# Weights of a rating relative to the user's next one, one taste each: users drift (Koren, "Collaborative filtering with
# temporal dynamics", KDD 2009), and how fast differs between datasets. The rating head weighs the tastes.
DECAYS = np.array([1.0, 0.9])
_BLOCK_USERS = 4096  # users whose sums [D, D] are held at a time


@dataclass(frozen=True)
class RatingFactors:
    """Item vectors x and the users' tastes z in rating = mean + item bias + x · z + noise, with z ~ N(0, I).

    Zhang and Koren, "Efficient Bayesian hierarchical user modeling for recommendation systems" (SIGIR 2007). A taste is
    estimated by its mean given the user's ratings: a ridge regression.

    Attributes:
        vectors: float32 [N, D], item vectors, scaled so that tastes have unit variance.
        noise: variance of the noise, in squared rating units, above 0.
    """

    vectors: Float32Array
    noise: float

    def fold_in(self, histories: Histories, residuals: Float64Array, rated: Float64Array) -> Float64Array:
        """Tastes [B, G, D] of the users, for each of the G `DECAYS`; 0 without ratings.

        Args:
            histories: of B users.
            residuals: float64 [T], rating less mean and item bias; 0 where unrated.
            rated: float64 [T], 1 if rated, else 0.
        """
        tastes = self.tastes(histories, np.where(rated > 0, residuals, np.nan))
        return tastes.reshape(len(histories), len(DECAYS), -1)

    def tastes(self, histories: Histories, residuals: Float64Array) -> Float64Array:
        """As `fold_in`, of residuals that are NaN where unrated: [B * G, D]."""
        tastes = np.empty((len(histories) * len(DECAYS), self.vectors.shape[1]))
        write_tastes(histories.indptr, histories.items, residuals, self.vectors, self.noise, DECAYS, tastes)
        return tastes

    def prefix_scores(self, histories: Histories, residuals: Float64Array, rated: Float64Array) -> Float64Array:
        """Products x · z of every interaction, from the tastes that those strictly before give: float64 [T, G].

        Arguments as of `fold_in`.
        """
        scores = np.zeros((len(histories.items), len(DECAYS)))
        for users in _longest_first(histories.lengths):
            self._score_prefixes(users, histories, residuals, rated, scores)
        return scores

    def _score_prefixes(
        self,
        users: Int64Array,
        histories: Histories,
        residuals: Float64Array,
        rated: Float64Array,
        scores: Float64Array,
    ) -> None:
        """Fill in the `scores` of users sorted by falling length of their histories, step by step through these."""
        dim, lengths = self.vectors.shape[1], histories.lengths[users]
        grams = np.zeros((len(users), len(DECAYS), dim, dim))
        sums = np.zeros((len(users), len(DECAYS), dim))
        for step in range(int(lengths.max(initial=0))):
            active = int(np.searchsorted(-lengths, -step))  # users with that many interactions and one more
            positions = histories.indptr[users[:active]] + step
            vectors, is_rated = self.vectors[histories.items[positions]].astype(np.float64), rated[positions]
            if step:
                tastes = self._tastes(grams[:active], sums[:active])
                scores[positions] = (tastes @ vectors[:, :, None])[..., 0]
            outer = (is_rated[:, None] * vectors)[:, :, None] * vectors[:, None, :]
            products = residuals[positions][:, None] * vectors
            for index, decay in enumerate(DECAYS):
                kept = np.where(is_rated > 0, decay, 1.0)
                grams[:active, index] *= kept[:, None, None]
                grams[:active, index] += outer
                sums[:active, index] *= kept[:, None]
                sums[:active, index] += products

    def _tastes(self, grams: Float64Array, sums: Float64Array) -> Float64Array:
        """Tastes [..., D] from the sums of x xᵀ [..., D, D] and of x · residual [..., D]."""
        ridge = self.noise * np.eye(grams.shape[-1])
        return np.asarray(np.linalg.solve(grams + ridge, sums[..., None])[..., 0], np.float64)


def _longest_first(lengths: Int64Array) -> Iterator[Int64Array]:
    """Blocks of the users with a history, by falling length."""
    users = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    for start in range(0, len(users), _BLOCK_USERS):
        yield users[start : start + _BLOCK_USERS]
