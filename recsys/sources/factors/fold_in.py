"""User vectors of ALS in closed form."""

from __future__ import annotations

import numpy as np

from recsys.core.histories import Histories
from recsys.core.item_slots import item_slots
from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.sources.factors.kernels import write_fold_in
from recsys.sources.factors.rows import rows_of

_LEAST_RIDGE = 1e-6  # of the mean squared factor: keeps the equations solvable without regularisation


class FoldIn:
    """User vectors of ALS from each user's present history, and from nothing else.

    Hu, Koren & Volinsky, "Collaborative filtering for implicit feedback datasets" (ICDM 2008), the equation
    for x_u with preference 1 of every item of the history:

        x = (Y'Y + Y'(C - I)Y + l I)^-1 Y'C 1

    Y'Y [D, D] is the same for everyone. The confidence of a distinct history item is `alpha` times the sum of its
    weights, that of all other items 1 (the convention of the library `implicit`).

    Attributes:
        gram: float64 [D, D], Y'Y over the whole catalogue.
        regularization: l.
        alpha: confidence of an interaction of weight 1.
    """

    def __init__(self, gram: Float64Array, regularization: float, alpha: float) -> None:
        self.gram, self.regularization, self.alpha = gram, regularization, alpha
        width = len(gram)
        ridge = max(regularization, _LEAST_RIDGE * np.trace(gram) / max(width, 1), np.finfo(np.float64).tiny)
        self._ridged: Float64Array = gram + ridge * np.eye(width)
        self._inverse: Float64Array = np.linalg.inv(self._ridged)

    def solve(self, histories: Histories, factors: Float32Array, n_items: int) -> Float64Array:
        """User vectors, float64 [B, D]; zero for an empty history.

        With V [n, D] the factors of a history of n distinct items, c their confidences, S = diag(c - 1) and
        M = Y'Y + l I, the equation reads (M + V'SV) x = V'c. A history of fewer items than factors is solved in
        n unknowns instead of D, by the identity x = M^-1 V' (I + S V M^-1 V')^-1 c.

        Args:
            histories: of B users.
            factors: float32 [N, D], of all items that have any.
            n_items: size of the catalogue, N or more.
        """
        solution = np.zeros((len(histories), len(self.gram)))
        interactions = histories.indptr, histories.items, histories.weights
        taken = rows_of(factors, histories.items).astype(np.float64)
        write_fold_in(*interactions, taken, taken @ self._inverse, self.alpha, item_slots.of(n_items), solution)
        for row in np.flatnonzero(np.isnan(solution[:, :1])):
            part = slice(histories.indptr[row], histories.indptr[row + 1])
            items, number = np.unique(histories.items[part], return_inverse=True)
            trusted = self.alpha * np.bincount(number, histories.weights[part])
            taken = rows_of(factors, items).astype(np.float64)
            system = self._ridged + taken.T @ ((trusted - 1)[:, None] * taken)
            solution[row] = np.linalg.solve(system, taken.T @ trusted)
        return solution

    def parts(self, items: Int32Array, weights: Float64Array, factors: Float64Array) -> Float64Array:
        """What each interaction of one history adds to the user's vector: float64 [L, D].

        The vector is linear in the confidences on the right-hand side of the equation, x = (M + V'SV)^-1 V'c, so that
        its parts are exact (section 5 of the paper, "Explaining recommendations").

        Args:
            items: int32 [L], with repetitions.
            weights: float64 [L], of the interactions.
            factors: float64 [L, D], of the items.
        """
        if not len(items):
            return factors
        _, first, number = np.unique(items, return_index=True, return_inverse=True)
        trusted = self.alpha * np.bincount(number, weights)
        distinct = factors[first]
        system = self._ridged + distinct.T @ ((trusted - 1)[:, None] * distinct)
        right = (factors * (self.alpha * weights)[:, None]).T
        return np.asarray(np.linalg.solve(system, right).T, np.float64)
