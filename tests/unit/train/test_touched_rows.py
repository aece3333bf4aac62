"""Adam on the rows of a step: against Adam itself where every row has a gradient, and against NumPy where some have."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from recsys.train import touched_rows
from recsys.train.touched_rows import TouchedRowsAdam, of_touched_rows, with_each_row_once

RATE = 0.1


@pytest.fixture(autouse=True)
def small_tables_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touched_rows, "LEAST_ROWS", 4)


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


def test_a_row_waits_until_it_is_touched_and_is_then_moved_by_what_it_missed() -> None:
    variable = table()
    optimizer = TouchedRowsAdam(RATE)
    apply(optimizer, variable, [slices([1], [[1.0, -2.0]]), slices([3], [[0.5, 0.5]])])
    # By hand. Adam's first step is the rate times the sign of the gradient.
    once = np.array([2.0, 3.0]) - RATE * np.sign([1.0, -2.0])
    np.testing.assert_allclose(variable.numpy()[:3], [[0, 1], once, [4, 5]], rtol=1e-5)
    optimizer.apply_gradients([(slices([1], [[1.0, 1.0]]), variable)])
    # Of the second step it missed the push of the moments, which fell off.
    mean, square = 0.9 * 0.1 * np.array([1.0, -2.0]), 0.999 * 0.001 * np.array([1.0, 4.0])
    second = once - RATE * np.sqrt(1 - 0.999**2) / (1 - 0.9**2) * mean / (np.sqrt(square) + 1e-7)
    mean, square = 0.9 * mean + 0.1, 0.999 * square + 0.001
    third = second - RATE * np.sqrt(1 - 0.999**3) / (1 - 0.9**3) * mean / (np.sqrt(square) + 1e-7)
    np.testing.assert_allclose(variable.numpy()[1], third, rtol=1e-5)


@pytest.mark.parametrize("caught_up_between", [False, True])
def test_rows_that_were_caught_up_with_are_where_adam_has_them(caught_up_between: bool) -> None:
    """After so many steps that the bias correction of a missed step is that of the next."""
    rng = np.random.default_rng(0)
    steps = [(row, rng.normal(size=2).tolist()) for row in [0, 1, 2, 3] * 3 + rng.integers(0, 3, 30).tolist()]
    ours, adam = table(), table()
    optimizer, whole = TouchedRowsAdam(RATE), tf.keras.optimizers.Adam(RATE)
    for each, variable in ((optimizer, ours), (whole, adam)):
        each.build([variable])
        each.iterations.assign(20_000)
    optimizer._seen[0].assign([20_000.0] * 4)
    for number, (row, values) in enumerate(steps):
        gradient = slices([row], [values])
        optimizer.apply_gradients([(gradient, ours)])
        whole.apply_gradients([(tf.convert_to_tensor(gradient), adam)])
        if caught_up_between and number % 5 == 0:
            optimizer.catch_up()
    assert not np.allclose(ours.numpy()[3], adam.numpy()[3]) or caught_up_between
    optimizer.catch_up()
    np.testing.assert_allclose(ours.numpy(), adam.numpy(), rtol=1e-4)


def test_the_rate_of_missed_steps_is_the_one_they_had() -> None:
    class Falling(tf.keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: tf.Tensor) -> tf.Tensor:
            return tf.where(tf.cast(step, tf.float32) < 2.0, RATE, 0.0)

    ours, adam = table(), table()
    optimizer, whole = TouchedRowsAdam(Falling()), tf.keras.optimizers.Adam(Falling())
    for each, variable in ((optimizer, ours), (whole, adam)):
        each.build([variable])
        for row in (1, 3):
            each.apply_gradients([(slices([row], [[1.0, 1.0]]), variable)])
    optimizer.catch_up()
    np.testing.assert_allclose(ours.numpy(), adam.numpy(), rtol=1e-5)


def test_a_table_that_was_updated_whole_has_missed_nothing() -> None:
    ours, adam = table(), table()
    optimizer, whole = TouchedRowsAdam(RATE), tf.keras.optimizers.Adam(RATE)
    for each, variable in ((optimizer, ours), (whole, adam)):
        each.build([variable])
        for _ in range(3):
            each.apply_gradients([(tf.ones([4, 2]), variable)])
    optimizer.catch_up()
    np.testing.assert_allclose(ours.numpy(), adam.numpy(), rtol=1e-6)


def test_large_tables_alone_are_updated_by_row() -> None:
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
