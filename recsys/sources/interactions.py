"""Histories as one sparse matrix, which the `*_fit` modules factorise or multiply."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recsys.core.histories import Histories


def user_item_matrix(histories: Histories, n_items: int, precision: type[np.floating] = np.float64) -> sparse.csr_array:
    """[U, n_items] of the given precision: weights of each user's interactions, those with one item added up."""
    weights: NDArray[np.floating] = histories.weights.astype(precision)
    return sparse.coo_array((weights, (histories.rows, histories.items)), shape=(len(histories), n_items)).tocsr()
