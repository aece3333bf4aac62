"""Steps whose cost does not grow with the catalogue: tables of which only the rows of the step are updated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

# A smaller table is updated whole: that takes less than a tenth of a step, and the moments of all its rows fall off at
# every step, as Adam's do.
LEAST_ROWS = 131_072


class TouchedRowsAdam(tf.keras.optimizers.Adam):
    """Adam that, given the gradient of some rows of a table, changes these rows and their moments alone.

    Adam itself (Kingma and Ba, 2015) moves every row at every step: the moments of a row without gradient fall off and
    still push it. Here a row and its moments wait until a step touches it again, as in the sparse Adam of other
    libraries; the bias correction counts the steps of all. A step then takes time by the rows it touches, where Adam's
    reads and writes the table and both moments whole. Rows do not decay.
    """

    def __init__(self, learning_rate: Any) -> None:
        # The number of rows differs from step to step, and compiled code would be made anew for each.
        super().__init__(learning_rate, jit_compile=False)

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable) -> None:
        """Update `variable`; of an IndexedSlices no row occurs twice."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        rows, values = gradient.indices, gradient.values
        step = tf.cast(self.iterations + 1, variable.dtype)
        index = self._index_dict[self._var_key(variable)]
        mean, square = self._momentums[index], self._velocities[index]
        new_mean = self.beta_1 * tf.gather(mean, rows) + (1 - self.beta_1) * values
        new_square = self.beta_2 * tf.gather(square, rows) + (1 - self.beta_2) * tf.square(values)
        correction = tf.sqrt(1 - tf.pow(self.beta_2, step)) / (1 - tf.pow(self.beta_1, step))
        change = self.learning_rate * correction * new_mean / (tf.sqrt(new_square) + self.epsilon)
        mean.scatter_update(tf.IndexedSlices(new_mean, rows))
        square.scatter_update(tf.IndexedSlices(new_square, rows))
        variable.scatter_sub(tf.IndexedSlices(change, rows))


def of_touched_rows(
    gradients: Sequence[tf.Tensor | tf.IndexedSlices], variables: Sequence[tf.Variable]
) -> list[tf.Tensor | tf.IndexedSlices]:
    """The gradients, those of large tables by row as TensorFlow gives them, all others whole."""
    return [
        gradient
        if isinstance(gradient, tf.IndexedSlices) and variable.shape[0] >= LEAST_ROWS
        else tf.convert_to_tensor(gradient)
        for gradient, variable in zip(gradients, variables, strict=True)
    ]


def with_each_row_once(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor | tf.IndexedSlices:
    """The same gradient; the norm of one whose rows occur twice would count them apart."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.shape(rows)[0])
    return tf.IndexedSlices(values, rows, gradient.dense_shape)
