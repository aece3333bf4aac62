"""The retrieval tasks: sampled softmax through TFRS, and a softmax over the whole catalogue."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tensorflow_recommenders as tfrs


class SampledRetrieval(tfrs.tasks.Retrieval):
    """Sampled softmax with logQ correction and accidental hits removed.

    Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations" (2019). Accidental hits
    are masked here: the layer TFRS has for them overflows in float16.
    """

    def __init__(self, temperature: float) -> None:
        super().__init__(temperature=temperature, name="retrieval")

    def call(
        self,
        query_embeddings: tf.Tensor,
        candidate_embeddings: tf.Tensor,
        candidate_ids: tf.Tensor,
        candidate_sampling_probability: tf.Tensor,
    ) -> tf.Tensor:
        """Sum over queries of the cross-entropy.

        Args:
            query_embeddings: [P, D].
            candidate_embeddings: [C, D], C >= P; row p is what query p should find.
            candidate_ids: int32 [C], item rows.
            candidate_sampling_probability: float32 [C], chance of each as a negative.
        """
        n_queries, n_candidates = tf.shape(query_embeddings)[0], tf.shape(candidate_ids)[0]
        other_item = candidate_ids[None, :] != candidate_ids[:n_queries, None]
        return super().call(
            tf.cast(query_embeddings, tf.float32),
            tf.cast(candidate_embeddings, tf.float32),
            candidate_sampling_probability=candidate_sampling_probability,
            candidate_ids=candidate_ids,
            compute_metrics=False,
            compute_batch_metrics=False,
            score_mask=other_item | tf.eye(n_queries, n_candidates, dtype=tf.bool),
        )


class FullSoftmaxRetrieval(tfrs.tasks.Retrieval):
    """TFRS retrieval whose negatives are the whole catalogue, computed a chunk of queries at a time.

    Only one chunk of logits exists at any time, and the gradients are computed along with the loss,
    so nothing of size queries × items is kept or computed twice.
    """

    def __init__(self, temperature: float, label_smoothing: float, chunk: int) -> None:
        super().__init__(temperature=temperature, name="retrieval")
        self._inverse_temperature = 1.0 / temperature
        self._label_smoothing = label_smoothing
        self._chunk = chunk

    def call(
        self,
        query_embeddings: tf.Tensor,
        candidate_embeddings: tf.Tensor,
        candidate_ids: tf.Tensor,
        sample_weight: tf.Tensor,
    ) -> tf.Tensor:
        """Sum over queries of the weighted cross-entropy.

        Args:
            query_embeddings: [P, D].
            candidate_embeddings: [N, D], every item, row n being item n.
            candidate_ids: int32 [P], the item each query should find.
            sample_weight: [P].
        """
        return chunked_softmax_loss(
            tf.cast(query_embeddings, tf.float32) * self._inverse_temperature,
            tf.cast(candidate_embeddings, tf.float32),
            candidate_ids,
            sample_weight,
            self._label_smoothing,
            self._chunk,
        )


def chunked_softmax_loss(
    queries: tf.Tensor,
    items: tf.Tensor,
    targets: tf.Tensor,
    weights: tf.Tensor,
    label_smoothing: float,
    chunk: int,
) -> tf.Tensor:
    """Weighted sum of softmax cross-entropies of `queries @ items.T`, with its own gradient.

    Args:
        queries: float32 [P, D].
        items: float32 [N, D].
        targets: int32 [P], rows of `items`.
        weights: float32 [P].
        label_smoothing: share of each label spread evenly over all items.
        chunk: queries whose logits are held at a time.

    Returns:
        float32 scalar.
    """

    @tf.custom_gradient
    def loss(queries: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        total, query_gradient, item_gradient = _loss_and_gradients(
            queries, items, targets, weights, label_smoothing, chunk
        )
        return total, lambda upstream: [upstream * query_gradient, upstream * item_gradient]

    return loss(queries, items)


def _loss_and_gradients(
    queries: tf.Tensor,
    items: tf.Tensor,
    targets: tf.Tensor,
    weights: tf.Tensor,
    label_smoothing: float,
    chunk: int,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    n_queries, n_items = tf.shape(queries)[0], tf.shape(items)[0]
    keep, spread = 1.0 - label_smoothing, label_smoothing / tf.cast(n_items, tf.float32)

    def body(
        start: tf.Tensor, total: tf.Tensor, item_gradient: tf.Tensor, query_gradients: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.TensorArray]:
        stop = tf.minimum(start + chunk, n_queries)
        rows, target, weight = queries[start:stop], targets[start:stop], weights[start:stop]
        logits = tf.matmul(rows, items, transpose_b=True)
        log_partition = tf.reduce_logsumexp(logits, axis=1)
        position = tf.stack([tf.range(stop - start), target], axis=1)
        expected = keep * tf.gather_nd(logits, position)
        if label_smoothing:
            expected += spread * tf.reduce_sum(logits, axis=1)
        total += tf.reduce_sum(weight * (log_partition - expected))
        residual = tf.exp(logits - log_partition[:, None]) - spread
        residual = tf.tensor_scatter_nd_sub(residual, position, tf.fill([stop - start], keep)) * weight[:, None]
        query_gradients = query_gradients.write(start // chunk, tf.matmul(residual, items))
        return stop, total, item_gradient + tf.matmul(residual, rows, transpose_a=True), query_gradients

    n_chunks = (n_queries + chunk - 1) // chunk
    _, total, item_gradient, query_gradients = tf.while_loop(
        lambda start, *_: start < n_queries,
        body,
        (
            tf.constant(0),
            tf.constant(0.0),
            tf.zeros_like(items),
            tf.TensorArray(tf.float32, size=n_chunks, infer_shape=False, element_shape=[None, queries.shape[1]]),
        ),
        parallel_iterations=1,
    )
    # An empty TensorArray cannot be concatenated: a step may have no targets at all.
    query_gradient = tf.cond(n_queries > 0, query_gradients.concat, lambda: tf.zeros_like(queries))
    return total, query_gradient, item_gradient
