"""Queries of several days in one batch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.core.types import Int64Array
from recsys.pipeline.arrange import Arranged, Arrangement
from recsys.rules.in_parts import ArrangedInParts
from tests.support.rule_sets import SmallShop


@dataclass(frozen=True)
class FirstIs(Arrangement):
    """Puts a column of each query first, and nothing behind it."""

    columns: Int64Array
    depth: int = 5

    def choose(self, queries: object, ranked: object, k: int) -> Arranged:
        made = np.full((len(self.columns), k), -1)
        made[:, 0] = self.columns
        moved_by = np.zeros((*made.shape, 2), np.bool_)
        moved_by[:, 0, 1] = True
        return Arranged(made, moved_by, np.ones((len(made), 2), np.bool_))

    def select(self, rows: Int64Array) -> Arrangement:
        return replace(self, columns=self.columns[rows])


def test_each_part_arranges_its_own_queries(shop: SmallShop) -> None:
    queries = shop.queries.select([1, 4, 7, 8])
    ranked = shop.recommender.recommend(queries, 6)
    parts = ((np.array([0, 3]), FirstIs(np.array([2, 4]))), (np.array([2]), FirstIs(np.array([5]), depth=9)))
    arrangement = ArrangedInParts(parts, 2)
    assert arrangement.depth == 9
    made = arrangement.choose(queries, ranked, 3)
    assert made.columns.tolist() == [[2, -1, -1], [0, 1, 2], [5, -1, -1], [4, -1, -1]]
    assert made.moved_by[:, 0, 1].tolist() == made.kept_out[:, 0].tolist() == [True, False, True, True]
    rows = np.array([3, 1, 2])
    some = arrangement.select(rows).choose(queries.select(rows), ranked.rows(rows), 3)
    np.testing.assert_array_equal(some.columns, made.columns[rows])
    np.testing.assert_array_equal(some.moved_by, made.moved_by[rows])
    none = arrangement.select(np.array([1]))
    assert none.choose(queries.select([1]), ranked.rows(np.array([1])), 3).columns.tolist() == [[0, 1, 2]]
