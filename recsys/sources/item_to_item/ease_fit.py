"""Fit EASE (needs SciPy; serving does not)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from recsys.core.errors import ConfigError
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Int32Array, Int64Array
from recsys.sources.fitting import Fit, FitData
from recsys.sources.interactions import user_item_matrix
from recsys.sources.item_to_item.neighbours_fit import neighbour_lists
from recsys.sources.item_to_item.settings import EaseSettings
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.item_to_item.support import chosen_both

# Up to this many items the matrix is inverted in float64 (512 MB), beyond in float32, which gave the same lists.
_DOUBLE_UP_TO = 8192
_BLOCK = 1024


def fit_ease(
    histories: Histories,
    n_items: int,
    *,
    l2: float = 50.0,
    k: int = 100,
    decay: float = 1.0,
    most_items: int | None = None,
) -> ItemToItem:
    """Embarrassingly shallow autoencoder (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019).

    The weights B [N, N] with zero diagonal that best reproduce the interactions X [U, N] from themselves,
    |X - XB|^2 + l2 |B|^2, in closed form: B_ij = -P_ij / P_jj with P = (X'X + l2 I)^-1. Row i, the `k` highest
    positive weights of it, is the list of item i: on Beauty (12,101 items) negative weights lowered NDCG@10 a little,
    however they were kept (.0582 to .0597 on validation).

    Takes memory for N^2 numbers, and time with N^3: half a minute for 12,000 items on two cores. In a larger catalogue
    than `most_items` the model is that of the items most often chosen: the others have no list and are in none.

    Args:
        histories: training interactions, row u is user u; X holds their weights.
        n_items: size of the catalogue.
        l2: weight of the squared weights.
        k: length of the lists.
        decay: recency decay of the source.
        most_items: see above; None: all count.

    Raises:
        ConfigError: `l2` is too small for the matrix to be inverted.
    """
    if most_items is None or n_items <= most_items:
        lists = _lists(histories, n_items, l2, k)
    else:
        rows = most_chosen(histories, n_items, most_items)
        numbers = np.full(n_items, NO_ITEM, np.int32)
        numbers[rows] = np.arange(len(rows))
        among = histories.where(numbers[histories.items] != NO_ITEM)
        neighbours, weights = _lists(replace(among, items=numbers[among.items]), len(rows), l2, k)
        lists = np.full((n_items, k), NO_ITEM, np.int32), np.zeros((n_items, k), np.float32)
        lists[0][rows] = np.where(neighbours == NO_ITEM, NO_ITEM, rows[neighbours])
        lists[1][rows] = weights
    return ItemToItem("ease", *lists, decay, support=chosen_both(histories, lists[0]))


def most_chosen(histories: Histories, n_items: int, count: int) -> Int64Array:
    """Rows of the items of the most event weight, in ascending order; of equals the first rows."""
    weights = np.bincount(histories.items, histories.weights, n_items)
    return np.sort(np.argsort(-weights, kind="stable")[:count])


def _lists(histories: Histories, n_items: int, l2: float, k: int) -> tuple[Int32Array, Float32Array]:
    """Neighbours int32 [N, k] and weights float32 [N, k] of a model of all N items."""
    inverse = _inverse(_gram(histories, n_items), l2)
    diagonal = np.diagonal(inverse).copy()
    # The matrix is symmetric, and columns lie in memory as they are read.
    return neighbour_lists(lambda block: (-inverse[:, block].T / diagonal).astype(np.float32), n_items, k, itself=False)


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


def _fit(data: FitData, settings: EaseSettings, **chosen: Any) -> ItemToItem:
    most = data.n_items if data.n_items <= settings.ease_max_items else settings.ease_most_chosen
    return fit_ease(data.histories, data.n_items, most_items=most, **chosen)


def _too_many_items(data: FitData, settings: EaseSettings) -> str | None:
    if data.n_items <= settings.ease_max_items or settings.ease_most_chosen:
        return None
    return (
        f"{data.n_items:,} items are more than retrieval.ease_max_items ({settings.ease_max_items:,}), "
        "and retrieval.ease_most_chosen is 0"
    )


EASE = Fit(_fit, _too_many_items)
