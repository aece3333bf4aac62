from __future__ import annotations

import importlib
import math

import numpy as np
import pandas as pd
import pytest

from recsys.config import EvaluationConfig
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.measure.protocol import HeldOut
from recsys.measure.rating_models import (
    REFIT,
    SVD,
    SVD_REFIT,
    SVDPP,
    SVDPP_REFIT,
    FactorModel,
    fit_factor_models,
    grid,
)
from recsys.measure.ratings import (
    BIAS,
    GLOBAL_MEAN,
    HEAD,
    HEAD_REFIT,
    TUNED_BIAS,
    BiasModel,
    PredictRatings,
    evaluate_ratings,
    tune_bias,
)
from recsys.pipeline.ratings.statistics import RatingStatistics
from recsys.prepare.prepared import PreparedDataset
from recsys.report.names import rating_labels
from tests.support.datasets import TEST, TRAIN, VALIDATION, Interaction, make_dataset


def random_interactions(seed: int = 0, n_users: int = 40, n_items: int = 15) -> list[Interaction]:
    """Ratings with user and item biases; five train, two validation, three test interactions a user."""
    rng = np.random.default_rng(seed)
    user_bias, item_bias = rng.normal(scale=0.7, size=n_users), rng.normal(scale=0.7, size=n_items)
    rows: list[Interaction] = []
    for user in range(n_users):
        items = rng.choice(n_items, 10, replace=False)
        for time, item in enumerate(items):
            rating = (
                None if rng.random() < 0.1 else float(3 + user_bias[user] + item_bias[item] + rng.normal(scale=0.3))
            )
            rows.append((user, int(item), time, rating, TRAIN if time < 5 else VALIDATION if time < 7 else TEST))
    return rows


def test_biases_by_hand() -> None:
    # Mean 3. Item 0: (5 - 3 + 4 - 3) / (2 + 1) = 1; item 1: (0) / (2 + 1) = 0.
    train = Histories.from_rows(
        2, np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 2]), np.arange(5), np.array([5, 3, 4, 3, 0])
    )
    model = BiasModel.fit(train, 4, item_damping=1, user_damping=2)
    assert model.mean == 3
    assert model.item_bias.tolist() == [1, 0, -1.5, 0]
    # History of the asked user: item 0 rated 5, left 5 - 3 - 1 = 1; damped 1 / (1 + 2).
    history = Histories.from_rows(2, np.array([1, 1]), np.array([0, 1]), np.arange(2), np.array([5, np.nan]))
    predicted = model.predict(history, np.array([1, 1, 0]), np.array([0, 3, 2]))
    assert predicted.tolist() == pytest.approx([3 + 1 + 1 / 3, 3 + 1 / 3, 1.5])


def test_no_damping_and_no_ratings_is_no_bias() -> None:
    train = Histories.from_rows(1, np.array([0]), np.array([0]), np.array([0]), np.array([4.0]))
    model = BiasModel.fit(train, 2, item_damping=0, user_damping=0)
    empty = Histories.from_rows(1, np.empty(0, int), np.empty(0, int), np.empty(0, int))
    assert model.predict(empty, np.array([0, 0]), np.array([0, 1])).tolist() == [4, 4]


def test_tuning_takes_the_least_validation_error() -> None:
    tuned = tune_bias(make_dataset(random_interactions(), 40, 15), [0.0, 2.0, 50.0])
    assert tuned is not None
    assert len(tuned["tried"]) == 9
    assert tuned["rmse"] == min(trial["rmse"] for trial in tuned["tried"])
    assert tuned["item_damping"] < 50


