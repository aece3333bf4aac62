"""Train the ranker on lists of candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console

from recsys.config import RankingConfig
from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Float64Array, Int64Array
from recsys.models.ranker_network import RankerNetwork, bin_edges, listwise_loss
from recsys.pipeline.ranker_tables import RankerTables
from recsys.train.choice import cross_fitted, others_of
from recsys.train.onnx_export import checked_difference
from recsys.train.ranker_lists import CandidateLists
from recsys.train.validator import EARLY_STOPPING_METRIC

_BLOCK_LISTS = 64
_EDGE_LISTS = 3000
FEWEST_STEPS, SMALLEST_BATCH = 64, 32
REPEAT_OFFSETS = (0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 4.0, -4.0)
SUM_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def fit_ranker(
    lists: CandidateLists,
    validation: CandidateLists | None,
    config: RankingConfig,
    seed: int,
    console: Console,
    progress: Callable[[int], None] = lambda _: None,
) -> FittedRanker:
    """Train on `lists` until validation NDCG@10 no longer grows; the best weights are kept.

    Args:
        lists: of the prefix.
        validation: of the validation split; where it has none, the weights of the lowest loss are kept.
        config: sizes, epochs, learning rate.
        seed: of first weights, dropout and the order of lists.
        console: for the figures of the best weights.
        progress: called with 1 after each epoch.
    """
    sample = np.random.default_rng(seed).permutation(len(lists))[:_EDGE_LISTS]
    real = lists.items != NO_ITEM
    edges = bin_edges(lists.features[sample][real[sample]], lists.features[lists.labels], config.bins)
    ranker = RankerNetwork(edges, config.hidden, config.dropout, seed)
    step = _training_step(ranker, config.learning_rate)
    score = tf.function(ranker, reduce_retracing=True)
    judged = validation if validation is not None and len(validation) else None
    kept, curve = ranker.get_weights(), list[dict[str, float]]()
    best, best_epoch = -1.0, 0
    batch = batch_size(len(lists), config.batch_size)
    epoch_scores: list[Float32Array] = []
    for epoch in range(1, config.epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(len(lists))
        losses = []
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            losses.append(float(step(lists.features[rows], lists.labels[rows].astype(np.float32), real[rows])))
        curve.append({"epoch": epoch, "loss": float(np.mean(losses))})
        figure = -float(np.mean(losses))
        if judged is not None:
            epoch_scores.append(scores_of(score, judged.features))
            curve[-1][EARLY_STOPPING_METRIC] = figure = judged.ndcg(epoch_scores[-1])
        progress(1)
        if best_epoch == 0 or figure > best:
            best, best_epoch, kept = figure, epoch, ranker.get_weights()
        elif epoch - best_epoch >= config.patience:
            break
    ranker.set_weights(kept)
    fitted = FittedRanker(ranker, 0.0, 0.0, lists.sum_column, best, curve, tuple(epoch_scores))
    if judged is not None:
        fitted = with_sum(fitted, judged)
        console.print(
            f"Ranker: {EARLY_STOPPING_METRIC} {fitted.best:.4f} on {judged.queries} validation users; the sources' sum "
            f"has a share of {fitted.sum_share:.1f} (without it {best:.4f}), epoch {best_epoch} of {len(curve)}, "
            f"{len(lists)} training lists"
        )
    return fitted


def batch_size(n_lists: int, most: int) -> int:
    """Lists in a step: so few that an epoch has `FEWEST_STEPS`, from `SMALLEST_BATCH` to `most`."""
    return min(most, max(SMALLEST_BATCH, n_lists // FEWEST_STEPS))


def _training_step(ranker: RankerNetwork, learning_rate: float) -> Any:
    """A compiled function of features, labels and which candidates are real, which returns the loss before its step."""
    optimizer = tf.keras.optimizers.Adam(learning_rate)
    optimizer.build(ranker.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(features: tf.Tensor, labels: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = listwise_loss(ranker(features, training=True), labels, present)
        gradients = tape.gradient(loss, ranker.trainable_variables)
        optimizer.apply_gradients(zip(gradients, ranker.trainable_variables, strict=True))
        return loss

    return step


@dataclass(frozen=True, eq=False)
class FittedRanker:
    """A trained ranker and how its training went.

    score = ranker(features) + sum_weight * the feature `source_sum`

    Attributes:
        ranker: with the best weights.
        sum_weight: see above.
        sum_share: the same as a share of the sum, both parts taken at their spread on validation.
        sum_column: the feature that is the sum.
        best: its validation NDCG@10; without validation the lowest loss, negative.
        curve: epoch, loss and the ranker's own validation NDCG@10 of each epoch.
        epoch_scores: its own scores of the validation lists after each epoch, float32 [L, C] each.
    """

    ranker: RankerNetwork
    sum_weight: float
    sum_share: float
    sum_column: int
    best: float
    curve: list[dict[str, float]]
    epoch_scores: tuple[Float32Array, ...] = ()

    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        """Scores [B, C] of candidates with `features` [B, C, F]."""
        return self.ranker(features) + self.sum_weight * features[..., self.sum_column]


def with_sum(fitted: FittedRanker, validation: CandidateLists) -> FittedRanker:
    """`fitted` with the share of the sources' sum, of `SUM_SHARES`, that does best on validation; of equals the least.

    From few lists the ranker learns little. The sum, of a few weights tuned on many more users, then holds it up.
    """
    own, sums = scores_of(fitted.ranker, validation.features), validation.features[..., validation.sum_column]
    weights = _sum_weights(own, validation)
    figures = {share: validation.ndcg(own + np.float32(weight) * sums) for share, weight in weights.items()}
    share = max(figures, key=figures.__getitem__)
    return replace(fitted, sum_weight=weights[share], sum_share=share, best=figures[share])


def _sum_weights(own: Float32Array, lists: CandidateLists) -> dict[float, float]:
    """The weight of the sources' sum beside a ranker's own scores [L, C] for each of `SUM_SHARES`."""
    real = lists.items != NO_ITEM
    unit = float(own[real].std()) / max(float(lists.features[..., lists.sum_column][real].std()), 1e-9)
    return {share: unit * share / (1 - share) for share in SUM_SHARES}


def cross_fitted_ndcg(fitted: FittedRanker, validation: CandidateLists, folds: Int64Array) -> Float64Array:
    """NDCG@10 of each list with the settings that are best for the lists of other folds.

    These are the epoch and, with its weights, the share of the sum and what is added to items of the history.

    Args:
        fitted: its scores of every epoch count.
        validation: the L lists that they are of.
        folds: int64 [L].
    """
    by_epoch = np.stack([validation.ndcg_by_list(scores) for scores in fitted.epoch_scores])
    of_folds = []
    for fold in range(int(folds.max(initial=-1)) + 1):
        epoch = int(by_epoch[:, others_of(folds, fold)].mean(axis=1).argmax())
        of_folds.append(_settings_tried(fitted.epoch_scores[epoch], validation))
    return cross_fitted(of_folds, folds)


def _settings_tried(own: Float32Array, lists: CandidateLists) -> Float32Array:
    """NDCG@10 of each list [V, L] with every share of the sum beside the ranker's own scores, and every offset."""
    sums, repeated = lists.features[..., lists.sum_column], lists.repeated
    figures = []
    for weight in _sum_weights(own, lists).values():
        scores = own + np.float32(weight) * sums
        if repeated is None:
            figures.append(lists.ndcg_by_list(scores))
        else:
            figures += [lists.ndcg_by_list(scores + np.float32(offset) * repeated) for offset in REPEAT_OFFSETS]
    return np.stack(figures)


