"""Fidelity: whether items fall when what explains them is left out, beside other orders of the same histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.core.types import Float64Array, Int32Array, Int64Array
from recsys.measure.explanations.curves import (
    FIRST,
    SHARES,
    Order,
    Part,
    area,
    at_shares,
    deletion,
    heights,
    insertion,
)
from recsys.measure.explanations.reruns import Reruns
from recsys.measure.results import Fidelity, OrderDifference
from recsys.measure.tally import Summary

EXPLANATION, CHEAP, RECENCY, RANDOM = "explanation", "cheap", "recency", "random"
"""Orders of a history."""
DELETION, INSERTION = "deletion", "insertion"
LISTED = tuple(f"listed_without_{few}" for few in FIRST)
METRICS = (DELETION, INSERTION, *LISTED)
DRAWS = 5
"""Random orders of each history."""

Orders = Mapping[str, Sequence[Sequence[Order]]]
"""By name, of each of U users one order of the history, or several whose mean counts."""
_PARTS = {DELETION: deletion, INSERTION: insertion}


def random_orders(orders: Sequence[Order], seed: int) -> list[list[Order]]:
    """`DRAWS` orders of each of the histories."""
    random = np.random.default_rng(seed)
    return [[tuple(random.permutation(order).tolist()) for _ in range(DRAWS)] for order in orders]


def fidelity(reruns: Reruns, items: Int32Array, orders: Orders, *, samples: int, seed: int) -> Fidelity:
    """Areas below the curves of each order with intervals over users, and paired differences.

    Args:
        reruns: of U users with at least one item each.
        items: int32 [U], the explained one of each user.
        orders: see `Orders`.
        samples: bootstrap resamples of users.
        seed: of the bootstrap.
    """
    ranks = _Ranks(reruns, items, orders)
    figures = {name: ranks.figures(of_users) for name, of_users in orders.items()}
    summary = Summary(figures, samples, seed)
    curves = {name: ranks.curves(of_users) for name, of_users in orders.items()}
    table = summary.table()
    return {
        "users": summary.users,
        "shares": list(SHARES),
        "orders": {name: {"figures": table[name], "curves": curves[name]} for name in orders},
        "differences": _differences(summary, list(orders)),
    }


def _differences(summary: Summary, names: Sequence[str]) -> list[OrderDifference]:
    """Of each order to all that come after it."""
    return [
        {"order": order, "other": other, "metric": metric, **summary.difference(order, other, metric)}
        for number, order in enumerate(names)
        for other in names[number + 1 :]
        for metric in METRICS
    ]


class _Ranks:
    """The rank of each user's item without any part of the history that some order leaves out on its way."""

    def __init__(self, reruns: Reruns, items: Int32Array, orders: Orders) -> None:
        self._k = reruns.k
        asked: dict[tuple[int, Part], int] = {}
        for of_users in orders.values():
            for user, draws in enumerate(of_users):
                for order in draws:
                    for part in (*deletion(order), *insertion(order)):
                        asked.setdefault((user, part), len(asked))
        users = np.array([user for user, _ in asked], np.int64)
        places = reruns.places(users, [part for _, part in asked], items[users, None])
        self._of = dict(zip(asked, places.ranks[:, 0].tolist(), strict=True))

    def figures(self, of_users: Sequence[Sequence[Order]]) -> dict[str, Float64Array]:
        """Metric -> float64 [U], the mean over each user's orders."""
        table = [
            np.mean([self._figures(user, order) for order in draws], axis=0) for user, draws in enumerate(of_users)
        ]
        return dict(zip(METRICS, np.array(table).T, strict=True))

    def _figures(self, user: int, order: Order) -> list[float]:
        """Of one order, in the order of `METRICS`."""
        areas = [area(order, heights(self._along(user, parts(order)))) for parts in _PARTS.values()]
        first = self._along(user, [frozenset(order[:few]) for few in FIRST])
        return areas + [float(1 <= rank <= self._k) for rank in first]

    def curves(self, of_users: Sequence[Sequence[Order]]) -> dict[str, list[float]]:
        """Deletion and insertion: mean heights of all users at `SHARES`."""
        return {
            name: np.mean(
                [
                    at_shares(order, heights(self._along(user, parts(order))))
                    for user, draws in enumerate(of_users)
                    for order in draws
                ],
                axis=0,
            ).tolist()
            for name, parts in _PARTS.items()
        }

    def _along(self, user: int, parts: Sequence[Part]) -> Int64Array:
        return np.array([self._of[user, part] for part in parts], np.int64)
