"""Both bundles answer the same held-out users of the new dataset.

What the bundle in use was fitted on cannot favour the new one: of splits that hold out what came last, whatever the
old split gave to train lies before what the new one holds out. Choices that the old data already held, as something to
tune on or to test on, can only favour the bundle in use; how many there are is said, and what came after its data is
told apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.bundle import Bundle
from recsys.config import Config
from recsys.core.progress import Step
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array
from recsys.measure.gate.check import Part
from recsys.measure.gate.translation import Translation
from recsys.measure.metrics import Relevant, bootstrap_means, ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.sources.exact import is_seen

EVERYONE = "all users"
KNOWN_USERS = "users that both know"
NEW_USERS = "users that only the new one knows"
KNOWN_ITEMS = "choices among items that both know"
AFTERWARDS = "users whose choices came after the data of the bundle in use"


@dataclass(frozen=True)
class Answers:
    """Lists of one bundle for the held-out users, in rows of the new dataset.

    Attributes:
        items: int32 [U, k].
        personal: int32 [U, k], those that are not popular items in the place of personal ones.
        scores: float32 [U, k].
    """

    items: Int32Array
    personal: Int32Array
    scores: Float32Array

    def distinct(self, n_items: int) -> int:
        """How many of the dataset's items are in any list."""
        listed = np.unique(self.items)
        return int(np.sum((listed >= 0) & (listed < n_items)))


def answers(bundle: Bundle, held: HeldOut, k: int, step: Step, translation: Translation | None = None) -> Answers:
    """What a bundle recommends to the held-out users.

    Args:
        bundle: of the dataset, or of another one.
        held: queries in rows of the dataset.
        k: length of the lists.
        step: of the run.
        translation: where the bundle is of another dataset.
    """
    recommender, n_items = bundle.recommender(), bundle.n_items
    parts = []
    with step.bar(f"Users asked for by {bundle.version}", len(held)) as bar:
        for _, block in held.blocks(n_items):
            queries = block.queries if translation is None else translation.ask(block.queries)
            lists = recommender.recommend(queries, k, exclude_seen=not held.repeats)
            rows = [lists.items, lists.personal_items]
            if translation is not None:
                rows = [translation.answer(items) for items in rows]
            parts.append((*rows, lists.scores))
            bar.advance(len(block))
    return Answers(*(np.concatenate(part) for part in zip(*parts, strict=True)))


@dataclass(frozen=True)
class Comparison:
    """The new bundle and the one in use, on the same users.

    Attributes:
        metric: such as ndcg@10.
        parts: of everyone first.
        low: one-sided lower bound of the difference of everyone.
        held_out: see `GateReport`.
    """

    metric: str
    parts: tuple[Part, ...]
    low: float
    held_out: dict[str, float]


def compare(
    new: Answers, old: Answers, held: HeldOut, in_use: Bundle, translation: Translation, config: Config
) -> Comparison:
    """The metric of both, for everyone and for parts of them."""
    gate, wanted = config.gate, held.wanted
    metric = f"{gate.metric}@{gate.cutoff}"

    def pairs(relevant: Relevant) -> Float64Array:
        both = [ranking_metrics(each.items, relevant, [gate.cutoff])[metric] for each in (new, old)]
        return np.stack(both, axis=1).astype(np.float64)

    everyone = pairs(wanted)
    known = translation.users[held.users] >= 0
    afterwards = held.queries.now > in_use.histories.timestamps.max(initial=0)
    parts = [
        _part(EVERYONE, everyone, config),
        _part(KNOWN_USERS, everyone[known], config),
        _part(NEW_USERS, everyone[~known], config),
        _part(KNOWN_ITEMS, pairs(wanted.keep(translation.known_items[wanted.items])), config),
        _part(AFTERWARDS, everyone[afterwards], config),
    ]
    return Comparison(
        metric,
        tuple(parts),
        _bounds(everyone, config, [1 - gate.confidence])[0],
        {
            "users": len(held),
            "choices": len(wanted.items),
            "choices_unknown_to_the_bundle_in_use": _share(~translation.known_items[wanted.items]),
            "choices_in_the_data_of_the_bundle_in_use": _share(_in_its_data(wanted, held, in_use, translation)),
        },
    )


def _in_its_data(wanted: Relevant, held: HeldOut, in_use: Bundle, translation: Translation) -> BoolArray:
    histories = in_use.histories.select(translation.users[held.users])
    return is_seen(translation.items[wanted.items], wanted.owners, histories)


def _part(name: str, pairs: Float64Array, config: Config) -> Part:
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    if not len(pairs):
        return Part(name, 0, 0.0, 0.0, 0.0, 0.0)
    new, in_use = pairs.mean(axis=0).tolist()
    low, high = _bounds(pairs, config, [0.025, 0.975])
    return Part(name, len(pairs), new, in_use, low, high)


def _bounds(pairs: Float64Array, config: Config, quantiles: list[float]) -> list[float]:
    """Quantiles of the bootstrapped difference of the means; both bundles over the same draws of users."""
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    if not len(pairs):
        return [0.0] * len(quantiles)
    means = bootstrap_means(pairs, config.evaluation.bootstrap_samples, config.seed)
    bounds: list[float] = np.quantile(means[:, 0] - means[:, 1], quantiles).tolist()
    return bounds


def _share(mask: BoolArray) -> float:
    return float(mask.mean()) if len(mask) else 0.0
