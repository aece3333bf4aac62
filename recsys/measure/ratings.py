"""How well ratings are predicted, against the mean, user and item biases, SVD and SVD++.

The head and the biases know the same: the ratings in train, and of each user the ratings in the history that the
query carries. SVD and SVD++ know what they were fitted on, see `rating_models`. Where they are fitted again on train
and validation, the head is given once more with the items' ratings of both, but nothing of it trained again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from recsys.config import EvaluationConfig
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array
from recsys.measure.metrics import bootstrap_means, rmse
from recsys.measure.protocol import HeldOut
from recsys.measure.rating_models import REFIT, FactorModels, fit_factor_models
from recsys.measure.results import Estimate, RatingErrors, RatingResults
from recsys.measure.tally import estimate
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset

HEAD, HEAD_REFIT, GLOBAL_MEAN = "ranking_head", "ranking_head_refit", "global_mean"
TUNED_BIAS, BIAS = "user_item_bias_tuned", "user_item_bias"
# What the head is compared with: the best of each.
FAMILIES = {"bias": (TUNED_BIAS, BIAS), **{name: (name, refitted) for name, refitted in REFIT.items()}}

PredictRatings = Callable[[Queries, Int32Array], Float32Array]
"""(B queries, item rows int32 [B, K] padded with `NO_ITEM`) -> predicted ratings float32 [B, K]."""


@dataclass(frozen=True)
class BiasModel:
    """Global mean + item bias + user bias, each bias a damped mean of what the former leave.

    Koren, 2010, "Factor in the Neighbors: Scalable and Accurate Collaborative Filtering", section 2.1.

    Attributes:
        mean: of all train ratings.
        item_bias: float64 [n_items]; 0 for an item without a rating in train.
        user_damping: ratings without deviation added to each user's own.
    """

    mean: float
    item_bias: Float64Array
    user_damping: float

    @classmethod
    def fit(cls, train: Histories, n_items: int, item_damping: float, user_damping: float) -> BiasModel:
        """Fit on the rated entries of `train`, of which there must be at least one."""
        rated = ~np.isnan(train.ratings)
        items, ratings = train.items[rated], train.ratings[rated].astype(np.float64)
        mean = float(ratings.mean())
        return cls(mean, _damped_means(items, ratings - mean, n_items, item_damping), user_damping)

    def predict(self, histories: Histories, rows: NDArray[np.integer], items: NDArray[np.integer]) -> Float64Array:
        """Ratings float64 [R] of `items` [R] by the users whose histories are the given `rows` [R]."""
        rated = ~np.isnan(histories.ratings)
        owners = histories.rows[rated]
        left = histories.ratings[rated] - self.mean - self.item_bias[histories.items[rated]]
        user_bias = _damped_means(owners, left, len(histories), self.user_damping)
        result: Float64Array = self.mean + self.item_bias[items] + user_bias[rows]
        return result


def _damped_means(
    groups: NDArray[np.integer], values: NDArray[np.floating], count: int, damping: float
) -> Float64Array:
    sums = np.bincount(groups, values, count)
    sizes = np.bincount(groups, minlength=count) + damping
    result: Float64Array = np.divide(sums, sizes, out=np.zeros(count), where=sizes > 0)
    return result


def tune_bias(dataset: PreparedDataset, dampings: Sequence[float]) -> dict[str, Any] | None:
    """The item and user damping with the least RMSE on validation, and all tried.

    Returns:
        {"item_damping", "user_damping", "rmse", "tried": [...]}; None without ratings in train or validation.
    """
    train = dataset.histories((c.TRAIN,))
    if np.isnan(train.ratings).all() or not (dataset.interactions[c.SPLIT] == c.VALIDATION).any():
        return None
    held = HeldOut.of(dataset, c.VALIDATION)
    if held.ratings.empty:
        return None
    rows, items, actual = flat(held)
    tried = []
    for item_damping, user_damping in itertools.product(dampings, dampings):
        model = BiasModel.fit(train, dataset.n_items, item_damping, user_damping)
        error = rmse(model.predict(held.queries.histories, rows, items), actual)
        tried.append({"item_damping": item_damping, "user_damping": user_damping, "rmse": error})
    return {**min(tried, key=lambda trial: trial["rmse"]), "tried": tried}


def evaluate_ratings(
    dataset: PreparedDataset,
    held: HeldOut,
    predict: PredictRatings | None,
    refitted: PredictRatings | None = None,
    *,
    dampings: Sequence[float],
    head_damping: float,
    samples: int,
    seed: int,
    factor_grids: EvaluationConfig | None = None,
) -> RatingResults | None:
    """RMSE and MAE of the ranking head (where there is one), SVD, SVD++, biases and mean, with 95% intervals.

    Ratings drift, so that the damping best on validation need not be best later: the biases are given
    twice, tuned and with the damping of the head's own features. The head must beat the better one.

    Args:
        dataset: its train split fits the baselines, its validation split their damping.
        held: the queries whose rated items are predicted.
        predict: the ranking head; None for a system without one.
        refitted: the head with the items' ratings of train and validation, as SVD and SVD++ are given them; None where
            `held` is of validation.
        dampings: values tried of item and of user damping.
        head_damping: the damping of the head's features.
        samples: bootstrap resamples of users.
        seed: of the bootstrap and of SVD and SVD++.
        factor_grids: the settings of SVD and SVD++ tried; None: neither is fitted.

    Returns:
        Figures for metrics.json; None where train, validation or `held` has no ratings. With a head, the paired
        differences of its RMSE to the better of the biases and to the better fit of SVD and of SVD++.
    """
    tuned = None if held.ratings.empty else tune_bias(dataset, dampings)
    if tuned is None:
        return None
    rows, items, actual = flat(held)
    train = dataset.histories((c.TRAIN,))
    biases = {
        TUNED_BIAS: BiasModel.fit(train, dataset.n_items, tuned["item_damping"], tuned["user_damping"]),
        BIAS: BiasModel.fit(train, dataset.n_items, head_damping, head_damping),
    }
    predictions = {name: bias.predict(held.queries.histories, rows, items) for name, bias in biases.items()}
    factors = FactorModels() if factor_grids is None else fit_factor_models(dataset, held, factor_grids, seed)
    predictions |= factors.predictions
    predictions[GLOBAL_MEAN] = np.full(len(actual), biases[BIAS].mean)
    if predict is not None:
        predictions[HEAD] = predict_in_blocks(held, dataset.n_items, predict)
    if refitted is not None:
        predictions[HEAD_REFIT] = predict_in_blocks(held, dataset.n_items, refitted)
    errors = {name: predicted - actual for name, predicted in predictions.items()}
    boot = _bootstrap_errors(rows, errors, samples, seed)
    result: RatingResults = {
        "count": len(actual),
        "users": len(np.unique(rows)),
        "train_mean": biases[BIAS].mean,
        "tuned_damping": tuned,
        "head_damping": head_damping,
        "factor_models": factors.report,
        "models": {
            name: {
                "rmse": estimate(float(np.sqrt(np.mean(np.square(error)))), boot[name]["rmse"]),
                "mae": estimate(float(np.mean(np.abs(error))), boot[name]["mae"]),
            }
            for name, error in errors.items()
        },
    }
    gaps: dict[str, dict[str, Any]] = {}
    for name, family in FAMILIES.items() if HEAD in errors else ():
        present = [model for model in family if model in errors]
        if present:
            best, gap = _head_minus_best(present, result["models"], boot)
            gaps[f"head_minus_{name}"] = {name: best, **gap}
    return cast(RatingResults, {**result, **gaps})


def _head_minus_best(
    others: Sequence[str], models: Mapping[str, RatingErrors], boot: dict[str, dict[str, Float64Array]]
) -> tuple[str, Estimate]:
    """The best of the others, and the head's RMSE less its RMSE with the paired interval."""
    best = min(others, key=lambda name: models[name]["rmse"]["mean"])
    gap = models[HEAD]["rmse"]["mean"] - models[best]["rmse"]["mean"]
    return best, estimate(gap, boot[HEAD]["rmse"] - boot[best]["rmse"])


