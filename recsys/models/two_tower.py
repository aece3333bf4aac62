"""The two-tower model: both towers, the retrieval task and the rating task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from recsys.config import Config
from recsys.core.profiles import Profiles
from recsys.core.tower_io import Batch
from recsys.core.types import Float32Array
from recsys.models.item_features import ItemFeatures
from recsys.models.item_tower import ItemTower
from recsys.models.losses import FullSoftmaxRetrieval, SampledSoftmaxRetrieval
from recsys.models.negatives import StratifiedNegatives
from recsys.models.rating_head import RatingHead
from recsys.models.user_tower import UserTower
from recsys.pipeline.ratings.statistics import FEATURES


class TwoTower(tfrs.Model):
    """Multi-task two-tower model; the inner product of a user and an item vector is the retrieval score.

    Attributes:
        item_tower, user_tower: the towers.
        rating_head: None without rating task.
        step: number of the training step, of which dropout masks and negatives are functions.
        text_dim: E, width of the items' text embeddings.
    """

    def __init__(
        self,
        features: ItemFeatures,
        item_counts: NDArray[np.integer],
        n_users: int,
        config: Config,
        rating_mean: float | None,
        item_init: Float32Array | None = None,
        text_layer: tf.keras.layers.Layer | None = None,
        rating_start: Float32Array | None = None,
        profiles: Profiles | None = None,
    ) -> None:
        """Build a model for N items.

        Args:
            features: attributes of the items.
            item_counts: int [N], how often each occurs in the training interactions.
            n_users: number of user rows.
            config: the sections model and training, and the seed, are used.
            rating_mean: mean training rating, or None where there are no ratings: no rating task then.
            item_init: float32 [N, dim], start of the item-id embeddings, or None.
            text_layer: int32 rows [U] to text embeddings [U, E] where the encoder is fine-tuned, or None.
            rating_start: float32 [F], where the rating head's linear part starts; None: item bias + taste.
            profiles: of the users, or None.
        """
        super().__init__()
        self._training, self._n_items = config.training, len(features)
        self._item_counts = np.asarray(item_counts)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self.item_tower = ItemTower(
            features, np.asarray(item_counts) > 0, config.model, self.step, config.seed, item_init, text_layer
        )
        self.user_tower = UserTower(self.item_tower.match_dim, n_users, config.model, self.step, config.seed, profiles)
        self.rating_head: RatingHead | None = None
        if rating_mean is not None and config.training.rating_weight > 0:
            self.rating_head = RatingHead(
                rating_mean,
                rating_start,
                config.model.rating_hidden,
                config.model.rating_dropout,
                self.step,
                config.seed,
            )
            self._rating_task = tfrs.tasks.Ranking(
                loss=tf.keras.losses.MeanSquaredError(reduction=tf.keras.losses.Reduction.SUM), name="rating"
            )
        # Items without a training interaction are no negatives: a new item is not a rejected one.
        self._negatives: StratifiedNegatives | None = None
        if config.retrieval_loss(len(features)) == "sampled":
            self._negatives = StratifiedNegatives(self._item_counts, self._training.negatives, config.seed)
        self._retrieval_task = self._make_retrieval_task()
        trained = np.flatnonzero(np.asarray(item_counts) > 0).astype(np.int32)
        self._trained_rows = tf.constant(trained)
        self._column_of_row = tf.constant(np.searchsorted(trained, np.arange(len(features))).astype(np.int32))
        self.text_dim = features.text.shape[1]

    @property
    def output_dim(self) -> int:
        """D, width of user and item vectors."""
        return self.item_tower.output_dim

    @property
    def retrieval_says(self) -> str:
        """Which retrieval loss trains the model, in a line."""
        n_trained = self._trained_rows.shape[0]
        if self._negatives is None:
            return f"Retrieval loss: softmax over all {n_trained} items of the training (full)"
        return (
            f"Retrieval loss: softmax over {len(self._negatives)} items a step, drawn from {n_trained} and weighted to "
            "stand for all (sampled)"
        )

    def build_variables(self) -> None:
        """Create every variable, so that a checkpoint can be restored before the first step."""
        item = self.item_tower(tf.zeros([1], tf.int32))
        user = self.user_vectors(item[:, None, :], tf.ones([1], tf.int32), tf.zeros([1, 1]), tf.zeros([1], tf.int32))
        if self.rating_head is not None:
            self.rating_head(user, item, tf.zeros([1, len(FEATURES)]))

    def set_to_popularity(self) -> None:
        """Set both towers to what is known without any pair of a history and the item that follows it.

        The score of an item is log(1 + its training interactions), which is what the softmax would learn of histories
        that tell nothing, and the text match beside it. All variables exist.
        """
        self.item_tower.set_learned(np.log1p(self._item_counts).astype(np.float32))
        self.user_tower.set_learned_constant()

    def compute_loss(self, inputs: Batch, training: bool = False) -> tf.Tensor:
        """Scalar: the weighted sum of both tasks' mean losses over the batch's targets."""
        return self.compute_losses(inputs, training)[0]

    def compute_losses(self, batch: Batch, training: bool = False) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The total loss and each task's mean loss, all scalars."""
        vectors, positions = self._items_of_step(batch, training)
        mask = batch["history"] >= 0
        history = tf.gather(vectors, positions["history"]) * tf.cast(mask, vectors.dtype)[..., None]
        users = self.user_tower(history, batch["gaps"], batch["user"], training=training)
        is_target = batch["targets"] >= 0
        queries = tf.boolean_mask(users, is_target)
        targets = tf.boolean_mask(positions["targets"], is_target)
        target_vectors = tf.gather(vectors, targets)
        n_targets = tf.maximum(tf.cast(tf.shape(targets)[0], tf.float32), 1.0)
        if self._negatives is None:
            weights = tf.ones_like(targets, tf.float32)
            retrieval = self._retrieval_task(queries, vectors, candidate_ids=targets, sample_weight=weights)
        else:
            retrieval = self._sampled_loss(self._negatives, queries, targets, target_vectors, vectors, positions)
        losses = {"retrieval": retrieval / n_targets}
        total = self._training.retrieval_weight * losses["retrieval"]
        if self.rating_head is not None:
            features = tf.boolean_mask(batch["rating_features"], is_target)
            ratings = tf.boolean_mask(batch["ratings"], is_target)
            predictions = self.rating_head(queries, target_vectors, features, training=training)
            losses["rating"] = self._rating_loss(predictions, ratings)
            total += self._training.rating_weight * losses["rating"]
        return total, losses

    def item_vectors(self, block: int = 4096) -> tf.Tensor:
        """float32 [N, D], vectors of all items, computed `block` items at a time."""
        starts = range(0, self._n_items, block)
        blocks = [self.item_tower(tf.range(s, min(s + block, self._n_items))) for s in starts]
        return self.item_tower.lend_to_untrained(tf.cast(tf.concat(blocks, axis=0), tf.float32))

    def user_vectors(
        self, history: tf.Tensor, lengths: tf.Tensor, gaps: tf.Tensor, user: tf.Tensor, profiles: bool = True
    ) -> tf.Tensor:
        """User vectors after the last event of each history.

        Args:
            history: float32 [B, L, D], L >= 1, item vectors, zeros as padding on the right.
            lengths: int32 [B].
            gaps: float32 [B, L].
            user: int32 [B].
            profiles: whether to add what the users' profiles say.

        Returns:
            float32 [B, D]; for an empty history a vector without meaning.
        """
        vectors = self.user_tower(history, gaps, user, profiles=profiles)
        return tf.cast(tf.gather(vectors, tf.maximum(lengths - 1, 0), batch_dims=1), tf.float32)

    def _make_retrieval_task(self) -> tfrs.tasks.Retrieval:
        training = self._training
        if self._negatives is not None:
            return SampledSoftmaxRetrieval(training.temperature, training.softmax_chunk)
        return FullSoftmaxRetrieval(training.temperature, training.label_smoothing, training.softmax_chunk)

    def _items_of_step(self, batch: Batch, training: bool) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Vectors of the items a step needs, each computed once.

        Returns:
            vectors: [U, D].
            positions: for "history" and "targets" [B, L], and "negatives" [M] where there are any: rows of `vectors`
                (0 at padding).
        """
        needed = {"history": tf.maximum(batch["history"], 0), "targets": tf.maximum(batch["targets"], 0)}
        if self._negatives is None:
            positions = {name: tf.gather(self._column_of_row, values) for name, values in needed.items()}
            return self.item_tower(self._trained_rows, training=training), positions
        needed["negatives"] = self._negatives.draw(self.step)
        rows, index = tf.unique(tf.concat([tf.reshape(values, [-1]) for values in needed.values()], axis=0))
        parts = tf.split(index, [tf.size(values) for values in needed.values()])
        positions = {
            name: tf.reshape(part, tf.shape(values)) for (name, values), part in zip(needed.items(), parts, strict=True)
        }
        return self.item_tower(rows, training=training), positions

    def _sampled_loss(
        self,
        negatives: StratifiedNegatives,
        queries: tf.Tensor,
        targets: tf.Tensor,
        target_vectors: tf.Tensor,
        vectors: tf.Tensor,
        positions: Mapping[str, tf.Tensor],
    ) -> tf.Tensor:
        drawn = positions["negatives"]
        no_column = tf.fill([tf.shape(vectors)[0]], -1)
        columns = tf.tensor_scatter_nd_update(no_column, drawn[:, None], tf.range(tf.size(drawn)))
        return self._retrieval_task(
            queries,
            tf.gather(vectors, drawn),
            candidate_log_weights=negatives.log_weights,
            target_embeddings=target_vectors,
            target_columns=tf.gather(columns, targets),
        )

    def _rating_loss(self, predictions: tf.Tensor, ratings: tf.Tensor) -> tf.Tensor:
        rated = tf.math.is_finite(ratings)
        weights = tf.cast(rated, tf.float32)
        total = self._rating_task(
            labels=tf.where(rated, ratings, 0.0)[:, None], predictions=predictions[:, None], sample_weight=weights
        )
        return total / tf.maximum(tf.reduce_sum(weights), 1.0)
