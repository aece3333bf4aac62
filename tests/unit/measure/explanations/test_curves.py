from __future__ import annotations

import math

import numpy as np
import pytest

from recsys.measure.explanations.curves import SHARES, area, at_shares, deletion, heights, insertion, steps

SECOND = 1 / math.log2(3)


def test_what_is_left_out_on_the_way() -> None:
    assert deletion((7, 4, 9)) == [set(), {7}, {7, 4}, {7, 4, 9}]
    assert insertion((7, 4, 9)) == [{7, 4, 9}, {4, 9}, {9}, set()]


def test_a_long_history_goes_in_twenty_steps_and_the_first_three_items() -> None:
    assert steps(100).tolist() == [0, 1, 2, 3, *range(5, 101, 5)]
    assert steps(2).tolist() == [0, 1, 2]
    assert len(deletion(tuple(range(100)))[-1]) == 100


def test_height_is_the_discount_of_ndcg_and_nothing_where_it_is_not_ranked() -> None:
    assert heights(np.array([1, 2, 3, 0])) == pytest.approx([1, SECOND, 0.5, 0])


def test_area_by_hand() -> None:
    # Trapezia of width a half: (1 + .5) / 2 and (.5 + 0) / 2.
    assert area((1, 2), [1, 0.5, 0]) == pytest.approx(0.5)
    assert area((1, 2), [1, 1, 1]) == pytest.approx(1)


def test_steps_of_unequal_width_count_by_their_width() -> None:
    count = 100
    order = tuple(range(count))
    falling = 1 - steps(count) / count
    assert area(order, falling) == pytest.approx(0.5)
    assert at_shares(order, falling) == pytest.approx(1 - np.array(SHARES))
