r"""Deletion and insertion curves: how an item falls while its history is taken away, and rises while it comes back.

An explanation names items of the history in an order, the most important one first. If it is true, the explained item
falls fast when the history is left out in that order, and comes up fast when an empty history gets its items back in
that order. Samek et al., 2017, "Evaluating the Visualization of What a Deep Neural Network Has Learned" (deletion);
Petsiuk et al., 2018, "RISE" (both, with the area below the curve as the figure); of recommenders with users' histories
Barkan et al., 2024, "A Counterfactual Framework for Learning and Evaluating Explanations for Recommender Systems".
Areas weigh all of a history alike, while an explanation is to be short: Baklanov et al., 2025, "Refining Fidelity
Metrics for Explainable Recommendations", look at the first few items alone, as `FIRST` does here.

The height of an item is 1 / log2(1 + its rank), the discount of NDCG, and 0 where it is not ranked. Scores would not
do: some features compare a candidate with the others, so that scores of different histories have no common zero, and
an item that is no finalist any more has none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.types import Float64Array, Int64Array

MOST_STEPS = 20
"""Into which a long history is divided."""
FIRST = (1, 2, 3)
"""How many items are left out in figures of short explanations."""
SHARES = tuple(step / 10 for step in range(11))
"""Parts of the history at which curves of different users meet."""

Order = tuple[int, ...]
"""The distinct items of a history, the most important one first."""
Part = frozenset[int]
"""Of a history, what is left out."""


def steps(count: int) -> Int64Array:
    """How many of `count` items are left out at each step of a curve: from none to all, the `FIRST` ones among them."""
    even = np.rint(np.linspace(0, count, min(count, MOST_STEPS) + 1)).astype(np.int64)
    return np.unique(np.concatenate([even, np.array([few for few in FIRST if few < count], np.int64)]))


def deletion(order: Order) -> list[Part]:
    """What is left out at each step of a deletion curve: more and more, the most important items first."""
    return [frozenset(order[:step]) for step in steps(len(order))]


def insertion(order: Order) -> list[Part]:
    """What is left out at each step of an insertion curve: less and less, the most important items come back first."""
    return [frozenset(order[step:]) for step in steps(len(order))]


def heights(ranks: NDArray[np.integer]) -> Float64Array:
    """1 / log2(1 + rank) of ranks from 1; 0 for a rank of 0, which an item has that is not ranked."""
    return np.where(ranks > 0, 1 / np.log2(1 + np.maximum(ranks, 1)), 0.0)


def area(order: Order, heights: Sequence[float] | Float64Array) -> float:
    """Mean height along a curve, which is linear between its steps; 0 to 1."""
    return float(np.trapezoid(heights, steps(len(order)) / len(order)))


def at_shares(order: Order, heights: Sequence[float] | Float64Array) -> Float64Array:
    """Heights float64 [11] where `SHARES` of the history are left out or back."""
    return np.interp(SHARES, steps(len(order)) / len(order), heights)
