from __future__ import annotations

import numpy as np
import tensorflow as tf

from recsys.config import ModelConfig
from recsys.models.item_features import ItemFeatures
from recsys.models.item_tower import ItemTower
from recsys.sources.lending import Loans

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
