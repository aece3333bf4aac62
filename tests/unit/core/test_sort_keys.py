from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.sort_keys import item_of, lowest, of_sort_keys, score_of, sort, sort_key, sort_keys, tie_key, tie_keys

scores = st.floats(width=32, allow_nan=False)


@settings(deadline=None, database=None)
@given(scores, scores)
def test_keys_ascend_from_the_highest_score(one: float, other: float) -> None:
    first, second = (sort_key(np.float32(score), np.uint64(7)) for score in (one, other))
    assert (first < second) == (one > other)
    assert (first == second) == (one == other)


@settings(deadline=None, database=None)
@given(scores, st.integers(0, 2**31 - 1))
def test_scores_and_items_come_back_from_keys(score: float, item: int) -> None:
    key = np.uint64(sort_key(np.float32(score), np.uint64(tie_key(np.int32(item)))))
    assert item_of(key) == item
    assert score_of(key) == score
    assert math.copysign(1, score_of(key)) == math.copysign(1, score) or score == 0  # -0 is 0
    items, numbers = of_sort_keys(np.array([key]))
    assert (items[0], numbers[0]) == (item, score)


def test_keys_of_arrays_are_those_of_their_elements() -> None:
    random = np.random.default_rng(0)
    numbers, items = random.normal(size=100).astype(np.float32), random.integers(0, 1 << 31, 100).astype(np.int32)
    numbers[:3] = 0.0, -0.0, -np.inf
    of_items = [int(tie_key(item)) for item in items]
    assert tie_keys(items).tolist() == of_items
    expected = [int(sort_key(score, np.uint64(tie))) for score, tie in zip(numbers, of_items, strict=True)]
    assert sort_keys(numbers, items).tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 2, 17, 300])
@pytest.mark.parametrize("most", [1, 200, 2**40, 2**64 - 1])
def test_sorting_and_the_lowest_are_those_of_numpy(count: int, most: int) -> None:
    keys = np.random.default_rng(count).integers(0, most, count, np.uint64, endpoint=True)
    expected = np.sort(keys)
    np.testing.assert_array_equal(sort(keys.copy()), expected)
    for k in (0, 1, 5, 16, 500):
        np.testing.assert_array_equal(lowest(keys.copy(), k), expected[:k])
