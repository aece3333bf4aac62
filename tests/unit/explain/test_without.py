from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.explain.without import without


def a_query(items: list[int], bought: list[int] | None = None) -> Queries:
    def history(items: list[int]) -> Histories:
        times = 10 * np.arange(len(items))
        return Histories.from_rows(1, np.zeros(len(items), int), np.array(items, int), times, None, 1.0 + times)

    kept = None if bought is None else history(bought)
    return Queries(history(items), np.array([7], np.int32), np.array([99]), kept)


def rows_of(histories: Histories) -> list[list[int]]:
    return [histories.items[a:b].tolist() for a, b in zip(histories.indptr, histories.indptr[1:], strict=False)]


def test_every_occurrence_is_left_out_and_the_rest_keeps_its_order_times_and_weights() -> None:
    lacking = without(a_query([3, 5, 3, 8]), [{3}, {5, 8}, set(), {4}])
    assert rows_of(lacking.histories) == [[5, 8], [3, 3], [3, 5, 3, 8], [3, 5, 3, 8]]
    assert lacking.histories.timestamps[:4].tolist() == [10, 30, 0, 20]
    assert lacking.histories.weights[:4].tolist() == [11, 31, 1, 21]
    assert lacking.users.tolist() == [7, 7, 7, 7]
    assert lacking.now.tolist() == [99, 99, 99, 99]


def test_what_was_bought_is_left_out_too() -> None:
    lacking = without(a_query([3, 5], bought=[5]), [[5], [3]])
    assert lacking.bought is not None
    assert rows_of(lacking.bought) == [[], [5]]
    assert without(a_query([3]), [[3]]).bought is None


def test_a_set_for_each_of_several_queries() -> None:
    two = Queries(
        Histories.from_rows(2, np.array([0, 0, 1]), np.array([1, 2, 1]), np.zeros(3, int)),
        np.array([0, 1], np.int32),
        np.zeros(2, int),
    )
    assert rows_of(without(two, [{1}, set()]).histories) == [[2], [1]]
    with pytest.raises(ValueError, match="2 queries"):
        without(two, [{1}])


def test_no_set_is_no_query_and_an_empty_history_stays_empty() -> None:
    assert len(without(a_query([3]), [])) == 0
    assert rows_of(without(a_query([]), [{1}]).histories) == [[]]
