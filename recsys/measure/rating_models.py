"""SVD and SVD++ beside the ranking head: matrix factorisations of the ratings, tuned on validation.

Koren, 2008, "Factorization meets the neighborhood" (KDD), as in the library Surprise (Hug, 2020, JOSS 5(52)).
Neither can take in what a user did after the fit. The ranking head and the biases read a test user's validation
ratings in the history, so that for the test split both are also given fitted again on train and validation, with the
settings chosen before: the stronger opponents where users are new.
"""

from __future__ import annotations

import itertools
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from recsys.config import EvaluationConfig
from recsys.core.types import Float64Array
from recsys.measure.metrics import rmse
from recsys.measure.protocol import HeldOut
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset

SVD, SVD_REFIT = "svd", "svd_refit"
SVDPP, SVDPP_REFIT = "svdpp", "svdpp_refit"
REFIT = {SVD: SVD_REFIT, SVDPP: SVDPP_REFIT}


@dataclass(frozen=True)
class FactorModel:
    """Rating = mean + user bias + item bias + <user factors, item factors>, kept within the range of ratings.

    What the fit did not see has a bias of 0 and no factors.

    Attributes:
        mean: of the ratings fitted on.
        user_bias: float64 [n_users].
        item_bias: float64 [n_items].
        user_factors: float64 [n_users, F]; of SVD++ with the part that the rated items contribute.
        item_factors: float64 [n_items, F].
        limits: the least and the greatest rating fitted on.
    """

    mean: float
    user_bias: Float64Array
    item_bias: Float64Array
    user_factors: Float64Array
    item_factors: Float64Array
    limits: tuple[float, float]

    @classmethod
    def fit(
        cls, name: str, ratings: pd.DataFrame, shape: tuple[int, int], settings: Mapping[str, Any], seed: int
    ) -> FactorModel:
        """Fit by stochastic gradient descent.

        Args:
            name: `SVD` or `SVDPP`.
            ratings: columns user, item and rating, no nulls, each pair once; at least one row.
            shape: (n_users, n_items).
            settings: factors, epochs, learning_rate, regularization.
            seed: of the first factors.
        """
        # On import the library makes a folder for downloads, in the home directory unless told otherwise.
        os.environ.setdefault("SURPRISE_DATA_FOLDER", tempfile.gettempdir())
        import surprise  # noqa: PLC0415 - after the line above, and only where ratings are evaluated

        limits = float(ratings[c.RATING].min()), float(ratings[c.RATING].max())
        columns = ratings[[c.USER, c.ITEM, c.RATING]]
        train = surprise.Dataset.load_from_df(columns, surprise.Reader(rating_scale=limits)).build_full_trainset()
        options = {
            "n_factors": settings["factors"],
            "n_epochs": settings["epochs"],
            "lr_all": settings["learning_rate"],
            "reg_all": settings["regularization"],
            "random_state": seed,
        }
        # The cache changes the speed, not the outcome.
        fitted = (surprise.SVD(**options) if name == SVD else surprise.SVDpp(**options, cache_ratings=True)).fit(train)
        users = np.array([train.to_raw_uid(inner) for inner in train.all_users()])
        items = np.array([train.to_raw_iid(inner) for inner in train.all_items()])
        user_factors = _scattered(fitted.pu, users, shape[0])
        if name == SVDPP:
            user_factors += _implicit_part(ratings, shape, _scattered(fitted.yj, items, shape[1]))
        return cls(
            float(train.global_mean),
            _scattered(fitted.bu, users, shape[0]),
            _scattered(fitted.bi, items, shape[1]),
            user_factors,
            _scattered(fitted.qi, items, shape[1]),
            limits,
        )

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> Float64Array:
        """Ratings float64 [R] of `items` [R] by `users` [R], rows of the dataset."""
        inner = np.einsum("rf,rf->r", self.user_factors[users], self.item_factors[items])
        predicted = self.mean + self.user_bias[users] + self.item_bias[items] + inner
        # A fit that diverged knows nothing.
        result: Float64Array = np.clip(np.nan_to_num(predicted, nan=self.mean), *self.limits)
        return result


