"""The retrieval losses against their textbook definitions."""

import numpy as np
import pytest
import tensorflow as tf

from recsys.models.losses import FullSoftmaxRetrieval, chunked_softmax_loss


def _problem(n_queries: int, n_items: int, seed: int = 0) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    rng = np.random.default_rng(seed)
    return (
        tf.constant(rng.normal(size=(n_queries, 5)), tf.float32),
        tf.constant(rng.normal(size=(n_items, 5)), tf.float32),
        tf.constant(rng.integers(n_items, size=n_queries), tf.int32),
        tf.constant(rng.uniform(0.2, 2.0, size=n_queries), tf.float32),
    )


def _naive(queries: tf.Tensor, items: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor, smoothing: float) -> tf.Tensor:
    n_items = items.shape[0]
    labels = (1 - smoothing) * tf.one_hot(targets, n_items) + smoothing / n_items
    return tf.reduce_sum(weights * tf.nn.softmax_cross_entropy_with_logits(labels, queries @ tf.transpose(items)))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("chunk", [1, 4, 7, 100])
def test_chunked_loss_and_gradients_equal_the_naive_ones(chunk: int, smoothing: float) -> None:
    queries, items, targets, weights = _problem(7, 11)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([queries, items])
        ours = 3.0 * chunked_softmax_loss(queries, items, targets, weights, smoothing, chunk)
        naive = 3.0 * _naive(queries, items, targets, weights, smoothing)
    np.testing.assert_allclose(ours, naive, rtol=1e-5)
    for variable in (queries, items):
        np.testing.assert_allclose(tape.gradient(ours, variable), tape.gradient(naive, variable), atol=1e-5)


def test_chunked_loss_survives_huge_logits() -> None:
    queries, items, targets, weights = _problem(3, 4)
    loss = chunked_softmax_loss(queries * 1000, items, targets, weights, 0.0, 2)
    assert np.isfinite(loss.numpy())


def test_no_queries_give_zero_loss() -> None:
    queries, items, targets, weights = _problem(3, 4)
    assert chunked_softmax_loss(queries[:0], items, targets[:0], weights[:0], 0.0, 2).numpy() == 0.0


def test_temperature_divides_the_logits() -> None:
    queries, items, targets, weights = _problem(6, 9)
    task = FullSoftmaxRetrieval(temperature=0.5, label_smoothing=0.0, chunk=4)
    loss = task(queries, items, candidate_ids=targets, sample_weight=weights)
    np.testing.assert_allclose(loss, _naive(queries * 2.0, items, targets, weights, 0.0), rtol=1e-5)
