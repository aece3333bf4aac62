"""One training step on all replicas: gradients, clipping, AdamW with warm-up."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple

import tensorflow as tf

from recsys.config import TrainingConfig
from recsys.core.tower_io import Batch
from recsys.models import TwoTower
from recsys.train.touched_rows import TouchedRowsAdam, of_touched_rows, updates_touched_rows, with_each_row_once

MEAN = tf.distribute.ReduceOp.MEAN


class StepResult(NamedTuple):
    """Of one step, means over the replicas.

    Attributes:
        losses: "loss", the weighted total, and the mean loss of each task.
        gradient_norm: global norm before clipping.
        finite: the loss is, and so are the gradients (under float16 these may overflow: such a step is
            skipped and the scale of the loss lowered).
    """

    losses: dict[str, float]
    gradient_norm: float
    finite: bool


class LinearWarmup(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate that rises linearly over the first steps and then stays."""

    def __init__(self, learning_rate: float, warmup_steps: int) -> None:
        super().__init__()
        self._learning_rate, self._warmup_steps = learning_rate, warmup_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        share = (tf.cast(step, tf.float32) + 1.0) / max(self._warmup_steps, 1)
        return self._learning_rate * tf.minimum(share, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"learning_rate": self._learning_rate, "warmup_steps": self._warmup_steps}


def make_optimizer(model: TwoTower, config: TrainingConfig, mixed_precision: bool) -> tf.keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter, 2019) with all its variables, so that a checkpoint can be restored at once.

    Vectors and scalars (biases, norms' scales) do not decay. Under float16 the loss is scaled so that
    small gradients do not vanish (Micikevicius et al., "Mixed precision training", 2018). A sampled softmax without
    weight decay touches some of the items in a step, and `TouchedRowsAdam` updates these alone.
    """
    schedule = LinearWarmup(config.learning_rate, config.warmup_steps)
    if updates_touched_rows(config):
        optimizer = TouchedRowsAdam(schedule)
    else:
        # Keras's Adam with a weight decay is AdamW; with None it saves a pass over all weights.
        optimizer = tf.keras.optimizers.Adam(schedule, weight_decay=config.weight_decay or None)
        optimizer.exclude_from_weight_decay([v for v in model.trainable_variables if v.shape.rank < 2])
    if mixed_precision:
        optimizer = tf.keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


class TrainStep:
    """Callable that takes a batch of every local replica and makes one step."""

    def __init__(
        self,
        model: TwoTower,
        optimizer: tf.keras.optimizers.Optimizer,
        strategy: tf.distribute.Strategy,
        clip_norm: float,
    ) -> None:
        self._model, self._optimizer, self._strategy, self._clip_norm = model, optimizer, strategy, clip_norm
        self._scaled = isinstance(optimizer, tf.keras.mixed_precision.LossScaleOptimizer)
        inner = optimizer.inner_optimizer if self._scaled else optimizer
        self._by_row = inner if isinstance(inner, TouchedRowsAdam) else None
        self._replicas: list[int] = [
            int(replica)
            for replica in strategy.experimental_local_results(
                strategy.experimental_distribute_values_from_function(lambda context: context.replica_id_in_sync_group)
            )
        ]
        # One signature for all shapes: a single trace, which computes the same after a resumption.
        self._run = tf.function(self._on_replicas, input_signature=[[batch_signature()] * len(self._replicas)])

    def __call__(self, number: int, make_batch: Callable[[int, int], Batch]) -> StepResult:
        """Make step `number` (from 0) on `make_batch(replica, n_replicas)` of each local replica."""
        self._model.step.assign(number)
        n_replicas = self._strategy.num_replicas_in_sync
        losses, norm = self._run([make_batch(replica, n_replicas) for replica in self._replicas])
        local = self._strategy.experimental_local_results
        values = {name: float(local(loss)[0]) for name, loss in losses.items()}
        gradient_norm = float(local(norm)[0])
        return StepResult(values, gradient_norm, isfinite(values["loss"]) and (self._scaled or isfinite(gradient_norm)))

    def catch_up(self) -> None:
        """Make the weights what they are after the steps so far, also those that no step has touched for a while."""
        if self._by_row is not None:
            with self._strategy.scope():
                self._by_row.catch_up()

    def _on_replicas(self, batches: list[Batch]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        by_replica = dict(zip(self._replicas, batches, strict=True))
        batch = self._strategy.experimental_distribute_values_from_function(
            lambda context: by_replica[context.replica_id_in_sync_group]
        )
        return self._strategy.run(self._on_replica, args=(batch,))

    def _on_replica(self, batch: Batch) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            total, parts = self._model.compute_losses(batch, training=True)
            loss = self._optimizer.get_scaled_loss(total) if self._scaled else total
        gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        if self._by_row is not None:
            gradients = of_touched_rows(gradients, variables)
        else:
            gradients = [tf.convert_to_tensor(g) for g in gradients]
        if self._scaled:
            gradients = self._optimizer.get_unscaled_gradients(gradients)
        context = tf.distribute.get_replica_context()
        gradients = [with_each_row_once(g) for g in context.all_reduce(MEAN, gradients)]
        gradients, norm = tf.clip_by_global_norm(gradients, self._clip_norm)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True), skip_gradients_aggregation=True)
        return context.all_reduce(MEAN, {"loss": total, **parts}), norm


def batch_signature() -> Batch:
    """Types and free dimensions of a batch, see `Batch`."""
    return {
        "user": tf.TensorSpec([None], tf.int32),
        "history": tf.TensorSpec([None, None], tf.int32),
        "gaps": tf.TensorSpec([None, None], tf.float32),
        "targets": tf.TensorSpec([None, None], tf.int32),
        "ratings": tf.TensorSpec([None, None], tf.float32),
        "rating_features": tf.TensorSpec([None, None, None], tf.float32),
    }
