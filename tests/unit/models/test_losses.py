"""The retrieval losses against their textbook definitions."""

import numpy as np
import pytest
import tensorflow as tf

from recsys.models.losses import (
    FullSoftmaxRetrieval,
    SampledSoftmaxRetrieval,
    chunked_softmax_loss,
    sampled_softmax_loss,
)


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


def _sampled_by_hand(
    queries: np.ndarray, candidates: np.ndarray, log_weights: np.ndarray, targets: np.ndarray, columns: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Loss and gradients, query by query and candidate by candidate, in double precision."""
    total, by_query, by_candidate, by_target = (
        0.0,
        np.zeros_like(queries),
        np.zeros_like(candidates),
        np.zeros_like(targets),
    )
    for q, (query, target, column) in enumerate(zip(queries, targets, columns, strict=True)):
        others = {c: np.exp(query @ candidates[c] + log_weights[c]) for c in range(len(candidates)) if c != column}
        own = np.exp(query @ target)
        partition = own + sum(others.values())
        total += np.log(partition) - np.log(own)
        by_query[q] += (own / partition - 1) * target
        by_target[q] += (own / partition - 1) * query
        for c, value in others.items():
            by_query[q] += value / partition * candidates[c]
            by_candidate[c] += value / partition * query
    return total, by_query, by_candidate, by_target


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_sampled_loss_and_gradients_equal_those_by_hand(chunk: int) -> None:
    rng = np.random.default_rng(3)
    queries, targets = rng.normal(size=(2, 7, 5))
    candidates, log_weights = rng.normal(size=(6, 5)), rng.uniform(0, 3, 6)
    columns = np.array([-1, 0, 5, -1, -1, 5, 2])
    inputs = [tf.constant(each, tf.float32) for each in (queries, candidates, targets)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        weights = tf.constant(log_weights, tf.float32)
        loss = 3.0 * sampled_softmax_loss(
            inputs[0], inputs[1], weights, inputs[2], tf.constant(columns, tf.int32), chunk
        )
    expected, *gradients = _sampled_by_hand(queries, candidates, log_weights, targets, columns)
    np.testing.assert_allclose(loss, 3.0 * expected, rtol=1e-5)
    for ours, by_hand in zip(tape.gradient(loss, inputs), gradients, strict=True):
        np.testing.assert_allclose(ours, 3.0 * by_hand, atol=1e-5)


def test_sampled_loss_survives_huge_logits() -> None:
    queries, items, targets, _ = _problem(3, 4)
    loss = sampled_softmax_loss(queries * 1000, items, tf.zeros(4), tf.gather(items, targets), targets, 2)
    assert np.isfinite(loss.numpy())


def test_a_target_among_the_candidates_counts_once_with_weight_one() -> None:
    queries, items, targets, _ = _problem(6, 9)
    task = SampledSoftmaxRetrieval(temperature=0.5, chunk=4)
    loss = task(queries, items, tf.zeros(9), tf.gather(items, targets), targets)
    np.testing.assert_allclose(loss, _naive(queries * 2.0, items, targets, tf.ones(6), 0.0), rtol=1e-5)
    heavy = tf.one_hot(targets[0], 9) * 5.0
    alone = [task(queries[:1], items, w, tf.gather(items, targets[:1]), targets[:1]) for w in (tf.zeros(9), heavy)]
    np.testing.assert_allclose(alone[0], alone[1], rtol=1e-6)


def test_sampled_loss_of_no_queries_is_zero() -> None:
    queries, items, targets, _ = _problem(3, 4)
    assert sampled_softmax_loss(queries[:0], items, tf.zeros(4), queries[:0], targets[:0], 2).numpy() == 0.0


def test_no_tensor_grows_with_the_square_of_the_targets() -> None:
    graph = tf.function(sampled_softmax_loss).get_concrete_function(
        tf.TensorSpec([None, 5]), tf.TensorSpec([64, 5]), tf.TensorSpec([64]), tf.TensorSpec([None, 5]),
        tf.TensorSpec([None], tf.int32), 16,
    )  # fmt: skip
    (loop,) = (op for op in graph.graph.get_operations() if op.type in ("While", "StatelessWhile"))
    body = graph.graph._get_function(loop.get_attr("body").name).graph
    products = [op.outputs[0].shape.as_list() for op in body.get_operations() if op.type == "MatMul"]
    assert sorted(products, key=str) == sorted([[None, 64], [None, 5], [64, 5]], key=str)
