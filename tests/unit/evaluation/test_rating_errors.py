from __future__ import annotations

import math

import numpy as np
import pytest

from recsys.dataset.histories import Histories
from recsys.evaluation.protocol import HeldOut
from recsys.evaluation.ratings import BIAS, GLOBAL_MEAN, HEAD, TUNED_BIAS, BiasModel, evaluate_ratings, tune_bias
from recsys.ranking.ratings import RatingStatistics
from recsys.retrieval.base import NO_ITEM, Queries
from tests.dataset_factory import TEST, TRAIN, VALIDATION, Interaction, make_dataset


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