def test_a_head_that_is_the_biases_scores_as_the_biases() -> None:
    """The features of the rating head and the baseline are written independently; their errors must agree."""
    dataset = make_dataset(random_interactions(), 40, 15)
    train = dataset.histories((TRAIN,))
    statistics = RatingStatistics.fit(train.items, train.ratings, 15, damping=3.0)

    def head(queries: Queries, items: np.ndarray) -> np.ndarray:
        assert (items != NO_ITEM).any(axis=1).sum() > 30
        features = statistics.features(queries.histories, np.maximum(items, 0))
        return statistics.global_mean + features[..., 0] + features[..., 2]

    held = HeldOut.of(dataset, TEST)
    result = evaluate_ratings(dataset, held, head, dampings=[1.0, 9.0], head_damping=3.0, samples=200, seed=0)
    assert result is not None
    models = result["models"]
    assert result["count"] == len(held.ratings)
    assert models[HEAD]["rmse"]["mean"] == pytest.approx(models[BIAS]["rmse"]["mean"], abs=1e-6)
    assert models[HEAD]["mae"]["mean"] == pytest.approx(models[BIAS]["mae"]["mean"], abs=1e-6)
    assert models[TUNED_BIAS]["rmse"]["mean"] < models[GLOBAL_MEAN]["rmse"]["mean"]
    for model in models.values():
        assert model["rmse"]["low"] < model["rmse"]["mean"] < model["rmse"]["high"]


def test_errors_are_those_of_each_rating_with_its_prediction() -> None:
    dataset = make_dataset(random_interactions(1), 40, 15)
    held = HeldOut.of(dataset, TEST)
    truth = {(int(q), int(i)): float(r) for q, i, r in held.ratings.to_numpy()}

    def off_by_item(queries: Queries, items: np.ndarray) -> np.ndarray:
        """The true rating plus a tenth of the item's row, NaN where nothing is asked."""
        predicted = np.full(items.shape, np.nan)
        for row, user in enumerate(queries.users):
            for column, item in enumerate(items[row]):
                if item != NO_ITEM:
                    predicted[row, column] = truth[int(user), int(item)] + item / 10
        return predicted

    result = evaluate_ratings(dataset, held, off_by_item, dampings=[1.0], head_damping=1.0, samples=50, seed=0)
    assert result is not None
    items = held.ratings["item"].to_numpy()
    assert result["models"][HEAD]["rmse"]["mean"] == pytest.approx(math.sqrt(np.mean((items / 10) ** 2)))
    assert result["models"][HEAD]["mae"]["mean"] == pytest.approx(np.mean(items / 10))
    gap = result["head_minus_bias"]
    better = min(result["models"][name]["rmse"]["mean"] for name in (BIAS, TUNED_BIAS))
    assert gap["mean"] == pytest.approx(result["models"][HEAD]["rmse"]["mean"] - better)
    assert gap["low"] <= gap["mean"] <= gap["high"]


def test_the_head_with_refitted_ratings_stands_beside_the_head() -> None:
    dataset = make_dataset(random_interactions(1), 40, 15)
    held = HeldOut.of(dataset, TEST)

    def constant(value: float) -> PredictRatings:
        return lambda queries, items: np.full(items.shape, value, np.float32)

    heads = constant(3.0), constant(3.5)
    result = evaluate_ratings(dataset, held, *heads, dampings=[1.0], head_damping=1.0, samples=20, seed=0)
    assert result is not None
    actual = held.ratings["rating"].to_numpy(np.float64)
    for name, value in ((HEAD, 3.0), (HEAD_REFIT, 3.5)):
        assert result["models"][name]["rmse"]["mean"] == pytest.approx(math.sqrt(np.mean((value - actual) ** 2)))
    assert next(iter(rating_labels({"models": result["models"]}))) == HEAD


@pytest.mark.parametrize("without", [TRAIN, VALIDATION, TEST])
def test_a_split_without_ratings_gives_no_figures(without: str) -> None:
    rows = [(u, i, t, None if split == without else r, split) for u, i, t, r, split in random_interactions()]
    dataset = make_dataset(rows, 40, 15)
    held = HeldOut.of(dataset, TEST)
    assert evaluate_ratings(dataset, held, None, dampings=[1.0], head_damping=1.0, samples=10, seed=0) is None


