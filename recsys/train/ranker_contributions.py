"""What each feature of the ranker is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from recsys.core.queries import NO_ITEM
from recsys.train.ranker_fit import FittedRanker, scores_of
from recsys.train.ranker_lists import CandidateLists
from recsys.train.validator import EARLY_STOPPING_METRIC


def contributions(
    ranker: FittedRanker, lists: CandidateLists, headings: Mapping[str, Sequence[str]], seed: int
) -> dict[str, list[dict[str, Any]]]:
    """How much NDCG@10 falls when a group of features, or one feature, is shuffled among the candidates of each list.

    Breiman, "Random forests" (2001), permutation importance.

    Args:
        ranker: trained.
        lists: on which to measure.
        headings: names of the F features by their origin, in their order.
        seed: of the shuffling, the same for all.
    """
    score = tf.function(ranker, reduce_retracing=True)
    whole = lists.ndcg(scores_of(score, lists.features))
    keys = np.random.default_rng(seed).random(lists.items.shape)
    keys[lists.items == NO_ITEM] = 2
    shuffled = np.argsort(keys, axis=1)[..., None]
    column_of = {name: column for column, name in enumerate(name for names in headings.values() for name in names)}

    def drop(names: Sequence[str]) -> float:
        columns = [column_of[name] for name in names]
        features = lists.features.copy()
        features[..., columns] = np.take_along_axis(lists.features[..., columns], shuffled, axis=1)
        return whole - lists.ndcg(scores_of(score, features))

    key = f"{EARLY_STOPPING_METRIC}_drop"
    return {
        "groups": [{"group": group, "features": list(names), key: drop(names)} for group, names in headings.items()],
        "features": [{"name": name, key: drop([name])} for name in column_of],
    }
