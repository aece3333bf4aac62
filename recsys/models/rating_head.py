"""The ranking head: the rating a user would give an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from recsys.core.types import Float32Array, Float64Array
from recsys.models.layers import DenseWeights, StepDropout, dense_weights
from recsys.pipeline.ratings.statistics import FEATURES


@dataclass(frozen=True)
class HeadWeights:
    """The head's weights behind `RatingHead.item_part`, in NumPy.

    Attributes:
        user: the layer for user vectors.
        hidden: the MLP's layers, one or more.
        linear: [F, 1], weights of the features.
        correction: [H, 1], of the last hidden layer.
        constant: global mean and both biases.
    """

    user: DenseWeights
    hidden: list[DenseWeights]
    linear: Float64Array
    correction: Float64Array
    constant: float


class RatingHead(tf.keras.layers.Layer):
    """Bias model plus a correction learned from both vectors.

    rating = global mean + w · features + MLP(user, item, user × item, features). The MLP gives zero at the start, so
    that training starts from a bias model (Koren, Bell and Volinsky, "Matrix factorization techniques for recommender
    systems", 2009) and departs from it where that pays.
    """

    def __init__(
        self,
        rating_mean: float,
        start: Float32Array | None,
        hidden: Sequence[int],
        dropout: float,
        step: tf.Variable,
        seed: int,
    ) -> None:
        """Build a head.

        Args:
            rating_mean: global mean.
            start: float32 [F], first weights w of the features; None: item bias + taste.
            hidden: widths of the MLP's layers.
            dropout: in the MLP and on the vectors it reads.
            step, seed: see StepDropout.
        """
        super().__init__(name="rating_head")
        self._rating_mean, self.part_width = rating_mean, hidden[0]
        if start is None:
            start = np.array([feature in ("item_bias", "taste") for feature in FEATURES], np.float32)
        first = tf.constant_initializer(start[:, None])
        self._linear = tf.keras.layers.Dense(1, kernel_initializer=first, name="linear")
        self._user = tf.keras.layers.Dense(hidden[0], name="user")
        self._item = tf.keras.layers.Dense(hidden[0], name="item")
        self._hidden = [
            tf.keras.layers.Dense(width, activation="relu", name=f"hidden_{n}") for n, width in enumerate(hidden)
        ]
        self._drop_input = StepDropout(dropout, step, seed, "rating_head/drop_input")
        self._drops = [StepDropout(dropout, step, seed, f"rating_head/drop_{n}") for n in range(len(hidden))]
        self._correction = tf.keras.layers.Dense(1, kernel_initializer="zeros", name="correction")

    def call(self, user: tf.Tensor, item: tf.Tensor, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Predicted ratings [...].

        Args:
            user: [..., D], user vectors.
            item: [..., D], item vectors.
            features: float32 [..., F], the columns of recsys.pipeline.ratings.statistics.FEATURES.
        """
        return self.rate(user, self.item_part(item), features, training)

    def item_part(self, item: tf.Tensor) -> tf.Tensor:
        """What the head reads of item vectors [..., D]: the same for all users."""
        return self._item(item)

    def rate(self, user: tf.Tensor, item: tf.Tensor, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """As `call`, for items of which `item_part` was computed before."""
        user = tf.broadcast_to(self._user(user), tf.shape(item))  # one user, many candidates
        hidden = self._drop_input(tf.concat([user, item, user * item], axis=-1), training=training)
        hidden = tf.concat([hidden, tf.cast(features, user.dtype)], axis=-1)
        for layer, drop in zip(self._hidden, self._drops, strict=True):
            hidden = drop(layer(hidden), training=training)
        rating = self._linear(features)[..., 0] + self._correction(hidden)[..., 0]
        return self._rating_mean + tf.cast(rating, tf.float32)

    def numpy_weights(self) -> HeadWeights:
        """The weights; all layers are built."""
        linear, correction = dense_weights(self._linear), dense_weights(self._correction)
        return HeadWeights(
            dense_weights(self._user),
            [dense_weights(layer) for layer in self._hidden],
            linear[0],
            correction[0],
            float(self._rating_mean + linear[1][0] + correction[1][0]),
        )