def test_a_system_without_a_head_is_measured_without_one() -> None:
    dataset = make_dataset(random_interactions(), 40, 15)
    result = evaluate_ratings(
        dataset, HeldOut.of(dataset, TEST), None, dampings=[1.0], head_damping=1.0, samples=10, seed=0
    )
    assert result is not None
    assert set(result["models"]) == {BIAS, TUNED_BIAS, GLOBAL_MEAN}
    assert "head_minus_bias" not in result


GRIDS = EvaluationConfig(
    svd_factors=[3],
    svd_epochs=[1, 15],
    svd_learning_rate=[0.02],
    svdpp_factors=[2],
    svdpp_epochs=[10],
    svdpp_learning_rate=[0.02],
    svdpp_regularization=[0.02],
)
SETTINGS = {"factors": 3, "epochs": 15, "learning_rate": 0.02, "regularization": 0.05}


def rated(dataset: PreparedDataset, *splits: str) -> pd.DataFrame:
    part = dataset.of_splits(splits)
    return part[part["rating"].notna()]


@pytest.mark.parametrize("name", [SVD, SVDPP])
def test_factor_models_predict_as_the_library_does(name: str) -> None:
    """Also of users and items without a rating in train, which there are in both directions."""
    dataset = make_dataset([row for row in random_interactions() if row[0] != 5 and row[1] != 7], 40, 15)
    ratings = rated(dataset, TRAIN)
    model = FactorModel.fit(name, ratings, (40, 15), SETTINGS, seed=3)

    surprise = importlib.import_module("surprise")  # after the fit, which keeps it out of the home directory
    low, high = ratings["rating"].min(), ratings["rating"].max()
    reader = surprise.Reader(rating_scale=(float(low), float(high)))
    train = surprise.Dataset.load_from_df(ratings[["user", "item", "rating"]], reader).build_full_trainset()
    kind = {SVD: surprise.SVD, SVDPP: surprise.SVDpp}[name]
    library = kind(n_factors=3, n_epochs=15, lr_all=0.02, reg_all=0.05, random_state=3).fit(train)
    users, items = (values.ravel() for values in np.meshgrid(np.arange(40), np.arange(15)))
    expected = [library.predict(user, item).est for user, item in zip(users, items, strict=True)]
    predicted = model.predict(users, items)
    assert predicted == pytest.approx(expected)
    assert predicted[(users == 5) & (items == 7)].tolist() == pytest.approx([ratings["rating"].mean()])
    assert predicted.std() > 0.3


def test_a_fit_that_diverges_predicts_the_mean() -> None:
    dataset = make_dataset(random_interactions(), 40, 15)
    ratings = rated(dataset, TRAIN)
    model = FactorModel.fit(SVD, ratings, (40, 15), {**SETTINGS, "learning_rate": 1e6}, seed=0)
    predicted = model.predict(np.arange(40), np.zeros(40, int))
    assert np.isnan(model.item_bias[0])
    assert predicted.tolist() == pytest.approx([ratings["rating"].mean()] * 40)


def test_the_grid_is_every_combination() -> None:
    config = EvaluationConfig(svd_factors=[1, 2], svd_epochs=[3], svd_learning_rate=[0.1], svd_regularization=[0, 1])
    assert [tuple(settings.values()) for settings in grid(SVD, config)] == [
        (1, 3, 0.1, 0), (1, 3, 0.1, 1), (2, 3, 0.1, 0), (2, 3, 0.1, 1),
    ]  # fmt: skip
    assert len(grid(SVD, EvaluationConfig())) == 8
    assert len(grid(SVDPP, EvaluationConfig())) == 4


