"""Fit ALS and BPR with the library `implicit` (serving does not)."""

from __future__ import annotations

from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy import sparse
from threadpoolctl import threadpool_limits

from recsys.core.histories import Histories
from recsys.sources.factors.fold_in import FoldIn
from recsys.sources.factors.implicit_weights import implicit_weights
from recsys.sources.factors.settings import AlsSettings, BprSettings, InteractionWeightSettings
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.fitting import Fit, FitData
from recsys.sources.interactions import user_item_matrix


def fit_als(
    histories: Histories,
    n_items: int,
    *,
    factors: int = 64,
    regularization: float = 0.01,
    alpha: float = 1.0,
    iterations: int = 15,
    seed: int = 0,
) -> ImplicitFactors:
    """Alternating least squares on implicit feedback (Hu, Koren & Volinsky, ICDM 2008).

    The same seed gives the same factors, whatever the number of cores: every row is solved on its own, and the sums
    over all rows run on one thread.

    Args:
        histories: training interactions, row u is user u; weights are confidences.
        n_items: size of the catalogue.
        factors: D.
        regularization: weight of the squared factors.
        alpha: confidence of an interaction of weight 1; that of a missing one is 1.
        iterations: alternations of users and items.
        seed: of the factors to start from.
    """
    # A pool of BLAS threads inside implicit's own threads slows it down tenfold, and changes the order of sums.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=iterations,
            random_state=seed,
        )
        model.fit(sparse.csr_matrix(user_item_matrix(histories, n_items, np.float32)), show_progress=False)
        item_factors = np.asarray(model.item_factors, np.float32)
        gram = item_factors.T.astype(np.float64) @ item_factors.astype(np.float64)
    return ImplicitFactors("als", item_factors, fold_in=FoldIn(gram, regularization, alpha))


def fit_bpr(
    histories: Histories,
    n_items: int,
    *,
    factors: int = 64,
    learning_rate: float = 0.02,
    regularization: float = 0.01,
    iterations: int = 100,
    seed: int = 0,
) -> ImplicitFactors:
    """Bayesian personalised ranking (Rendle et al., UAI 2009) by stochastic gradient descent.

    Runs on one thread: several would write to the same factors at once, and no two runs would agree.

    Args:
        histories: training interactions, row u is user u. Positive examples are drawn evenly from the distinct
            (user, item) pairs: BPR knows preferences, not confidences, and ignores weights.
        n_items: size of the catalogue.
        factors: D.
        learning_rate: step of the gradient descent.
        regularization: weight of the squared factors.
        iterations: passes over the interactions.
        seed: of the factors to start from and of the examples drawn.
    """
    with threadpool_limits(1, "blas"):
        model = BayesianPersonalizedRanking(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            num_threads=1,
            random_state=seed,
        )
        model.fit(sparse.csr_matrix(user_item_matrix(histories, n_items, np.float32)), show_progress=False)
    # The last column of the item factors is the bias, that of the user factors 1.
    item_factors = np.ascontiguousarray(model.item_factors[:, :-1], np.float32)
    return ImplicitFactors("bpr", item_factors, np.ascontiguousarray(model.item_factors[:, -1], np.float32))


def _als(data: FitData, settings: AlsSettings, **chosen: Any) -> ImplicitFactors:
    weighted = _weighted(data, settings)
    return fit_als(weighted, data.n_items, iterations=settings.als_iterations, seed=data.seed, **chosen)


def _bpr(data: FitData, settings: BprSettings, **chosen: Any) -> ImplicitFactors:
    weighted = _weighted(data, settings)
    return fit_bpr(weighted, data.n_items, iterations=settings.bpr_iterations, seed=data.seed, **chosen)


def _weighted(data: FitData, settings: InteractionWeightSettings) -> Histories:
    return implicit_weights(
        data.histories,
        prices=None if data.prices is None else data.prices[data.histories.items],
        quantities=data.quantities,
        spending_power=settings.spending_power,
        quantity_power=settings.quantity_power,
    )


ALS, BPR = Fit(_als), Fit(_bpr)
