"""Prices and the SVD start of item ids."""

from __future__ import annotations

import numpy as np

from recsys.core.histories import Histories
from recsys.train.model_inputs import ID_SCALE, PriceScale, svd_item_vectors


def test_prices_are_standardised_logs_and_unknown_ones_are_marked() -> None:
    prices = np.array([np.e - 1, np.nan, np.e**3 - 1])
    scale = PriceScale.fit(prices)
    assert scale.mean == 2.0
    assert scale.std == 1.0
    np.testing.assert_allclose(scale.apply(prices), [[-1, 1], [0, 0], [1, 1]], atol=1e-6)


def test_prices_all_unknown_or_all_equal() -> None:
    unknown = np.full(3, np.nan)
    np.testing.assert_array_equal(PriceScale.fit(unknown).apply(unknown), np.zeros((3, 2)))
    equal = np.full(3, 9.99)
    np.testing.assert_allclose(PriceScale.fit(equal).apply(equal), [[0, 1]] * 3, atol=1e-6)


def two_groups(n_users: int = 60, n_items: int = 20) -> Histories:
    """Even users buy even items, odd users odd ones; the last two items are bought by nobody."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(n_users), 5)
    items = np.concatenate([rng.choice(np.arange(u % 2, n_items - 2, 2), 5, replace=False) for u in range(n_users)])
    return Histories.from_rows(n_users, users, items, np.arange(len(users)))


def test_items_bought_by_the_same_users_start_close() -> None:
    vectors = svd_item_vectors(two_groups(), 20, dim=2, seed=0)
    bought = vectors[:18] / np.linalg.norm(vectors[:18], axis=1, keepdims=True)
    cosines = bought @ bought.T
    same = np.add.outer(np.arange(18), np.arange(18)) % 2 == 0
    assert cosines[same].min() > 0.9
    assert cosines[~same].max() < 0.3


def test_svd_start_is_as_small_as_a_random_one_repeatable_and_zero_for_the_rest() -> None:
    vectors = svd_item_vectors(two_groups(), 20, dim=4, seed=1)
    assert vectors.shape == (20, 4)
    assert vectors.dtype == np.float32
    assert np.isclose(vectors[:18].std(), ID_SCALE)
    assert not vectors[18:].any()
    np.testing.assert_array_equal(vectors, svd_item_vectors(two_groups(), 20, dim=4, seed=1))


def test_svd_of_fewer_users_than_dimensions_leaves_zeros() -> None:
    vectors = svd_item_vectors(two_groups().select([0, 1, 2, 3]), 20, dim=8, seed=0)
    assert vectors.shape == (20, 8)
    assert vectors[:, :3].any(axis=0).all()
    assert not vectors[:, 3:].any()


def test_svd_of_a_single_user_is_no_start() -> None:
    assert not svd_item_vectors(two_groups().select([0]), 20, dim=8, seed=0).any()
