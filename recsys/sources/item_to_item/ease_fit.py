"""Fit EASE (needs SciPy; serving does not)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from recsys.core.errors import ConfigError
from recsys.core.histories import Histories
from recsys.sources.fitting import Fit, FitData
from recsys.sources.interactions import user_item_matrix
from recsys.sources.item_to_item.neighbours_fit import neighbour_lists
from recsys.sources.item_to_item.settings import EaseSettings
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.support import chosen_both

# Up to this many items the matrix is inverted in float64 (512 MB), beyond in float32, which gave the same lists.
_DOUBLE_UP_TO = 8192
_BLOCK = 1024


def fit_ease(histories: Histories, n_items: int, *, l2: float = 50.0, k: int = 100, decay: float = 1.0) -> ItemToItem:
    """Embarrassingly shallow autoencoder (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019).

    The weights B [N, N] with zero diagonal that best reproduce the interactions X [U, N] from themselves,
    |X - XB|^2 + l2 |B|^2, in closed form: B_ij = -P_ij / P_jj with P = (X'X + l2 I)^-1. Row i, the `k` highest
    positive weights of it, is the list of item i: on Beauty (12,101 items) negative weights lowered NDCG@10 a little,
    however they were kept (.0582 to .0597 on validation).

    Takes memory for N^2 numbers, and time with N^3: half a minute for 12,000 items on two cores.

    Args:
        histories: training interactions, row u is user u; X holds their weights.
        n_items: size of the catalogue.
        l2: weight of the squared weights.
        k: length of the lists.
        decay: recency decay of the source.

    Raises:
        ConfigError: `l2` is too small for the matrix to be inverted.
    """
    inverse = _inverse(_gram(histories, n_items), l2)
    diagonal = np.diagonal(inverse).copy()
    # The matrix is symmetric, and columns lie in memory as they are read.
    lists = neighbour_lists(
        lambda block: (-inverse[:, block].T / diagonal).astype(np.float32), n_items, k, itself=False
    )
    return ItemToItem("ease", *lists, decay, support=chosen_both(histories, lists[0]))


def _gram(histories: Histories, n_items: int) -> NDArray[np.floating]:
    """X'X [N, N], in the order of columns that LAPACK works on in place."""
    matrix = user_item_matrix(histories, n_items, np.float64 if n_items <= _DOUBLE_UP_TO else np.float32)
    gram: NDArray[np.floating] = (matrix.T @ matrix).toarray(order="F")
    return gram


def _inverse(gram: NDArray[np.floating], l2: float) -> NDArray[np.floating]:
    """(gram + l2 I)^-1 by Cholesky decomposition, in the memory of `gram`."""
    gram[np.diag_indices(len(gram))] += l2
    double = gram.dtype == np.float64
    factor, invert = (lapack.dpotrf, lapack.dpotri) if double else (lapack.spotrf, lapack.spotri)
    inverse, failed = factor(gram, lower=1, clean=0, overwrite_a=1)
    if not failed:
        inverse, failed = invert(inverse, lower=1, overwrite_c=1)
    if failed:
        raise ConfigError(
            "retrieval.ease_l2 large enough for EASE's matrix to be inverted", f"{l2}", "raise it, to 50 for example"
        )
    # LAPACK fills the lower half.
    for start in range(0, len(inverse), _BLOCK):
        stop = min(start + _BLOCK, len(inverse))
        block = np.tril(inverse[start:stop, start:stop])
        inverse[start:stop, start:stop] = block + np.tril(block, -1).T
        inverse[start:stop, stop:] = inverse[stop:, start:stop].T
    return np.asarray(inverse)


def _fit(data: FitData, _: EaseSettings, **chosen: Any) -> ItemToItem:
    return fit_ease(data.histories, data.n_items, **chosen)


def _too_many_items(data: FitData, settings: EaseSettings) -> str | None:
    if data.n_items <= settings.ease_max_items:
        return None
    return f"{data.n_items:,} items are more than retrieval.ease_max_items ({settings.ease_max_items:,})"


EASE = Fit(_fit, _too_many_items)
