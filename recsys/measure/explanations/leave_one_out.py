"""Leave-one-out of whole lists: how far each listed item's score falls without each item of the history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.measure.explanations.curves import Order
from recsys.measure.explanations.reruns import Reruns


def score_drops(
    reruns: Reruns, histories: Sequence[Order], items: Int32Array, scores: Float32Array
) -> list[Float64Array]:
    """What the scores of items lose, float64 [n, T] for each of U users; inf for one that is not ranked any more.

    Args:
        reruns: of the U users.
        histories: the n distinct items of each user's history, in any order.
        items: int32 [U, T].
        scores: float32 [U, T], with the whole histories.
    """
    counts = [len(history) for history in histories]
    users = np.repeat(np.arange(len(histories)), counts)
    parts = [frozenset({item}) for history in histories for item in history]
    without = reruns.places(users, parts, items[users]).scores
    drops = np.where(np.isnan(without), np.inf, scores[users].astype(np.float64) - without)
    return np.split(drops, np.cumsum(counts)[:-1])
