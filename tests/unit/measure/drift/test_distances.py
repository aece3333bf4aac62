"""Distances of distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recsys.measure.drift.distances import equal_bins, histogram, stability_index


def test_the_index_by_hand() -> None:
    # Shares with half a count in each bin: (.5, .5) and (.25, .75).
    then, now = np.array([1.5, 1.5]), np.array([0.5, 2.5])
    expected = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    assert stability_index(then, now) == pytest.approx(expected)


def test_the_index_is_zero_of_equal_shares_and_symmetric() -> None:
    then, now = np.array([5, 0, 20]), np.array([1, 7, 3])
    assert stability_index(then, then) == 0
    assert stability_index(then, now) == pytest.approx(stability_index(now, then))
    assert stability_index(then, now) > 0.25


def test_chance_alone_moves_it_by_about_its_expectation() -> None:
    random = np.random.default_rng(0)
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    drawn = [stability_index(random.multinomial(500, shares), random.multinomial(1000, shares)) for _ in range(400)]
    assert np.mean(drawn) == pytest.approx(3 * (1 / 500 + 1 / 1000), rel=0.15)


def test_bins_hold_as_many_and_every_value_is_in_one() -> None:
    values = np.arange(100)
    edges = equal_bins(values, 10)
    assert histogram(values, edges).tolist() == [10] * 10
    assert histogram(np.array([-5.0, 1000.0]), edges).tolist() == [1] + [0] * 8 + [1]
    assert len(equal_bins(np.ones(50), 10)) == 1  # all the same
