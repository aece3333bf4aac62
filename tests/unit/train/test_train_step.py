"""The optimizer and a step of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recsys.train.train_step import LinearWarmup, TrainStep, make_optimizer
from tests.support import training as tiny


class Linear(tf.keras.Model):
    """Loss = gradient · weights + 0 · bias: the gradient is known."""

    def __init__(self, gradient: list[float]) -> None:
        super().__init__()
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.matrix = self.add_weight("matrix", (1, len(gradient)), initializer="ones")
        self.bias = self.add_weight("bias", (1,), initializer="ones")
        self.gradient = tf.constant([gradient])

    def compute_losses(self, batch: Any, training: bool) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        assert training
        scale = tf.cast(tf.shape(batch["user"])[0], tf.float32)
        loss = tf.reduce_sum(self.matrix * self.gradient) * scale + 0.0 * self.bias[0]
        return loss, {"retrieval": loss}


def one_step(model: Linear, **training: Any) -> Any:
    config = tiny.make_config(**training).training
    optimizer = make_optimizer(model, config, mixed_precision=False)
    step = TrainStep(model, optimizer, tf.distribute.get_strategy(), config.clip_norm)
    batches = tiny.make_batches(tiny.make_config(batch_size=1), tiny.make_histories()[0])
    return step(3, lambda shard, n: batches.batch(0, 0, shard, n)), optimizer


def test_warm_up_rises_linearly_and_stays() -> None:
    schedule = LinearWarmup(0.4, 4)
    rates = [float(schedule(tf.constant(step, tf.int64))) for step in range(6)]
    np.testing.assert_allclose(rates, [0.1, 0.2, 0.3, 0.4, 0.4, 0.4], rtol=1e-6)
    assert float(LinearWarmup(0.4, 0)(tf.constant(0))) == pytest.approx(0.4)


def test_the_gradient_is_clipped_and_its_norm_before_that_reported() -> None:
    model = Linear([3.0, 4.0])
    result, optimizer = one_step(model, clip_norm=1.0, learning_rate=0.01, warmup_steps=0)
    assert result.gradient_norm == pytest.approx(5.0)
    assert result.losses == {"loss": pytest.approx(7.0), "retrieval": pytest.approx(7.0)}
    assert result.finite
    assert model.step.numpy() == 3
    # Adam's first moment after one step is (1 - beta_1) times the clipped gradient.
    moment = next(v for v in optimizer.variables if v.shape == (1, 2) and "m/" in v.name)
    np.testing.assert_allclose(moment.numpy(), [[0.06, 0.08]], rtol=1e-5)


def test_matrices_decay_and_vectors_do_not() -> None:
    model = Linear([0.0, 0.0])
    one_step(model, weight_decay=0.5, learning_rate=0.1, warmup_steps=0)
    np.testing.assert_allclose(model.matrix.numpy(), [[0.95, 0.95]], rtol=1e-6)
    np.testing.assert_allclose(model.bias.numpy(), [1.0])


@pytest.mark.parametrize("gradient", [[np.nan, 0.0], [np.inf, 0.0], [1e30, 1e30]])
def test_what_is_not_finite_is_reported(gradient: list[float]) -> None:
    result, _ = one_step(Linear(gradient))
    assert not result.finite  # of the last, only the norm: its square overflows


def test_one_trace_serves_batches_of_every_shape() -> None:
    model = Linear([1.0])
    config = tiny.make_config().training
    step = TrainStep(model, make_optimizer(model, config, False), tf.distribute.get_strategy(), 1.0)
    batches = tiny.make_batches(tiny.make_config(), tiny.make_histories()[0])
    for index in range(batches.steps_per_epoch):
        step(index, lambda shard, n, index=index: batches.batch(0, index, shard, n))
    assert step._run.experimental_get_tracing_count() == 1
