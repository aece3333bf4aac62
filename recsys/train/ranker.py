"""Train the ranker on lists of candidates, and measure what each of its features is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from rich.console import Console

from recsys.config import RankingConfig
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.measure.metrics import Relevant, membership, ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.models.ranker import Ranker, bin_edges, listwise_loss
from recsys.pipeline.candidates import union
from recsys.pipeline.features import CandidateFeatures
from recsys.pipeline.ranker import RankerModel
from recsys.pipeline.recommender import Recommender
from recsys.sources.exact import is_seen
from recsys.train.onnx import checked_difference
from recsys.train.validation import CUTOFF, EARLY_STOPPING_METRIC

_BLOCK_QUERIES = 256
_BLOCK_LISTS = 64
_EDGE_LISTS = 3000
HYBRID_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Lists:
    """Candidates of L queries, of which at least one was chosen in each.

    Attributes:
        items: int32 [L, C], padded with `NO_ITEM`.
        features: float32 [L, C, F].
        labels: bool [L, C], whether the candidate was chosen.
        relevant: all that each query's user chose, candidates or not.
        queries: how many queries were asked, those without a chosen candidate included.
        candidate_recall: mean share of what was chosen that is among the candidates, over all queries.
    """

    items: Int32Array
    features: Float32Array
    labels: BoolArray
    relevant: Relevant
    queries: int
    candidate_recall: float

    def __len__(self) -> int:
        return len(self.items)

    def ndcg(self, scores: Float32Array) -> float:
        """NDCG@10 of all queries when the candidates are ordered by `scores` [L, C]."""
        scores = np.where(self.items == NO_ITEM, -np.inf, scores)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :CUTOFF]
        ranked = np.take_along_axis(self.items, order, axis=1)
        figures = ranking_metrics(ranked, self.relevant, [CUTOFF])[EARLY_STOPPING_METRIC]
        return float(figures.sum()) / max(self.queries, 1)


def collect_lists(
    recommender: Recommender,
    features: CandidateFeatures,
    held: HeldOut,
    *,
    finalists: int | None,
    length: int | None,
    seed: int,
    known: BoolArray | None = None,
) -> Lists:
    """Ask for the candidates of every query and compute their features; seen items are left out.

    Args:
        recommender: whose candidates are ranked; its own ranker is not asked.
        features: of the sources that propose, and perhaps of others, all fitted on the same interactions.
        held: queries and what followed.
        finalists: see `CandidateRanker`; None: all candidates.
        length: most candidates kept of a list: those chosen, then others drawn at random; None: all.
        seed: of the draw.
        known: bool [N], items that may be candidates; None: all. In training these are the ones that the retrievers
            were fitted on: a catalogue holds many an item only because somebody chooses it later, and the ranker
            would learn to recommend what nobody has chosen yet.
    """
    rng = np.random.default_rng(seed)
    parts: list[tuple[Int32Array, Float32Array, BoolArray]] = []
    rows: list[Int64Array] = []
    found = 0.0
    for start in range(0, len(held), _BLOCK_QUERIES):
        block = held.select(np.arange(start, min(start + _BLOCK_QUERIES, len(held))))
        readings = features.read(block.queries)
        items = union(recommender.propose(readings, 1))
        if known is not None:
            items = np.where(known[items], items, NO_ITEM)
        labels = membership(items, block.relevant) & (items != NO_ITEM)
        found += float((labels.sum(axis=1) / np.maximum(block.relevant.counts, 1)).sum())
        listed = np.flatnonzero(labels.any(axis=1))
        readings = readings.select(listed)
        finals = features.score(readings, items[listed])
        if features.hybrid and finalists is not None:
            finals = finals.best(finalists)
        # Some features compare a candidate with all others of its query: compute, then draw.
        items, values = finals.items, features.describe(readings, finals)
        labels = membership(items, block.relevant.select(listed)) & (items != NO_ITEM)
        left = labels.any(axis=1)
        listed, items, values, labels = listed[left], items[left], values[left], labels[left]
        if length is not None and items.shape[1] > length:
            kept = _drawn(items, labels, length, rng)
            items, labels = np.take_along_axis(items, kept, axis=1), np.take_along_axis(labels, kept, axis=1)
            values = np.take_along_axis(values, kept[..., None], axis=1)
        rows.append(start + listed)
        parts.append((items, values, labels))
    width = max((items.shape[1] for items, _, _ in parts), default=0)
    return Lists(
        np.concatenate([_padded(items, width, NO_ITEM) for items, _, _ in parts]),
        np.concatenate([_padded(values, width, 0) for _, values, _ in parts]),
        np.concatenate([_padded(labels, width, False) for _, _, labels in parts]),
        held.relevant.select(np.concatenate(rows)),
        len(held),
        found / max(len(held), 1),
    )


def repeat_log_odds(held: HeldOut) -> float:
    """How much likelier users choose an item of their history than another one, as a log odds ratio.

    Estimated from the queries' choices, half a choice added on both sides.
    """
    repeated = is_seen(held.relevant.items, held.relevant.owners, held.queries.histories)
    repeats, others = int(repeated.sum()), int((~repeated).sum())
    return float(np.log((repeats + 0.5) / (others + 0.5)))


def fit_ranker(
    lists: Lists, validation: Lists | None, config: RankingConfig, seed: int, console: Console
) -> FittedRanker:
    """Train on `lists` until validation NDCG@10 no longer grows; the best weights are kept.

    Args:
        lists: of the prefix.
        validation: of the validation split; where it has none, the weights of the lowest loss are kept.
        config: sizes, epochs, learning rate.
        seed: of first weights, dropout and the order of lists.
    """
    sample = np.random.default_rng(seed).permutation(len(lists))[:_EDGE_LISTS]
    real = lists.items != NO_ITEM
    edges = bin_edges(lists.features[sample][real[sample]], lists.features[lists.labels], config.bins)
    ranker = Ranker(edges, config.hidden, config.dropout, seed)
    optimizer = tf.keras.optimizers.Adam(config.learning_rate)
    optimizer.build(ranker.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(features: tf.Tensor, labels: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = listwise_loss(ranker(features, training=True), labels, present)
        gradients = tape.gradient(loss, ranker.trainable_variables)
        optimizer.apply_gradients(zip(gradients, ranker.trainable_variables, strict=True))
        return loss

    score = tf.function(ranker, reduce_retracing=True)
    judged = validation if validation is not None and len(validation) else None
    kept, curve = ranker.get_weights(), list[dict[str, float]]()
    best, best_epoch = -1.0, 0
    for epoch in range(1, config.epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(len(lists))
        losses = []
        for start in range(0, len(order), config.batch_size):
            rows = order[start : start + config.batch_size]
            losses.append(float(step(lists.features[rows], lists.labels[rows].astype(np.float32), real[rows])))
        curve.append({"epoch": epoch, "loss": float(np.mean(losses))})
        figure = -float(np.mean(losses))
        if judged is not None:
            curve[-1][EARLY_STOPPING_METRIC] = figure = judged.ndcg(scores_of(score, judged.features))
        if best_epoch == 0 or figure > best:
            best, best_epoch, kept = figure, epoch, ranker.get_weights()
        elif epoch - best_epoch >= config.patience:
            break
    ranker.set_weights(kept)
    fitted = FittedRanker(ranker, 0.0, 0.0, best, curve)
    if judged is not None:
        fitted = with_hybrid(fitted, judged)
        console.print(
            f"Ranker: {EARLY_STOPPING_METRIC} {fitted.best:.4f} on {judged.queries} validation users; the hybrid's "
            f"share is {fitted.hybrid_share:.1f} (without it {best:.4f}), epoch {best_epoch} of {len(curve)}, "
            f"{len(lists)} training lists"
        )
    return fitted


@dataclass(frozen=True, eq=False)
class FittedRanker:
    """A trained ranker and how its training went.

    score = ranker(features) + hybrid_weight * hybrid_score

    Attributes:
        ranker: with the best weights.
        hybrid_weight: see above.
        hybrid_share: the same as a share of the sum, both parts taken at their spread on validation.
        best: its validation NDCG@10; without validation the lowest loss, negative.
        curve: epoch, loss and the ranker's own validation NDCG@10 of each epoch.
    """

    ranker: Ranker
    hybrid_weight: float
    hybrid_share: float
    best: float
    curve: list[dict[str, float]]

    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        """Scores [B, C] of candidates with `features` [B, C, F]."""
        return self.ranker(features) + self.hybrid_weight * features[..., -1]


def with_hybrid(fitted: FittedRanker, validation: Lists) -> FittedRanker:
    """`fitted` with the hybrid's share, of `HYBRID_SHARES`, that does best on validation; of equals the least.

    From few lists the ranker learns little. The hybrid, of a few weights tuned on many more users, then holds it up.
    """
    own, hybrid = scores_of(fitted.ranker, validation.features), validation.features[..., -1]
    real = validation.items != NO_ITEM
    unit = float(own[real].std()) / max(float(hybrid[real].std()), 1e-9)
    weights = {share: unit * share / (1 - share) for share in HYBRID_SHARES}
    figures = {share: validation.ndcg(own + np.float32(weight) * hybrid) for share, weight in weights.items()}
    share = max(figures, key=figures.__getitem__)
    return replace(fitted, hybrid_weight=weights[share], hybrid_share=share, best=figures[share])


def scores_of(score: Callable[[tf.Tensor], tf.Tensor], features: Float32Array) -> Float32Array:
    """Scores float32 [L, C] of lists with `features` [L, C, F], by a ranker or its compiled function."""
    blocks = [features[start : start + _BLOCK_LISTS] for start in range(0, len(features), _BLOCK_LISTS)]
    return np.concatenate([score(tf.constant(block)).numpy() for block in blocks])


def served_ranker(fitted: FittedRanker, example: Float32Array) -> tuple[RankerModel, float]:
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
    model = RankerModel(ranker.edges, weights, biases, linear[:, 0], fitted.hybrid_weight)
    return model, checked_difference("the ranker", model.score(example), scores_of(fitted, example))


def contributions(
    ranker: FittedRanker, lists: Lists, groups: Mapping[str, Sequence[str]], seed: int
) -> dict[str, list[dict[str, Any]]]:
    """How much NDCG@10 falls when a group of features, or one feature, is shuffled among the candidates of each list.

    Breiman, "Random forests" (2001), permutation importance.

    Args:
        ranker: trained.
        lists: on which to measure.
        groups: names of the F features by group, in their order.
        seed: of the shuffling, the same for all.
    """
    score = tf.function(ranker, reduce_retracing=True)
    whole = lists.ndcg(scores_of(score, lists.features))
    keys = np.random.default_rng(seed).random(lists.items.shape)
    keys[lists.items == NO_ITEM] = 2
    shuffled = np.argsort(keys, axis=1)[..., None]
    places = {name: place for place, name in enumerate(name for names in groups.values() for name in names)}

    def drop(names: Sequence[str]) -> float:
        columns = [places[name] for name in names]
        features = lists.features.copy()
        features[..., columns] = np.take_along_axis(lists.features[..., columns], shuffled, axis=1)
        return whole - lists.ndcg(scores_of(score, features))

    key = f"{EARLY_STOPPING_METRIC}_drop"
    return {
        "groups": [{"group": group, "features": list(names), key: drop(names)} for group, names in groups.items()],
        "features": [{"name": name, key: drop([name])} for name in places],
    }


def _drawn(items: Int32Array, labels: BoolArray, length: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Places [L, length] of the chosen candidates, then of others at random, then of padding."""
    keys = rng.random(items.shape)
    keys[labels] -= 1
    keys[items == NO_ITEM] = 2
    return np.argsort(keys, axis=1)[:, :length]


def _padded(values: NDArray[Any], width: int, fill: float) -> NDArray[Any]:
    """`values` [L, C, ...] with `fill` up to `width` on axis 1."""
    missing = [(0, 0), (0, width - values.shape[1]), *[(0, 0)] * (values.ndim - 2)]
    return np.pad(values, missing, constant_values=fill)