def test_factor_models_are_set_on_validation_and_refitted_for_the_test() -> None:
    dataset = make_dataset(random_interactions(), 40, 15)
    validation = rated(dataset, VALIDATION)
    held = HeldOut.of(dataset, TEST)
    models = fit_factor_models(dataset, held, GRIDS, seed=1)
    assert set(models.predictions) == {SVD, SVD_REFIT, SVDPP, SVDPP_REFIT}

    tried = models.report[SVD]["tried"]
    assert [trial["epochs"] for trial in tried] == [1, 1, 15, 15]
    assert models.report[SVD]["rmse"] == min(trial["rmse"] for trial in tried)
    chosen = models.report[SVD]["settings"]
    assert chosen["epochs"] == 15
    model = FactorModel.fit(SVD, rated(dataset, TRAIN), (40, 15), chosen, seed=1)
    error = model.predict(validation["user"].to_numpy(), validation["item"].to_numpy()) - validation["rating"]
    assert models.report[SVD]["rmse"] == pytest.approx(math.sqrt((error**2).mean()))

    test = rated(dataset, TEST)
    users, items = test["user"].to_numpy(), test["item"].to_numpy()
    for name, splits in ((SVD, (TRAIN,)), (SVD_REFIT, (TRAIN, VALIDATION))):
        model = FactorModel.fit(SVD, rated(dataset, *splits), (40, 15), chosen, seed=1)
        assert models.predictions[name].tolist() == model.predict(users, items).tolist()
        assert models.report[name]["fitted_on"] == list(splits)
        assert models.report[name]["settings"] == chosen
    assert (models.predictions[SVD] != models.predictions[SVD_REFIT]).mean() > 0.5

    on_validation = fit_factor_models(dataset, HeldOut.of(dataset, VALIDATION), GRIDS, seed=1)
    assert set(on_validation.predictions) == {SVD, SVDPP}


def test_svdpp_is_left_out_of_large_datasets() -> None:
    dataset = make_dataset(random_interactions(), 40, 15)
    count = len(rated(dataset, TRAIN))
    for limit, there in ((count, True), (count - 1, False)):
        config = GRIDS.model_copy(update={"svdpp_max_ratings": limit})
        models = fit_factor_models(dataset, HeldOut.of(dataset, TEST), config, seed=0)
        assert ({SVDPP, SVDPP_REFIT} <= set(models.predictions)) is there
        assert ("skipped" in models.report[SVDPP]) is not there
        assert SVD in models.predictions
    assert f"{count} training ratings" in models.report[SVDPP]["skipped"]


def test_the_head_is_compared_with_the_better_fit_of_each() -> None:
    dataset = make_dataset(random_interactions(), 40, 15)
    held = HeldOut.of(dataset, TEST)

    def head(_: Queries, items: np.ndarray) -> np.ndarray:
        return np.full(items.shape, 3.0)

    result = evaluate_ratings(
        dataset, held, head, dampings=[1.0], head_damping=1.0, samples=200, seed=0, factor_grids=GRIDS
    )
    assert result is not None
    models = {name: model["rmse"]["mean"] for name, model in result["models"].items()}
    actual = held.ratings["rating"].to_numpy()
    svd = fit_factor_models(dataset, held, GRIDS, seed=0).predictions[SVD_REFIT]
    assert models[SVD_REFIT] == pytest.approx(math.sqrt(np.mean((svd - actual) ** 2)))
    for name, refitted in REFIT.items():
        gap = result[f"head_minus_{name}"]
        assert gap[name] == min((name, refitted), key=models.__getitem__)
        assert gap["mean"] == pytest.approx(models[HEAD] - models[gap[name]])
        assert 0 < gap["low"] < gap["mean"] < gap["high"]

    few = GRIDS.model_copy(update={"svdpp_max_ratings": 0})
    result = evaluate_ratings(
        dataset, held, head, dampings=[1.0], head_damping=1.0, samples=200, seed=0, factor_grids=few
    )
    assert result is not None
    assert "head_minus_svdpp" not in result
    assert "head_minus_svd" in result
