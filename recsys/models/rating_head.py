"""The ranking head: the rating a user would give an item."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from recsys.models.layers import StepDropout
from recsys.ranking.ratings import FEATURES


class RatingHead(tf.keras.layers.Layer):
    """Bias model plus a correction learned from both vectors.

    rating = global mean + item bias + user bias + MLP(user, item, user * item, features). The MLP's last layer
    starts at zero, so that training starts from the bias model (Koren, Bell and Volinsky, "Matrix
    factorization techniques for recommender systems", 2009) and departs from it where that pays.
    """

    def __init__(
        self, rating_mean: float, dim: int, hidden: Sequence[int], dropout: float, step: tf.Variable, seed: int
    ) -> None:
        super().__init__(name="rating_head")
        self._rating_mean = rating_mean
        self._user = tf.keras.layers.Dense(dim, name="user")
        self._item = tf.keras.layers.Dense(dim, name="item")
        self._hidden = [
            tf.keras.layers.Dense(width, activation="relu", name=f"hidden_{n}") for n, width in enumerate(hidden)
        ]
        self._drops = [StepDropout(dropout, step, seed, f"rating_head/drop_{n}") for n in range(len(hidden))]
        self._correction = tf.keras.layers.Dense(1, kernel_initializer="zeros", name="correction")

    def call(self, user: tf.Tensor, item: tf.Tensor, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Predicted ratings [...].

        Args:
            user: [..., D], user vectors.
            item: [..., D], item vectors.
            features: float32 [..., F], the columns of recsys.ranking.ratings.FEATURES.
        """
        item = self._item(item)
        user = tf.broadcast_to(self._user(user), tf.shape(item))  # one user, many candidates
        hidden = tf.concat([user, item, user * item, tf.cast(features, user.dtype)], axis=-1)
        for layer, drop in zip(self._hidden, self._drops, strict=True):
            hidden = drop(layer(hidden), training=training)
        correction = tf.cast(self._correction(hidden)[..., 0], tf.float32)
        biases = features[..., FEATURES.index("item_bias")] + features[..., FEATURES.index("user_bias")]
        return self._rating_mean + biases + correction