def flat(held: HeldOut) -> tuple[Int64Array, Int32Array, Float64Array]:
    """Query row, item and rating of each rated entry."""
    frame = held.ratings
    return (
        frame["query"].to_numpy(np.int64),
        frame[c.ITEM].to_numpy(np.int32),
        frame[c.RATING].to_numpy(np.float64),
    )


def predict_in_blocks(held: HeldOut, n_items: int, predict: PredictRatings) -> Float64Array:
    """Predicted ratings float64 [R] of the rated entries of `held`, in the order of `flat`."""
    parts = [np.empty(0)]
    for _, block in held.blocks(n_items):
        rows, items, _ = flat(block)
        if not len(rows):
            continue
        column = np.arange(len(rows)) - np.searchsorted(rows, rows)  # position among the user's rated entries
        padded = np.full((len(block), int(column.max()) + 1), NO_ITEM, np.int32)
        padded[rows, column] = items
        parts.append(np.asarray(predict(block.queries, padded), np.float64)[rows, column])
    return np.concatenate(parts)


def _bootstrap_errors(
    rows: Int64Array, errors: dict[str, Float64Array], samples: int, seed: int
) -> dict[str, dict[str, Float64Array]]:
    """Resampled RMSE and MAE of each model, users as the unit: [samples] each."""
    _, groups = np.unique(rows, return_inverse=True)
    columns: list[NDArray[np.floating | np.integer]] = [np.bincount(groups)]
    for error in errors.values():
        columns += [np.bincount(groups, np.square(error)), np.bincount(groups, np.abs(error))]
    means = bootstrap_means(np.column_stack(columns).astype(np.float64), samples, seed)
    return {
        name: {
            "rmse": np.sqrt(means[:, 1 + 2 * number] / means[:, 0]),
            "mae": means[:, 2 + 2 * number] / means[:, 0],
        }
        for number, name in enumerate(errors)
    }
