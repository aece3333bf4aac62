from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.errors import ConfigError
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.sources.fitting import FitData
from recsys.sources.item_to_item import ease_fit
from recsys.sources.item_to_item.ease_fit import EASE, fit_ease
from recsys.sources.item_to_item.settings import EaseSettings
from recsys.sources.item_to_item.source import ItemToItem
from tests.support.bundles import HALF, make_histories


def reference(histories: Histories, n_items: int, l2: float) -> np.ndarray:
    """The weights by the formula of the paper."""
    interactions = np.zeros((len(histories), n_items))
    np.add.at(
        interactions, (np.repeat(np.arange(len(histories)), histories.lengths), histories.items), histories.weights
    )
    inverse = np.linalg.inv(interactions.T @ interactions + l2 * np.eye(n_items))
    weights = -inverse / np.diagonal(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@pytest.fixture(params=["float64", "float32"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease_fit, "_BLOCK", 7)  # many blocks to mirror
    if request.param == "float32":
        monkeypatch.setattr(ease_fit, "_DOUBLE_UP_TO", 0)


@pytest.mark.usefixtures("precision")
def test_keeps_the_highest_positive_weights_of_the_paper() -> None:
    histories = make_histories(80, 50)
    histories = replace(
        histories, weights=np.random.default_rng(0).choice([1, 3], len(histories.items)).astype(np.float32)
    )
    expected = reference(histories, 50, 5.0)
    model = fit_ease(histories, 50, l2=5.0, k=6, decay=0.6)
    assert (model.name, model.decay) == ("ease", 0.6)
    best = np.maximum(-np.sort(-expected, axis=1)[:, :6], 0)
    np.testing.assert_allclose(model.similarities, best, rtol=1e-3, atol=1e-5)
    own = np.take_along_axis(expected, np.maximum(model.neighbours, 0), axis=1)
    np.testing.assert_allclose(model.similarities, np.where(model.neighbours == NO_ITEM, 0, own), rtol=1e-3, atol=1e-5)


def test_with_all_positive_weights_it_scores_like_the_matrix() -> None:
    histories = make_histories(80, 50)
    scores = fit_ease(histories, 50, l2=5.0, k=50).score(
        Queries(histories, np.arange(80, dtype=np.int32), np.zeros(80, np.int64))
    )
    interactions = np.zeros((80, 50))
    interactions[np.repeat(np.arange(80), histories.lengths), histories.items] = 1
    expected = interactions @ np.maximum(reference(histories, 50, 5.0), 0)
    np.testing.assert_allclose(np.where(np.isfinite(scores), scores, 0), expected, rtol=HALF, atol=1e-6)


def test_an_item_is_not_its_own_neighbour_and_unknown_ones_have_none() -> None:
    histories = make_histories(30, 10)
    model = fit_ease(histories, 12, k=12)
    assert not (model.neighbours == np.arange(12)[:, None]).any()
    assert (model.neighbours[10:] == NO_ITEM).all()
    assert not np.isin(model.neighbours[:10], [10, 11]).any()


def test_in_a_large_catalogue_it_is_the_model_of_the_items_most_often_chosen() -> None:
    histories = make_histories(80, 50)
    counts = np.bincount(histories.items, minlength=50)
    chosen = np.sort(np.lexsort((np.arange(50), -counts))[:20])
    model = fit_ease(histories, 50, l2=5.0, k=30, most_items=20)
    dense = np.zeros((len(histories), 50))
    np.add.at(dense, (histories.rows, histories.items), histories.weights)
    inverse = np.linalg.inv(dense[:, chosen].T @ dense[:, chosen] + 5.0 * np.eye(20))
    expected = np.zeros((50, 50))
    expected[np.ix_(chosen, chosen)] = np.maximum(-inverse / np.diagonal(inverse), 0)
    np.fill_diagonal(expected, 0)
    listed = np.zeros((50, 50))
    rows, columns = np.nonzero(model.neighbours != NO_ITEM)
    listed[rows, model.neighbours[rows, columns]] = model.similarities[rows, columns]
    np.testing.assert_allclose(listed, expected, rtol=1e-3, atol=1e-5)
    assert model.support is not None
    assert (model.support > 0).any()


def test_a_catalogue_too_large_is_an_obstacle_unless_a_part_is_asked_for() -> None:
    data = FitData(make_histories(80, 50), 50)
    assert EASE.obstacle(data, EaseSettings(ease_max_items=50)) is None
    assert "ease_most_chosen" in str(EASE.obstacle(data, EaseSettings(ease_max_items=49)))
    assert EASE.obstacle(data, EaseSettings(ease_max_items=49, ease_most_chosen=20)) is None
    part = EASE.fit(data, EaseSettings(ease_max_items=49, ease_most_chosen=20), k=30)
    assert isinstance(part, ItemToItem)
    assert (part.neighbours != NO_ITEM).any(axis=1).sum() == 20


def test_a_matrix_that_cannot_be_inverted_is_the_configs_fault() -> None:
    twins = Histories.from_rows(1, np.zeros(2, np.int64), np.array([0, 1]), np.arange(2))
    with pytest.raises(ConfigError, match="ease_l2"):
        fit_ease(twins, 2, l2=1e-30)
