"""Dropout that a resumed run repeats, and the causal transformer block."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from recsys.core.types import Float64Array

DenseWeights = tuple[Float64Array, Float64Array]
"""Kernel [D, E] and bias [E]."""


@dataclass(frozen=True)
class NormWeights:
    """Of a layer normalisation: gamma and beta [D], and the epsilon."""

    gamma: Float64Array
    beta: Float64Array
    epsilon: float


@dataclass(frozen=True)
class BlockWeights:
    """What a causal block computes with, in NumPy.

    Attributes:
        heads: H, number of attention heads.
        norm_attention, norm_feed_forward: before either part.
        queries_to_keys: [D, H * D], of each head the query matrix times the transposed key matrix, scaled. The bias of
            the keys, the same for all, has no effect.
        values_to_out: [H * D, D], of each head the value matrix times its rows of the output matrix.
        expand, contract: the feed-forward layers.
    """

    heads: int
    norm_attention: NormWeights
    norm_feed_forward: NormWeights
    queries_to_keys: DenseWeights
    values_to_out: DenseWeights
    expand: DenseWeights
    contract: DenseWeights


def dense_weights(layer: tf.keras.layers.Dense) -> DenseWeights:
    """Weights of a built layer."""
    return layer.kernel.numpy().astype(np.float64), layer.bias.numpy().astype(np.float64)


def norm_weights(layer: tf.keras.layers.LayerNormalization) -> NormWeights:
    """Weights of a built layer."""
    gamma, beta = layer.gamma.numpy().astype(np.float64), layer.beta.numpy().astype(np.float64)
    return NormWeights(gamma, beta, float(layer.epsilon))


class StepDropout(tf.keras.layers.Layer):
    """Dropout whose mask is a function of the run's seed, the layer's name and the training step alone.

    Keras draws masks from generators whose state is lost with the process; here a run that is killed
    and resumed at step s draws what an uninterrupted one would have drawn.
    """

    def __init__(self, rate: float, step: tf.Variable, seed: int, name: str) -> None:
        super().__init__(name=name)
        self._rate = rate
        # Held in a tuple so that Keras does not count the model's step among this layer's weights.
        self._step = (step,)
        self._seed = zlib.crc32(f"{seed}/{name}".encode()) & 0x7FFFFFFF

    def seed(self) -> tf.Tensor:
        """int64 [2], differing between replicas so that they do not drop the same units."""
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64) if context else tf.constant(0, tf.int64)
        return tf.stack([tf.constant(self._seed, tf.int64) + replica, tf.identity(self._step[0])])

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training or self._rate == 0:
            return inputs
        return tf.nn.experimental.stateless_dropout(inputs, self._rate, seed=self.seed(), rng_alg="philox")


class CausalBlock(tf.keras.layers.Layer):
    """Pre-norm transformer block in which a position attends to itself and to earlier ones.

    Vaswani et al., "Attention Is All You Need" (2017), as used by Kang and McAuley, "Self-Attentive
    Sequential Recommendation" (2018). Padding stands on the right, so the causal mask hides it too.
    """

    def __init__(self, dim: int, heads: int, dropout: float, step: tf.Variable, seed: int, name: str) -> None:
        super().__init__(name=name)
        self._heads, self._head_dim = heads, dim // heads
        self._norm_attention = tf.keras.layers.LayerNormalization(epsilon=1e-6, name="norm_attention")
        self._norm_feed_forward = tf.keras.layers.LayerNormalization(epsilon=1e-6, name="norm_feed_forward")
        self._qkv = tf.keras.layers.Dense(3 * dim, name="qkv")
        self._out = tf.keras.layers.Dense(dim, name="attention_out")
        self._expand = tf.keras.layers.Dense(dim, activation="relu", name="expand")
        self._contract = tf.keras.layers.Dense(dim, name="contract")
        self._drop_weights = StepDropout(dropout, step, seed, f"{name}/drop_weights")
        self._drop_attention = StepDropout(dropout, step, seed, f"{name}/drop_attention")
        self._drop_hidden = StepDropout(dropout, step, seed, f"{name}/drop_hidden")
        self._drop_out = StepDropout(dropout, step, seed, f"{name}/drop_out")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[B, L, dim] to [B, L, dim]."""
        attended = self._attend(self._norm_attention(inputs), training)
        hidden = inputs + self._drop_attention(attended, training=training)
        forward = self._drop_hidden(self._expand(self._norm_feed_forward(hidden)), training=training)
        return hidden + self._drop_out(self._contract(forward), training=training)

    def _attend(self, inputs: tf.Tensor, training: bool) -> tf.Tensor:
        batch, length = tf.shape(inputs)[0], tf.shape(inputs)[1]
        qkv = tf.reshape(self._qkv(inputs), [batch, length, 3, self._heads, self._head_dim])
        query, key, value = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4]), num=3)
        logits = tf.matmul(query, key, transpose_b=True) * self._head_dim**-0.5
        position = tf.range(length)
        hidden = position[None, :] > position[:, None]
        logits += tf.cast(hidden, logits.dtype) * tf.constant(-1e4, logits.dtype)
        weights = self._drop_weights(tf.nn.softmax(logits), training=training)
        mixed = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        return self._out(tf.reshape(mixed, [batch, length, self._heads * self._head_dim]))

    def numpy_weights(self) -> BlockWeights:
        """The weights, multiplied together where nothing lies between them."""
        (kernel, bias), (out, out_bias) = dense_weights(self._qkv), dense_weights(self._out)
        dim, heads, size = len(kernel), self._heads, self._head_dim
        query, key, value = np.moveaxis(kernel.reshape(dim, 3, heads, size), 1, 0)
        query_bias, _, value_bias = bias.reshape(3, heads, size)
        scale = size**-0.5
        to_keys = scale * np.einsum("ihd,jhd->ihj", query, key), scale * np.einsum("hd,jhd->hj", query_bias, key)
        to_out = np.einsum("ihd,hdo->hio", value, out.reshape(heads, size, dim))
        return BlockWeights(
            heads,
            norm_weights(self._norm_attention),
            norm_weights(self._norm_feed_forward),
            (to_keys[0].reshape(dim, heads * dim), to_keys[1].reshape(heads * dim)),
            (to_out.reshape(heads * dim, dim), value_bias.reshape(dim) @ out + out_bias),
            dense_weights(self._expand),
            dense_weights(self._contract),
        )
