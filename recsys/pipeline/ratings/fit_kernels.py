"""Compiled loops of fitting ratings, see `recsys.core.compiled`; apart from `kernels`, whose loops a server reads."""

from __future__ import annotations

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.types import Float64Array, Int64Array
from recsys.pipeline.ratings.kernels import solve


@compiled
def move_vectors(
    indptr: Int64Array,
    raters: Int64Array,
    residuals: Float64Array,
    tastes: Float64Array,
    uncertainty: Float64Array,
    ridge: float,
    vectors: Float64Array,
) -> None:
    """Move the item vectors [N, D] to where they explain best what their raters' tastes z leave unexplained.

    The move d of an item's vector x minimises the expected sum of (residual - z · (x + d))² over its ratings, plus
    ridge · d · d. Of a taste its mean is known, and its covariance on average.

    Args:
        indptr: [N + 1], the ratings of each item.
        raters, residuals: [R], the user of each rating, and the rating less mean and item bias.
        tastes: [U, D], means of the tastes.
        uncertainty: [D, D], mean covariance of a taste.
        ridge: above 0.
        vectors: see above.
    """
    dim = vectors.shape[1]
    system, move = np.empty((dim, dim)), np.empty(dim)
    for item in range(len(indptr) - 1):
        count = indptr[item + 1] - indptr[item]
        for row in range(dim):
            move[row] = 0
            for column in range(dim):
                move[row] -= count * uncertainty[row, column] * vectors[item, column]
            for column in range(row + 1):
                system[row, column] = count * uncertainty[row, column]
            system[row, row] += ridge
        for rating in range(indptr[item], indptr[item + 1]):
            user, left = raters[rating], residuals[rating]
            for factor in range(dim):
                left -= tastes[user, factor] * vectors[item, factor]
            for row in range(dim):
                move[row] += tastes[user, row] * left
                for column in range(row + 1):
                    system[row, column] += tastes[user, row] * tastes[user, column]
        solve(system, move, dim)
        for factor in range(dim):
            vectors[item, factor] += move[factor]
