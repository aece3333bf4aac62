"""How alike two lists are."""

from __future__ import annotations

import pytest

from recsys.measure.shadow.overlap import jaccard, overlap_at, rank_biased_overlap


def test_overlap_counts_what_both_name_among_their_first() -> None:
    old, new = ["a", "b", "c", "d"], ["b", "a", "x", "y"]
    assert overlap_at(1, old, new) == 0
    assert overlap_at(2, old, new) == 1
    assert overlap_at(4, old, new) == 0.5
    assert overlap_at(4, old, ["a"]) == 0.25  # of the longer list
    assert overlap_at(3, [], []) == 1
    assert overlap_at(3, ["a"], []) == 0


def test_jaccard() -> None:
    assert jaccard(["a", "b"], ["b", "c"]) == pytest.approx(1 / 3)
    assert jaccard([], []) == 1


def test_rank_biased_overlap_by_hand() -> None:
    # X_1 = 0, X_2 = 2: 2/2 p^2 + (1 - p)/p (0 + 2/2 p^2), with p = .5: .25 + .25
    assert rank_biased_overlap(["a", "b"], ["b", "a"], 0.5) == pytest.approx(0.5)
    # X_1 = 1, X_2 = 1: 1/2 p^2 + (1 - p)/p (p + 1/2 p^2) = .125 + .5 + .125
    assert rank_biased_overlap(["a", "b"], ["a", "c"], 0.5) == pytest.approx(0.75)


@pytest.mark.parametrize("length", [1, 2, 10, 50])
def test_rank_biased_overlap_of_equal_lists_is_one_and_of_apart_ones_zero(length: int) -> None:
    items = [str(n) for n in range(length)]
    assert rank_biased_overlap(items, items) == pytest.approx(1)
    assert rank_biased_overlap(items, [f"other {item}" for item in items]) == 0
    assert rank_biased_overlap([], []) == 1
    assert rank_biased_overlap(items, []) == 0
