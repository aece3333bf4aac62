"""How long lists take: both bundles are asked in turns, so that what else the machine does meets both alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.bundle import Bundle
from recsys.core.queries import Queries
from recsys.core.types import Float64Array
from recsys.measure.gate.translation import Translation

WARM_UP = 20  # lists of each before the first that counts: loops are compiled and files come into memory


@dataclass(frozen=True)
class Speed:
    """Milliseconds of one list.

    Attributes:
        median, p95: over lists of one query each.
    """

    median: float
    p95: float


def time_in_turns(
    bundles: Sequence[tuple[Bundle, Translation | None]],
    queries: Queries,
    k: int,
    lists: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Speed]:
    """How long each of the bundles takes for the same queries, one at a time.

    Args:
        bundles: each with the translation of queries where it is of another dataset.
        queries: of the dataset; they begin anew where there are fewer than lists.
        k: length of the lists.
        lists: that are timed of each bundle.
        clock: in seconds.
    """
    asked = [queries if translation is None else translation.ask(queries) for _, translation in bundles]
    recommenders = [bundle.recommender() for bundle, _ in bundles]
    taken: Float64Array = np.zeros((len(bundles), WARM_UP + lists))
    for turn in range(WARM_UP + lists):
        row = [turn % len(queries)]
        order = range(len(bundles)) if turn % 2 else reversed(range(len(bundles)))
        for each in order:
            query = asked[each].select(row)
            started = clock()
            recommenders[each].recommend(query, k)
            taken[each, turn] = clock() - started
    counted = taken[:, WARM_UP:] * 1000
    return [Speed(float(np.median(of_one)), float(np.quantile(of_one, 0.95))) for of_one in counted]
