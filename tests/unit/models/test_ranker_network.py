"""The ranker's encoding, network and loss against plain NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from recsys.models.ranker_network import RankerNetwork, bin_edges, listwise_loss

EDGES = np.array([[0, 1, 2, 4], [-1, 0, 0, 0], [5, 5, 5, 5]], np.float32)


def make_ranker(edges: np.ndarray = EDGES, hidden: tuple[int, ...] = (4, 3), dropout: float = 0.0) -> RankerNetwork:
    """A ranker whose linear part, which starts at zero, is random too."""
    ranker = RankerNetwork(edges, hidden, dropout, seed=3)
    random = np.random.default_rng(0)
    ranker.set_weights([random.normal(size=weight.shape).astype(np.float32) for weight in ranker.get_weights()])
    return ranker


def encoded(features: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How far each value has come through each bin; an empty bin is never entered."""
    return np.array(
        [
            np.clip((value - low) / (high - low), 0, 1) if high > low else 0.0
            for value, row in zip(features, edges, strict=True)
            for low, high in itertools.pairwise(row)
        ]
    )


def named(ranker: RankerNetwork) -> dict[str, np.ndarray]:
    return {variable.name: variable.numpy() for variable in ranker.trainable_variables}


def test_scores_are_those_of_the_network_over_the_encoded_features() -> None:
    ranker = make_ranker()
    weights = {name.split("ranker/")[-1]: value for name, value in named(ranker).items()}
    random = np.random.default_rng(1)
    features = random.normal(scale=3, size=(5, 7, 3)).astype(np.float32)
    found = ranker(features).numpy()
    assert found.shape == (5, 7)
    for row in range(5):
        for position in range(7):
            come = encoded(features[row, position], EDGES)
            hidden = come
            for name in ("hidden_0", "hidden_1"):
                hidden = np.maximum(hidden @ weights[f"{name}/kernel:0"] + weights[f"{name}/bias:0"], 0)
            expected = (
                hidden @ weights["output/kernel:0"] + weights["output/bias:0"] + come @ weights["linear/kernel:0"]
            )
            assert found[row, position] == pytest.approx(float(expected[0]), rel=1e-4, abs=1e-4)


def test_beyond_the_outer_edges_a_score_stays_as_it_is() -> None:
    ranker = make_ranker()
    inside, outside = np.array([[[4, 0, 5]]], np.float32), np.array([[[400, 99, -7]]], np.float32)
    np.testing.assert_allclose(ranker(outside), ranker(inside), rtol=1e-5)


def test_dropout_works_in_training_alone() -> None:
    ranker = make_ranker(hidden=(64,), dropout=0.5)
    features = np.random.default_rng(2).normal(size=(2, 3, 3)).astype(np.float32)
    np.testing.assert_array_equal(ranker(features), ranker(features))
    assert np.abs(ranker(features, training=True) - ranker(features)).max() > 1e-3


def test_first_weights_follow_the_seed() -> None:
    first, again, other = (RankerNetwork(EDGES, (4,), 0.1, seed).get_weights() for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(first, other, strict=True))


def test_edges_are_quantiles_of_all_and_of_the_chosen() -> None:
    candidates = np.arange(101, dtype=np.float32)[:, None]
    chosen = np.array([[98.5], [99.5], [100.5]], np.float32)
    # Of the candidates 0, 50, 100; of the chosen 98.5, 99.5, 100.5: six, one more than four bins have room for.
    edges = bin_edges(candidates, chosen, 4)
    assert edges.shape == (1, 5)
    assert edges.dtype == np.float32
    assert set(edges[0]) < {0, 50, 98.5, 99.5, 100, 100.5}
    assert {0, 100.5} < set(edges[0]), "the outermost are kept"
    assert (np.diff(edges[0]) > 0).all()


def test_a_feature_of_few_values_has_empty_bins_at_its_end() -> None:
    candidates = np.array([[0, 7], [1, 7], [0, 7], [1, 7]], np.float32)
    # Quarters of 0, 0, 1, 1 lie at 0, 0, 0.5, 1 and 1.
    assert bin_edges(candidates, candidates[:1], 8).tolist() == [[0, 0.5, *[1] * 7], [7] * 9]


@pytest.mark.parametrize("bins", [2, 3, 16, 17])
def test_edges_increase_and_fill_every_number_of_bins(bins: int) -> None:
    random = np.random.default_rng(bins)
    candidates, chosen = random.normal(size=(500, 3)), random.normal(1, 1, size=(40, 3))
    edges = bin_edges(candidates.astype(np.float32), chosen.astype(np.float32), bins)
    assert edges.shape == (3, bins + 1)
    assert (np.diff(edges, axis=1) >= 0).all()
    np.testing.assert_allclose(edges[:, 0], np.minimum(candidates.min(axis=0), chosen.min(axis=0)), rtol=1e-6)
    np.testing.assert_allclose(edges[:, -1], np.maximum(candidates.max(axis=0), chosen.max(axis=0)), rtol=1e-6)


def test_the_loss_is_the_cross_entropy_of_each_list() -> None:
    random = np.random.default_rng(5)
    scores = random.normal(size=(6, 9)).astype(np.float32)
    labels = (random.random((6, 9)) < 0.3).astype(np.float32)
    labels[:, 0] = 1
    real = np.arange(9) < random.integers(3, 10, 6)[:, None]
    labels *= real
    losses = []
    for row in range(6):
        exponentials = np.exp(scores[row, real[row]].astype(np.float64))
        logs = np.log(exponentials / exponentials.sum())
        losses.append(-logs[labels[row, real[row]] == 1].mean())
    found = float(listwise_loss(tf.constant(scores), tf.constant(labels), tf.constant(real)))
    assert found == pytest.approx(np.mean(losses), rel=1e-5)


def test_padding_changes_neither_loss_nor_gradient() -> None:
    random = np.random.default_rng(6)
    scores, labels = random.normal(size=(2, 3)).astype(np.float32), np.array([[1, 0, 0], [0, 1, 1]], np.float32)
    losses, gradients = [], []
    for padding in (0, 4):
        width = [(0, 0), (0, padding)]
        padded = tf.constant(np.pad(scores, width, constant_values=50))
        real = tf.constant(np.pad(np.ones((2, 3), bool), width))
        with tf.GradientTape() as tape:
            tape.watch(padded)
            loss = listwise_loss(padded, tf.constant(np.pad(labels, width)), real)
        losses.append(float(loss))
        gradients.append(tape.gradient(loss, padded).numpy())
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    np.testing.assert_allclose(gradients[0], gradients[1][:, :3], rtol=1e-5, atol=1e-7)
    assert not gradients[1][:, 3:].any()
