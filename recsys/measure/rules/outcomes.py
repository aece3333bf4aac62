"""What is measured of lists that rules had a part in, user by user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float64Array, Int32Array
from recsys.measure.diversity import Diversity
from recsys.measure.metrics import Relevant, membership, ranking_metrics
from recsys.measure.variety import COVERED, DIVERGENCE, OF_LAST, Variety
from recsys.prepare import columns as c

NDCG, RECALL, PRICE, REVENUE, DIVERSITY, FILLED = "ndcg", "recall", "price", "revenue", "diversity", "filled"
OUTCOMES = (NDCG, RECALL, PRICE, REVENUE, DIVERSITY, OF_LAST, COVERED, DIVERGENCE, FILLED)
r"""What is measured of each user's list of k items; NaN where it is not defined:

* ndcg, recall: at k, see `metrics.ranking_metrics`
* price: mean price of the list's items that have one
* revenue: \sum of the prices of the listed items that the user chose (a proxy: price x hit); without a price: 0
* diversity: see `diversity.Diversity`
* of_last, covered, divergence: see `variety.Variety`, by category
* filled: listed items / k
"""


@dataclass(frozen=True)
class Judge:
    """What lists are judged by, beside what users chose.

    Attributes:
        prices: float64 [n_items], NaN where unknown or not positive.
        diversity: of the catalogue.
        variety: by category.
    """

    prices: Float64Array
    diversity: Diversity
    variety: Variety

    @classmethod
    def of_items(cls, items: pd.DataFrame) -> Self:
        """By the items of a prepared dataset."""
        prices = items[c.PRICE].to_numpy(np.float64)
        return cls(np.where(prices > 0, prices, np.nan), Diversity(items), Variety.of_items(items, "category"))

    def outcomes(self, lists: Int32Array, histories: Histories, chosen: Relevant) -> dict[str, Float64Array]:
        """`OUTCOMES` float64 [B] of lists [B, k] padded with `NO_ITEM`."""
        k, listed = lists.shape[1], lists != NO_ITEM
        ranking = ranking_metrics(lists, chosen, [k])
        prices = np.where(listed, self.prices[lists], np.nan)
        known = ~np.isnan(prices)
        hits = membership(lists, chosen) & known
        variety = self.variety.of(lists, histories)
        return {
            NDCG: ranking[f"ndcg@{k}"].astype(np.float64),
            RECALL: ranking[f"recall@{k}"].astype(np.float64),
            PRICE: _mean(prices, known),
            REVENUE: np.where(chosen.counts > 0, np.where(hits, prices, 0).sum(axis=1), np.nan),
            DIVERSITY: self.diversity.of(lists),
            FILLED: listed.mean(axis=1),
            **{name: variety[name] for name in (OF_LAST, COVERED, DIVERGENCE)},
        }


class Outcomes:
    """The outcomes of one variant of the lists, for U users.

    Attributes:
        figures: of `OUTCOMES`, float64 [U]; NaN where it is not defined.
        shown: bool [n_items], items in at least one list.
        changed: bool [U], whether the list is another one than without rules.
    """

    def __init__(self, n_users: int, n_items: int) -> None:
        self.figures = {name: np.full(n_users, np.nan) for name in OUTCOMES}
        self.shown: BoolArray = np.zeros(n_items, np.bool_)
        self.changed: BoolArray = np.zeros(n_users, np.bool_)

    def add(self, rows: slice, lists: Int32Array, outcomes: dict[str, Float64Array], unruled: Int32Array) -> None:
        """Count the lists [B, k] of the users in `rows`; `unruled` are theirs without rules."""
        for name, column in self.figures.items():
            column[rows] = outcomes[name]
        self.shown[lists[lists != NO_ITEM]] = True
        self.changed[rows] = (lists != unruled).any(axis=1)


def _mean(values: Float64Array, counted: BoolArray) -> Float64Array:
    """Mean of the values [B, K] that are counted; NaN where none is."""
    counts = counted.sum(axis=1)
    return np.where(counts > 0, np.where(counted, values, 0).sum(axis=1) / np.maximum(counts, 1), np.nan)
