from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recsys.config import ModelConfig
from recsys.models.item_features import ItemFeatures
from recsys.models.item_tower import ItemTower, text_components
from recsys.sources.lending import Loans
from recsys.sources.text_lenders import LEAST_SPREAD
from recsys.train.onnx_export import MAX_DIFFERENCE

N_ITEMS, DIM = 30, 6


def make_tower(text: np.ndarray, trained: np.ndarray) -> ItemTower:
    features = ItemFeatures(
        text=text,
        brand=np.ones(N_ITEMS, np.int32),
        categories=np.ones((N_ITEMS, 1), np.int32),
        price=np.zeros((N_ITEMS, 2), np.float32),
        n_brands=2,
        n_categories=2,
    )
    config = ModelConfig(dim=DIM, text_match_dim=3)
    return ItemTower(features, trained, config, tf.Variable(0, dtype=tf.int64), 0, None, None)


def make_text() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(N_ITEMS, 8)).astype(np.float32)


def test_an_untrained_item_borrows_the_direction_of_its_lenders_at_their_mean_length() -> None:
    text, trained = make_text(), np.ones(N_ITEMS, bool)
    trained[3] = False
    tower = make_tower(text, trained)
    own = np.random.default_rng(1).normal(size=(N_ITEMS, DIM + 3)).astype(np.float32)
    lent = tower.lend_to_untrained(tf.constant(own)).numpy()
    loans = Loans.of(text, trained)
    learned, weights = own[loans.lenders[0], :DIM], loans.weights[0]
    total = (weights[:, None] * learned).sum(axis=0)
    length = (weights * np.linalg.norm(learned, axis=1)).sum()
    np.testing.assert_allclose(lent[3, :DIM], total / np.linalg.norm(total) * length, rtol=1e-5)
    np.testing.assert_array_equal(lent[3, DIM:], own[3, DIM:])  # the text itself stays its own
    np.testing.assert_array_equal(np.delete(lent, 3, axis=0), np.delete(own, 3, axis=0))


def test_where_every_item_was_trained_nothing_is_borrowed() -> None:
    tower = make_tower(make_text(), np.ones(N_ITEMS, bool))
    own = tf.random.normal([N_ITEMS, DIM + 3])
    assert tower.lend_to_untrained(own) is own


def item_vectors(tower: ItemTower, text: np.ndarray) -> np.ndarray:
    rows = np.ones(len(text), np.int32)
    vectors: np.ndarray = tower.from_features(
        text, rows, rows[:, None], np.zeros((len(text), 2), np.float32), 0 * rows
    ).numpy()
    return vectors


@pytest.mark.parametrize("others", [0, 1])
def test_a_text_that_all_items_share_tells_nothing_of_one(others: int) -> None:
    text = np.tile(np.random.default_rng(0).normal(size=384).astype(np.float32), (N_ITEMS, 1))
    text[:others] *= -1
    tower = make_tower(text, np.ones(N_ITEMS, bool))
    # The next numbers that a float32 can hold: what another order of the same sums may give.
    vectors, rounded = (item_vectors(tower, some) for some in (text, np.nextafter(text, np.float32(np.inf))))
    np.testing.assert_allclose(rounded, vectors, atol=MAX_DIFFERENCE * np.abs(vectors).max())
    if not others:
        assert np.linalg.norm(vectors[:, DIM:], axis=1).max() < 1e-3


def test_texts_that_differ_are_directions_of_length_one() -> None:
    """By hand: two opposite texts, all but the mean of which is one principal direction."""
    text = np.tile(np.eye(8, dtype=np.float32)[0], (N_ITEMS, 1))
    text[::2] *= -1
    match = item_vectors(make_tower(text, np.ones(N_ITEMS, bool)), text)[:, DIM:]
    np.testing.assert_allclose(np.abs(match), np.tile([1.0, 0.0, 0.0], (N_ITEMS, 1)), atol=1e-6)
    np.testing.assert_allclose(match[0], -match[1], atol=1e-6)
    assert text_components(text, 1)[0] == pytest.approx(np.zeros(8), abs=LEAST_SPREAD)