@dataclass
class FactorModels:
    """What SVD and SVD++ predict, and how they were set.

    Attributes:
        predictions: name -> float64 [R], of the ratings of the `HeldOut` asked for.
        report: for metrics.json, name -> fitted_on, settings, rmse on validation and all tried (of a refit the first
            two); or skipped, the reason.
    """

    predictions: dict[str, Float64Array] = field(default_factory=dict)
    report: dict[str, dict[str, Any]] = field(default_factory=dict)


def fit_factor_models(dataset: PreparedDataset, held: HeldOut, config: EvaluationConfig, seed: int) -> FactorModels:
    """SVD and SVD++ fitted on train, the settings chosen on validation; for the test split also refitted.

    Args:
        dataset: with ratings in train and validation.
        held: whose ratings are predicted.
        config: the settings tried, and `svdpp_max_ratings`.
        seed: of every fit.
    """
    shape = dataset.n_users, dataset.n_items
    train, validation = (_ratings(dataset, [split]) for split in (c.TRAIN, c.VALIDATION))
    users = held.users[held.ratings["query"].to_numpy(np.int64)]
    items = held.ratings[c.ITEM].to_numpy(np.int64)
    models = FactorModels()
    for name, refitted in REFIT.items():
        if name == SVDPP and len(train) > config.svdpp_max_ratings:
            reason = f"{len(train):,} training ratings, evaluation.svdpp_max_ratings is {config.svdpp_max_ratings:,}"
            models.report[name] = {"skipped": reason}
            continue
        model, tuned = _tune(name, train, validation, shape, grid(name, config), seed)
        models.predictions[name] = model.predict(users, items)
        models.report[name] = {"fitted_on": [c.TRAIN], **tuned}
        if held.split == c.TEST:
            both = _ratings(dataset, [c.TRAIN, c.VALIDATION])
            model = FactorModel.fit(name, both, shape, tuned["settings"], seed)
            models.predictions[refitted] = model.predict(users, items)
            models.report[refitted] = {"fitted_on": [c.TRAIN, c.VALIDATION], "settings": tuned["settings"]}
    return models


def grid(name: str, config: EvaluationConfig) -> list[dict[str, Any]]:
    """Every combination of the settings of `SVD` or `SVDPP`."""
    keys = ("factors", "epochs", "learning_rate", "regularization")
    return [
        dict(zip(keys, values, strict=True))
        for values in itertools.product(*(getattr(config, f"{name}_{key}") for key in keys))
    ]


def _tune(
    name: str,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    shape: tuple[int, int],
    settings: Sequence[dict[str, Any]],
    seed: int,
) -> tuple[FactorModel, dict[str, Any]]:
    """The model with the least RMSE on validation, and for the report its settings, its RMSE and all tried."""
    users, items = validation[c.USER].to_numpy(), validation[c.ITEM].to_numpy()
    actual = validation[c.RATING].to_numpy(np.float64)
    tried, least, best = [], math.inf, 0
    for number, setting in enumerate(settings):
        candidate = FactorModel.fit(name, train, shape, setting, seed)
        error = rmse(candidate.predict(users, items), actual)
        tried.append({**setting, "rmse": error})
        if error < least:
            model, least, best = candidate, error, number
    return model, {"settings": settings[best], "rmse": least, "tried": tried}


def _ratings(dataset: PreparedDataset, splits: list[str]) -> pd.DataFrame:
    """Columns user, item and rating of the rated interactions of the splits."""
    part = dataset.of_splits(splits)
    return part.loc[part[c.RATING].notna(), [c.USER, c.ITEM, c.RATING]]


def _scattered(values: Float64Array, rows: NDArray[np.integer], count: int) -> Float64Array:
    """`values` [len(rows), ...] at the given rows of `count`, elsewhere 0."""
    result = np.zeros((count, *values.shape[1:]))
    result[rows] = values
    return result


def _implicit_part(ratings: pd.DataFrame, shape: tuple[int, int], implicit: Float64Array) -> Float64Array:
    """Each user's sum of the `implicit` factors [n_items, F] of the items rated, over the root of their number."""
    users, items = ratings[c.USER].to_numpy(), ratings[c.ITEM].to_numpy()
    counts = np.bincount(users, minlength=shape[0])
    weights = 1 / np.sqrt(counts[users])
    result: Float64Array = sparse.csr_array((weights, (users, items)), shape) @ implicit
    return result
