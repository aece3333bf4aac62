"""Arrange: a hook that sees more ranked items than a list holds, and says which of them make the list.

What it leaves out is not forbidden: a list that it makes shorter than k is filled up with popular items, perhaps with
those left out. What no list may hold belongs in a rule (`recsys.pipeline.allow.Rule`), which holds for these, too.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int64Array
from recsys.pipeline.recommendations import Recommendations


class Arrangement(Protocol):
    """Chooses the items of a list from the ranked ones and puts them in order, for example so that brands vary.

    Attributes:
        depth: ranked items it wants to see of each query; never fewer than the list holds.
    """

    depth: int

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Int64Array:
        """The columns of the ranked lists that make each list, best first: int64 [B, k].

        Args:
            queries: B queries.
            ranked: their D best items in the ranker's order, with `NO_ITEM` behind them where there are fewer.
            k: length of the lists, at most D. Where fewer items are proposed, or wanted, the columns of padding follow.
        """


def arrange(arrangement: Arrangement, queries: Queries, ranked: Recommendations, k: int) -> Recommendations:
    """The lists that the arrangement makes.

    Raises:
        ValueError: it gives other than k columns, one of them twice, or padding before an item.
    """
    columns = arrangement.choose(queries, ranked, k)
    ordered = np.sort(columns, axis=1)
    if columns.shape != (len(queries), k) or (ordered[:, 1:] == ordered[:, :-1]).any():
        raise ValueError(f"an arrangement must give {k} different columns of each list")
    items = np.take_along_axis(ranked.items, columns, axis=1)
    if ((items[:, 1:] != NO_ITEM) & (items[:, :-1] == NO_ITEM)).any():
        raise ValueError("an arrangement must put padding behind all items")
    return ranked.columns(columns)