def repeat_offset(fitted: FittedRanker, lists: CandidateLists) -> float:
    """What to add to the score of an item of the history: the best of `REPEAT_OFFSETS`, of equals the least.

    For a model that has learned from lists with such items. None of its features tells them from others, though the
    sources' scores do so in part.
    """
    if lists.repeated is None:
        return 0.0
    scores, repeated = scores_of(fitted, lists.features), lists.repeated.astype(np.float32)
    figures = {offset: lists.ndcg(scores + np.float32(offset) * repeated) for offset in REPEAT_OFFSETS}
    return max(figures, key=figures.__getitem__)


def scores_of(score: Callable[[tf.Tensor], tf.Tensor], features: Float32Array) -> Float32Array:
    """Scores float32 [L, C] of lists with `features` [L, C, F], by a ranker or its compiled function."""
    blocks = [features[start : start + _BLOCK_LISTS] for start in range(0, len(features), _BLOCK_LISTS)]
    return np.concatenate([score(tf.constant(block)).numpy() for block in blocks])


def sum_alone(features: int, sum_column: int, unit: float) -> RankerTables:
    """What orders candidates by the sources' sum alone, in a unit of it that is given."""
    nothing = np.zeros(features, np.float32)
    edges = np.zeros((features, 2), np.float32)
    return RankerTables(
        edges, [nothing[:, None]], [np.zeros(1, np.float32)], nothing, sum_weight=1 / unit, sum_column=sum_column
    )


def served_ranker(fitted: FittedRanker, example: Float32Array) -> tuple[RankerTables, float]:
    """The ranker as it is served, and by how much its scores differ from TensorFlow's, relative to the highest one.

    Args:
        fitted: the trained ranker.
        example: float32 [B, C, F], features on which both are compared.

    Raises:
        BundleError: they differ by more than an export may.
    """
    ranker = fitted.ranker
    layers = [layer.get_weights() for layer in (*ranker.hidden_layers, ranker.output_layer)]
    weights, biases = [weight for weight, _ in layers], [bias for _, bias in layers]
    (linear,) = ranker.linear_layer.get_weights()
    model = RankerTables(
        ranker.edges,
        weights,
        biases,
        linear[:, 0],
        sum_weight=fitted.sum_weight,
        sum_column=fitted.sum_column,
    )
    return model, checked_difference("the ranker", model.score(example), scores_of(fitted, example))
