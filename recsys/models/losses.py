"""The retrieval tasks: a softmax over the whole catalogue, and one over a weighted sample of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs


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


class SampledSoftmaxRetrieval(tfrs.tasks.Retrieval):
    """TFRS retrieval whose negatives are a weighted sample of the catalogue, the same for all queries of a step.

    Each candidate stands for as many items as its weight says, and what a query should find stands for itself, beside
    the candidates. So the sum of the weighted exponentials estimates the one of the full softmax without bias, if the
    sample is independent of the batch. Chunks and gradients are as in `FullSoftmaxRetrieval`.
    """

    def __init__(self, temperature: float, chunk: int) -> None:
        super().__init__(temperature=temperature, name="retrieval")
        self._inverse_temperature = 1.0 / temperature
        self._chunk = chunk

    def call(
        self,
        query_embeddings: tf.Tensor,
        candidate_embeddings: tf.Tensor,
        candidate_log_weights: tf.Tensor,
        target_embeddings: tf.Tensor,
        target_columns: tf.Tensor,
    ) -> tf.Tensor:
        """Sum over queries of the cross-entropy.

        Args:
            query_embeddings: [P, D].
            candidate_embeddings: [C, D], different items.
            candidate_log_weights: float32 [C].
            target_embeddings: [P, D], the item each query should find.
            target_columns: int32 [P], its place among the candidates; -1 where it is none.
        """
        return sampled_softmax_loss(
            tf.cast(query_embeddings, tf.float32) * self._inverse_temperature,
            tf.cast(candidate_embeddings, tf.float32),
            candidate_log_weights,
            tf.cast(target_embeddings, tf.float32),
            target_columns,
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
            _chunks(n_chunks, queries),
        ),
        parallel_iterations=1,
    )
    return total, _joined(query_gradients, queries), item_gradient


def sampled_softmax_loss(
    queries: tf.Tensor,
    candidates: tf.Tensor,
    log_weights: tf.Tensor,
    targets: tf.Tensor,
    columns: tf.Tensor,
    chunk: int,
) -> tf.Tensor:
    """Sum of the softmax cross-entropies of each query's target among the weighted candidates, with its own gradient.

    Args:
        queries: float32 [P, D].
        candidates: float32 [C, D].
        log_weights: float32 [C], added to the candidates' logits.
        targets: float32 [P, D], what each query should find; its weight is 1.
        columns: int32 [P], which candidate is the same item, and does not count for this query; -1: none.
        chunk: queries whose logits are held at a time.

    Returns:
        float32 scalar.
    """

    @tf.custom_gradient
    def loss(
        queries: tf.Tensor, candidates: tf.Tensor, targets: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        own = tf.reduce_sum(queries * targets, axis=1)
        log_partition, query_gradient, candidate_gradient = _partition_and_gradients(
            queries, candidates, log_weights, own, columns, chunk
        )
        residual = (tf.exp(own - log_partition) - 1.0)[:, None]
        gradients = [query_gradient + residual * targets, candidate_gradient, residual * queries]
        return tf.reduce_sum(log_partition - own), lambda upstream: [upstream * one for one in gradients]

    return loss(queries, candidates, targets)


def _partition_and_gradients(
    queries: tf.Tensor, candidates: tf.Tensor, log_weights: tf.Tensor, own: tf.Tensor, columns: tf.Tensor, chunk: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Log partitions [P] of candidates and own logits, and their sum's gradients by way of the candidates alone."""
    n_queries = tf.shape(queries)[0]

    def body(
        start: tf.Tensor, candidate_gradient: tf.Tensor, partitions: tf.TensorArray, query_gradients: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray]:
        stop = tf.minimum(start + chunk, n_queries)
        rows, beside, column = queries[start:stop], own[start:stop], columns[start:stop]
        logits = tf.matmul(rows, candidates, transpose_b=True) + log_weights
        same = tf.where(column >= 0)
        place = tf.concat([tf.cast(same, tf.int32), tf.gather(column, same)], axis=1)
        logits = tf.tensor_scatter_nd_update(logits, place, tf.fill([tf.shape(same)[0]], -np.inf))
        peak = tf.maximum(tf.reduce_max(logits, axis=1), beside)
        parts = tf.exp(logits - peak[:, None])
        total = tf.reduce_sum(parts, axis=1) + tf.exp(beside - peak)
        parts /= total[:, None]
        partitions = partitions.write(start // chunk, tf.math.log(total) + peak)
        query_gradients = query_gradients.write(start // chunk, tf.matmul(parts, candidates))
        return stop, candidate_gradient + tf.matmul(parts, rows, transpose_a=True), partitions, query_gradients

    n_chunks = (n_queries + chunk - 1) // chunk
    _, candidate_gradient, partitions, query_gradients = tf.while_loop(
        lambda start, *_: start < n_queries,
        body,
        (tf.constant(0), tf.zeros_like(candidates), _chunks(n_chunks, own), _chunks(n_chunks, queries)),
        parallel_iterations=1,
    )
    return _joined(partitions, own), _joined(query_gradients, queries), candidate_gradient


def _chunks(count: tf.Tensor, like: tf.Tensor) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, size=count, infer_shape=False, element_shape=[None, *like.shape[1:]])


def _joined(chunks: tf.TensorArray, like: tf.Tensor) -> tf.Tensor:
    # An empty TensorArray cannot be concatenated: a step may have no targets at all.
    return tf.cond(tf.shape(like)[0] > 0, chunks.concat, lambda: tf.zeros_like(like))
