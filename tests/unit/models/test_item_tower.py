from __future__ import annotations

import numpy as np
import tensorflow as tf

from recsys.config import ModelConfig
from recsys.models.features import ItemFeatures
from recsys.models.item_tower import LENDERS, ItemTower, text_neighbours

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


def test_the_lenders_are_the_trained_items_of_most_similar_text() -> None:
    text, trained = make_text(), np.ones(N_ITEMS, bool)
    trained[[3, 20]] = False
    untrained, lenders, weights = text_neighbours(text, trained)
    unit = text / np.linalg.norm(text, axis=1, keepdims=True)
    unit = unit - unit.mean(axis=0)
    cosine = unit @ unit.T / np.outer(*[np.linalg.norm(unit, axis=1)] * 2)
    cosine[:, ~trained] = -2
    np.testing.assert_array_equal(untrained, [3, 20])
    np.testing.assert_array_equal(lenders, np.argsort(-cosine[[3, 20]], axis=1)[:, :LENDERS])
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    assert (np.diff(weights, axis=1) <= 0).all()


def test_an_item_without_text_has_no_lenders_and_lends_nothing() -> None:
    text, trained = make_text(), np.ones(N_ITEMS, bool)
    trained[[3, 20]] = False
    text[[3, 7]] = 0
    untrained, lenders, _ = text_neighbours(text, trained)
    np.testing.assert_array_equal(untrained, [20])
    assert 7 not in lenders
    assert text_neighbours(np.zeros_like(text), trained)[0].size == 0


def test_an_untrained_item_borrows_the_direction_of_its_lenders_at_their_mean_length() -> None:
    text, trained = make_text(), np.ones(N_ITEMS, bool)
    trained[3] = False
    tower = make_tower(text, trained)
    own = np.random.default_rng(1).normal(size=(N_ITEMS, DIM + 3)).astype(np.float32)
    lent = tower.lend_to_untrained(tf.constant(own)).numpy()
    _, lenders, weights = text_neighbours(text, trained)
    learned = own[lenders[0], :DIM]
    total = (weights[0][:, None] * learned).sum(axis=0)
    length = (weights[0] * np.linalg.norm(learned, axis=1)).sum()
    np.testing.assert_allclose(lent[3, :DIM], total / np.linalg.norm(total) * length, rtol=1e-5)
    np.testing.assert_array_equal(lent[3, DIM:], own[3, DIM:])  # the text itself stays its own
    np.testing.assert_array_equal(np.delete(lent, 3, axis=0), np.delete(own, 3, axis=0))


def test_where_every_item_was_trained_nothing_is_borrowed() -> None:
    tower = make_tower(make_text(), np.ones(N_ITEMS, bool))
    own = tf.random.normal([N_ITEMS, DIM + 3])
    assert tower.lend_to_untrained(own) is own
