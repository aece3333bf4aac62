"""The lists that the ranker learns from: candidates of queries with their features, and which of them were chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int32Array, Int64Array
from recsys.measure.metrics import Relevant, membership, ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.pipeline.candidate_scorer import CandidateScorer
from recsys.pipeline.features import CandidateFeatures
from recsys.pipeline.features.source_sum import SOURCE_SUM
from recsys.pipeline.recommender import Recommender
from recsys.sources.exact import is_seen
from recsys.train.validator import CUTOFF, EARLY_STOPPING_METRIC

_BLOCK_QUERIES = 256


@dataclass(frozen=True)
class CandidateLists:
    """Candidates of L queries, of which at least one was chosen in each.

    Attributes:
        items: int32 [L, C], padded with `NO_ITEM`.
        features: float32 [L, C, F].
        names: of the F features.
        labels: bool [L, C], whether the candidate was chosen.
        relevant: all that each query's user chose, candidates or not.
        queries: how many queries were asked, those without a chosen candidate included.
        candidate_recall: mean share of what was chosen that is among the candidates, over all queries.
        repeated: bool [L, C], whether the query's history holds the candidate; None: no history holds one.
        rows: int64 [L], which of the queries asked each list is of.
    """

    items: Int32Array
    features: Float32Array
    names: tuple[str, ...]
    labels: BoolArray
    relevant: Relevant
    queries: int
    candidate_recall: float
    repeated: BoolArray | None = None
    rows: Int64Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.items)

    @property
    def sum_column(self) -> int:
        """The feature that is the weighted sum of the sources' scores."""
        return self.names.index(SOURCE_SUM)

    def ndcg(self, scores: Float32Array) -> float:
        """NDCG@10 of all queries when the candidates are ordered by `scores` [L, C]."""
        return float(self.ndcg_by_list(scores).sum()) / max(self.queries, 1)

    def ndcg_by_list(self, scores: Float32Array) -> Float32Array:
        """NDCG@10 of each list, float32 [L], when its candidates are ordered by `scores` [L, C]."""
        scores = np.where(self.items == NO_ITEM, -np.inf, scores)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :CUTOFF]
        ranked = np.take_along_axis(self.items, order, axis=1)
        return ranking_metrics(ranked, self.relevant, [CUTOFF])[EARLY_STOPPING_METRIC]


def collect_lists(
    recommender: Recommender,
    scorer: CandidateScorer,
    features: CandidateFeatures,
    held: HeldOut,
    *,
    finalists: int | None,
    length: int | None,
    seed: int,
    fitted: BoolArray | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> CandidateLists:
    """Ask for the candidates of every query and compute their features; seen items only where repeats are predicted.

    Args:
        recommender: whose candidates are ranked; its own ranker is not asked.
        scorer: of the sources that propose, and perhaps of others, all fitted on the same interactions.
        features: fitted on these, too.
        held: queries and what followed.
        finalists: see `Ranker`; None: all candidates.
        length: most candidates kept of a list: those chosen, then others drawn at random; None: all.
        seed: of the draw.
        fitted: bool [N], items that may be candidates; None: all. In training these are the ones that the sources were
            fitted on: a catalogue holds many an item only because somebody chooses it later, and the ranker would learn
            to recommend what nobody has chosen yet.
        progress: called with the number of queries done since the last call.
    """
    rng = np.random.default_rng(seed)
    of_items, of_features, of_labels = list[Int32Array](), list[Float32Array](), list[BoolArray]()
    of_repeats, rows = list[BoolArray](), list[Int64Array]()
    recall = 0.0
    for start in range(0, len(held), _BLOCK_QUERIES):
        block = held.select(np.arange(start, min(start + _BLOCK_QUERIES, len(held))))
        readings = scorer.read(block.queries)
        items = recommender.candidates(readings, exclude_seen=not held.repeats)
        if fitted is not None:
            items = np.where(fitted[items], items, NO_ITEM)
        labels = membership(items, block.relevant) & (items != NO_ITEM)
        recall += float((labels.sum(axis=1) / np.maximum(block.relevant.counts, 1)).sum())
        listed = np.flatnonzero(labels.any(axis=1))
        readings = readings.select(listed)
        candidates = scorer.score(readings, items[listed])
        if scorer.weights and finalists is not None:
            candidates = candidates.best(finalists)
        # Some features compare a candidate with all others of its query: compute, then draw.
        items = candidates.items
        values = features.compute(scorer.feature_input(readings, candidates))
        labels = membership(items, block.relevant.select(listed)) & (items != NO_ITEM)
        left = labels.any(axis=1)
        listed, items, values, labels = listed[left], items[left], values[left], labels[left]
        if length is not None and items.shape[1] > length:
            kept = _drawn(items, labels, length, rng)
            items, labels = np.take_along_axis(items, kept, axis=1), np.take_along_axis(labels, kept, axis=1)
            values = np.take_along_axis(values, kept[..., None], axis=1)
        rows.append(start + listed)
        histories = block.queries.histories.select(listed)
        of_items.append(items)
        of_features.append(values)
        of_labels.append(labels)
        if held.repeats:
            of_repeats.append(is_seen(items, np.arange(len(items))[:, None], histories))
        progress(len(block))
    of_lists = np.concatenate(rows)
    return CandidateLists(
        _joined(of_items, NO_ITEM),
        _joined(of_features, 0),
        features.names,
        _joined(of_labels, False),
        held.relevant.select(of_lists),
        len(held),
        recall / max(len(held), 1),
        _joined(of_repeats, False) if held.repeats else None,
        of_lists,
    )


def repeat_log_odds(held: HeldOut) -> float:
    """How much likelier users choose an item of their history than another one, as a log odds ratio.

    For a model that has learned from lists without such items. Estimated from the queries' choices, half a choice
    added on both sides.
    """
    repeated = is_seen(held.relevant.items, held.relevant.owners, held.queries.histories)
    repeats, others = int(repeated.sum()), int((~repeated).sum())
    return float(np.log((repeats + 0.5) / (others + 0.5)))


def _drawn(items: Int32Array, labels: BoolArray, length: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Columns [L, length] of the chosen candidates, then of others at random, then of padding."""
    keys = rng.random(items.shape)
    keys[labels] -= 1
    keys[items == NO_ITEM] = 2
    return np.argsort(keys, axis=1)[:, :length]


def _joined(parts: list[NDArray[Any]], fill: float) -> NDArray[Any]:
    """The parts [L, C, ...] below each other, of the widest one's width, with `fill` in the narrower ones.

    Each is let go as soon as it is copied: features of 50,000 lists take 720 MB, which would be needed twice.
    """
    shape = sum(map(len, parts)), max(part.shape[1] for part in parts), *parts[0].shape[2:]
    joined, end = np.empty(shape, parts[0].dtype), 0
    for number, part in enumerate(parts):
        start, end = end, end + len(part)
        joined[start:end, : part.shape[1]] = part
        joined[start:end, part.shape[1] :] = fill
        parts[number] = part[:0]
    return joined
