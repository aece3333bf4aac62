"""Steps whose cost does not grow with the catalogue: tables of which only the rows of the step are updated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from recsys.config import TrainingConfig

# A smaller table is updated whole: that takes less than a tenth of a step.
LEAST_ROWS = 131_072
_BLOCK_ROWS = 65_536  # of a table that is caught up


class TouchedRowsAdam(tf.keras.optimizers.Adam):
    """Adam that, given the gradient of some rows of a large table, changes these rows and their moments alone.

    Adam itself (Kingma and Ba, 2015) moves every row at every step: without gradient its moments fall off and still
    push it, ten times as far in all as the step that had one. Here a row waits, and is caught up with when a step
    touches it again: the steps that it missed are the terms of a geometric series, whose sum it is moved by. So a step
    takes time by the rows it touches, where Adam's reads and writes the table and both moments whole. What differs
    from Adam is that gradients are computed of rows as they waited, and that learning rate and bias correction of the
    missed steps are those of the first one. `catch_up` before the table is read by anything but steps. Nothing decays.
    """

    def __init__(self, learning_rate: Any) -> None:
        # The number of rows differs from step to step, and compiled code would be made anew for each.
        super().__init__(learning_rate, jit_compile=False)
        self._rate_at = learning_rate if callable(learning_rate) else lambda _: learning_rate

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        """Make the state of all variables: of each row of a large table also the last step that it has seen."""
        super().build(var_list)
        if not hasattr(self, "_seen"):
            large = [variable for variable in var_list if _is_large(variable)]
            self._seen_index = {self._var_key(variable): index for index, variable in enumerate(large)}
            # Of the variables' type, float32: it counts 16 million steps.
            self._seen = [self.add_variable_from_reference(v, "seen", shape=[v.shape[0]]) for v in large]
            self._large = large

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable) -> None:
        """Update `variable`; of an IndexedSlices of a large table no row occurs twice."""
        step = tf.cast(self.iterations + 1, variable.dtype)
        if not isinstance(gradient, tf.IndexedSlices) or not _is_large(variable):
            super().update_step(gradient, variable)
            if _is_large(variable):
                seen = self._state(variable)[-1]
                seen.assign(tf.fill(seen.shape, step))
            return
        rows, values = gradient.indices, gradient.values
        push, mean, square = self._missed(variable, rows, step - 1)
        mean = self.beta_1 * mean + (1 - self.beta_1) * values
        square = self.beta_2 * square + (1 - self.beta_2) * tf.square(values)
        change = self.learning_rate * self._correction(step) * mean / (tf.sqrt(square) + self.epsilon)
        self._set_rows(variable, rows, push + change, mean, square, step)

    def catch_up(self) -> None:
        """Move all rows of large tables by what they missed; outside of a replica."""
        strategy = tf.distribute.get_strategy()
        for variable in self._large:
            strategy.extended.update(variable, self._catch_up)

    def _catch_up(self, variable: tf.Variable) -> None:
        step, n_rows = tf.cast(self.iterations, variable.dtype), variable.shape[0]
        for start in range(0, n_rows, _BLOCK_ROWS):
            rows = tf.range(start, min(start + _BLOCK_ROWS, n_rows))
            self._set_rows(variable, rows, *self._missed(variable, rows, step), step)

    def _missed(
        self, variable: tf.Variable, rows: tf.Tensor, until: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """How far the steps up to `until` that rows missed would have moved them, and their moments after these."""
        mean_of, square_of, seen_of = self._state(variable)
        mean, square, seen = (tf.gather(each, rows) for each in (mean_of, square_of, seen_of))
        missed = (until - seen)[:, None]
        # Of one step to the next, the mean falls by beta_1 and the root of the square by that of beta_2.
        ratio = self.beta_1 / self.beta_2**0.5
        steps = ratio * (1 - ratio**missed) / (1 - ratio)
        rate = (self._rate_at(seen) * self._correction(seen + 1))[:, None]
        push = rate * steps * mean / (tf.sqrt(square) + self.epsilon)
        return push, mean * self.beta_1**missed, square * self.beta_2**missed

    def _correction(self, step: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(1 - tf.pow(self.beta_2, step)) / (1 - tf.pow(self.beta_1, step))

    def _state(self, variable: tf.Variable) -> tuple[tf.Variable, tf.Variable, tf.Variable]:
        key = self._var_key(variable)
        index = self._index_dict[key]
        return self._momentums[index], self._velocities[index], self._seen[self._seen_index[key]]

    def _set_rows(
        self,
        variable: tf.Variable,
        rows: tf.Tensor,
        change: tf.Tensor,
        mean: tf.Tensor,
        square: tf.Tensor,
        step: tf.Tensor,
    ) -> None:
        seen = tf.fill(tf.shape(rows), step)
        for state, values in zip(self._state(variable), (mean, square, seen), strict=True):
            state.scatter_update(tf.IndexedSlices(values, rows))
        variable.scatter_sub(tf.IndexedSlices(change, rows))


def updates_touched_rows(training: TrainingConfig) -> bool:
    """Whether a step leaves rows of large tables alone: a full softmax touches all, and weight decay moves all."""
    return training.retrieval_loss == "sampled" and not training.weight_decay


def of_touched_rows(
    gradients: Sequence[tf.Tensor | tf.IndexedSlices], variables: Sequence[tf.Variable]
) -> list[tf.Tensor | tf.IndexedSlices]:
    """The gradients, those of large tables by row as TensorFlow gives them, all others whole."""
    return [
        gradient if isinstance(gradient, tf.IndexedSlices) and _is_large(variable) else tf.convert_to_tensor(gradient)
        for gradient, variable in zip(gradients, variables, strict=True)
    ]


def with_each_row_once(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor | tf.IndexedSlices:
    """The same gradient; the norm of one whose rows occur twice would count them apart."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.shape(rows)[0])
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _is_large(variable: tf.Variable) -> bool:
    return variable.shape.rank == 2 and variable.shape[0] >= LEAST_ROWS
