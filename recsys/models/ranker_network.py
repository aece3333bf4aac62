"""The ranker: puts the candidates of a query in order by their features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from recsys.core.types import Float32Array


class RankerNetwork(tf.keras.layers.Layer):
    """MLP, plus a linear part, over piecewise linear encodings of the features; one score a candidate.

    Each feature becomes one number for each bin: the share of the bin that lies below it, from 0 to 1. The first
    layer can therefore bend at every edge, as trees can, whatever the feature's scale (Gorishniy, Rubachev and
    Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS 2022).
    """

    def __init__(self, edges: Float32Array, hidden: Sequence[int], dropout: float, seed: int) -> None:
        """Build a ranker with all its variables.

        Args:
            edges: float32 [F, T + 1], edges of each feature's bins, increasing; see `bin_edges`.
            hidden: widths of the MLP's layers.
            dropout: after each of them.
            seed: of first weights and dropout.
        """
        super().__init__(name="ranker")
        self.edges = edges
        n_features, n_bins = len(edges), edges.shape[1] - 1
        widths = np.diff(edges, axis=1)
        self._width = n_features * n_bins
        self._low = tf.constant(edges[:, :-1])
        self._steepness = tf.constant(np.where(widths > 0, 1 / np.where(widths > 0, widths, 1), 0), tf.float32)
        start = tf.keras.initializers.GlorotUniform
        self.hidden_layers = [
            tf.keras.layers.Dense(width, "relu", kernel_initializer=start(seed + n), name=f"hidden_{n}")
            for n, width in enumerate(hidden)
        ]
        self._drops = [tf.keras.layers.Dropout(dropout, seed=seed + n) for n in range(len(hidden))]
        self.output_layer = tf.keras.layers.Dense(1, kernel_initializer=start(seed + len(hidden)), name="output")
        self.linear_layer = tf.keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="linear")
        self(tf.zeros([1, 1, n_features]))

    def call(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Scores [B, C] of candidates with `features` [B, C, F]."""
        shares = tf.clip_by_value((features[..., None] - self._low) * self._steepness, 0.0, 1.0)
        encoded = tf.reshape(shares, [tf.shape(features)[0], tf.shape(features)[1], self._width])
        hidden = encoded
        for layer, drop in zip(self.hidden_layers, self._drops, strict=True):
            hidden = drop(layer(hidden), training=training)
        return (self.output_layer(hidden) + self.linear_layer(encoded))[..., 0]


def bin_edges(candidates: Float32Array, chosen: Float32Array, bins: int) -> Float32Array:
    """Edges of `bins` bins for each feature: half of them quantiles over all candidates, half over the chosen ones.

    The few chosen items lie where the many others are rare: both need resolution.

    Args:
        candidates: float32 [T, F], features of candidates.
        chosen: float32 [S, F], features of candidates that were chosen.
        bins: of each feature; a feature of fewer distinct values has empty bins at its end.

    Returns:
        float32 [F, bins + 1], increasing along a row.
    """
    shares = np.linspace(0, 1, bins // 2 + 1)
    rows = []
    for feature in range(candidates.shape[1]):
        quantiles = [np.quantile(part[:, feature], shares) for part in (candidates, chosen)]
        distinct = np.unique(np.concatenate(quantiles).astype(np.float32))
        if len(distinct) > bins + 1:
            distinct = distinct[np.linspace(0, len(distinct) - 1, bins + 1).round().astype(int)]
        rows.append(np.pad(distinct, (0, bins + 1 - len(distinct)), mode="edge"))
    return np.stack(rows)


def listwise_loss(scores: tf.Tensor, labels: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """Softmax cross-entropy over each list, the mean over lists.

    Cao et al., "Learning to rank: from pairwise approach to listwise approach" (ICML 2007), top-one
    probabilities; several labels of a list share its probability evenly.

    Args:
        scores: float32 [B, C].
        labels: float32 [B, C], 1 for a chosen item; at least one in every list.
        real: bool [B, C], false beside padding.
    """
    scores = tf.where(real, scores, tf.constant(-1e9))
    share = labels / tf.reduce_sum(labels, axis=1, keepdims=True)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(share, scores))
