"""Prices and the SVD start of item ids."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from recsys.core.histories import Histories
from recsys.encoding.price_scale import PriceScale
from recsys.train.model_inputs import ID_SCALE, svd_item_vectors


def test_prices_are_standardised_logs_and_unknown_ones_are_marked() -> None:
    prices = np.array([np.e - 1, np.nan, np.e**3 - 1])
    scale = PriceScale.fit(prices)
    assert scale.mean == 2.0
    assert scale.std == 1.0
    np.testing.assert_allclose(scale.apply(prices), [[-1, 1], [0, 0], [1, 1]], atol=1e-6)


def test_prices_all_unknown_or_all_equal() -> None:
    unknown = np.full(3, np.nan)
    np.testing.assert_array_equal(PriceScale.fit(unknown).apply(unknown), np.zeros((3, 2)))


@given(price=st.floats(0, 1e9), n_items=st.integers(1, 200), unknown=st.integers(0, 3))
@example(price=4.5, n_items=50, unknown=0)  # the logarithms' standard deviation is 2e-16
def test_one_price_is_no_spread(price: float, n_items: int, unknown: int) -> None:
    prices = np.append(np.full(n_items, price), np.full(unknown, np.nan))
    expected = [[0, 1]] * n_items + [[0, 0]] * unknown
    np.testing.assert_allclose(PriceScale.fit(prices).apply(prices), expected, atol=1e-6)


def test_a_small_spread_of_prices_is_one() -> None:
    prices = np.array([1000.0, 1000.01])
    np.testing.assert_allclose(PriceScale.fit(prices).apply(prices), [[-1, 1], [1, 1]], rtol=1e-6)


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


def test_where_everyone_bought_everything_there_is_no_start() -> None:
    everyone, everything = np.divmod(np.arange(20), 4)
    histories = Histories.from_rows(5, everyone, everything, np.arange(20))
    assert not svd_item_vectors(histories, 4, dim=3, seed=0).any()


def test_items_bought_again_and_again_are_no_negative_weights() -> None:
    """Where repeats are kept, an item may have more interactions than there are users."""
    users = np.array([0, 0, 0, 1, 1, 2, 2])
    items = np.array([0, 0, 0, 0, 1, 1, 2])
    vectors = svd_item_vectors(Histories.from_rows(3, users, items, np.arange(7)), 3, dim=2, seed=0)
    assert np.isfinite(vectors).all()
    assert np.abs(vectors[0]).max() < 1e-9, "an item of every user tells users no more apart than one of nobody"
