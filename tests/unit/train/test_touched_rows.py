"""Adam on the rows of a step: against Adam itself where every row has a gradient, and against NumPy where some have."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from recsys.train import touched_rows
from recsys.train.touched_rows import TouchedRowsAdam, of_touched_rows, with_each_row_once

RATE = 0.1


def table(rows: int = 4) -> tf.Variable:
    return tf.Variable(np.arange(rows * 2, dtype=np.float32).reshape(rows, 2))


def apply(optimizer: tf.keras.optimizers.Optimizer, variable: tf.Variable, gradients: list[tf.IndexedSlices]) -> None:
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply_gradients([(gradient, variable)])


def slices(rows: list[int], values: list[list[float]]) -> tf.IndexedSlices:
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([4, 2]))


def test_where_every_row_has_a_gradient_it_is_adam() -> None:
    gradients = [slices([2, 0, 1, 3], np.random.default_rng(n).normal(size=(4, 2)).tolist()) for n in range(3)]
    ours, adam = table(), table()
    apply(TouchedRowsAdam(RATE), ours, gradients)
    apply(tf.keras.optimizers.Adam(RATE), adam, [tf.convert_to_tensor(g) for g in gradients])
    np.testing.assert_allclose(ours.numpy(), adam.numpy(), rtol=1e-6)


def test_a_row_waits_with_its_moments_until_it_is_touched_again() -> None:
    variable = table()
    optimizer = TouchedRowsAdam(RATE)
    apply(optimizer, variable, [slices([1], [[1.0, -2.0]]), slices([3], [[0.5, 0.5]]), slices([1], [[1.0, 1.0]])])
    np.testing.assert_array_equal(variable.numpy()[[0, 2]], [[0, 1], [4, 5]])
    # By hand. Row 1 at step 1: Adam's first step is the rate times the sign of the gradient.
    expected = np.array([2.0, 3.0]) - RATE * np.sign([1.0, -2.0])
    # At step 3 its moments are those of two steps, corrected for three.
    mean = 0.9 * 0.1 * np.array([1.0, -2.0]) + 0.1 * np.array([1.0, 1.0])
    square = 0.999 * 0.001 * np.array([1.0, 4.0]) + 0.001 * np.array([1.0, 1.0])
    corrected = np.sqrt(1 - 0.999**3) / (1 - 0.9**3)
    expected -= RATE * corrected * mean / (np.sqrt(square) + 1e-7)
    np.testing.assert_allclose(variable.numpy()[1], expected, rtol=1e-5)


def test_large_tables_alone_are_updated_by_row(monkeypatch: object) -> None:
    monkeypatch.setattr(touched_rows, "LEAST_ROWS", 4)  # type: ignore[attr-defined]
    small = tf.IndexedSlices(tf.ones([1, 2]), tf.constant([2]), tf.constant([3, 2]))
    large, whole = slices([1], [[1.0, 1.0]]), tf.ones([4, 2])
    kept = of_touched_rows([small, large, whole], [table(3), table(4), table(4)])
    np.testing.assert_array_equal(kept[0], [[0, 0], [0, 0], [1, 1]])
    assert kept[1] is large
    assert kept[2] is whole


def test_the_gradient_of_a_row_that_occurs_twice_is_one_gradient() -> None:
    once = with_each_row_once(slices([3, 1, 3], [[3.0, 0.0], [0.0, 1.0], [0.0, 4.0]]))
    np.testing.assert_array_equal(once.indices, [3, 1])
    np.testing.assert_array_equal(once.values, [[3, 4], [0, 1]])
    assert float(tf.linalg.global_norm([once])) == np.sqrt(26).astype(np.float32)
