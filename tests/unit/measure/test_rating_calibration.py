from __future__ import annotations

import itertools

import numpy as np
import pytest

from recsys.measure.rating_calibration import reliability


def test_by_hand() -> None:
    # Two predictions: 2, of which came 1 and 2; and 4, of which came 4, 5 and 5.
    found = reliability(np.array([4, 2, 4, 2, 4.0]), np.array([4, 1, 5, 2, 5.0]))
    low, high = found["bins"]
    assert (low["predicted"], low["actual"]["mean"], low["count"]) == (2, 1.5, 2)
    assert (high["predicted"], high["count"]) == (4, 3)
    assert high["actual"]["mean"] == pytest.approx(14 / 3)
    assert found["error"] == pytest.approx((2 * 0.5 + 3 * (14 / 3 - 4)) / 5)
    # Standard error of 1 and 2: a deviation of sqrt(1 / 2), over sqrt(2).
    assert low["actual"]["high"] == pytest.approx(1.5 + 1.96 * 0.5)


def test_distinct_predictions_fall_into_tenths_that_do_not_overlap() -> None:
    random = np.random.default_rng(0)
    predicted = random.normal(size=1000)
    bins = reliability(predicted, predicted + random.normal(size=1000))["bins"]
    assert [part["count"] for part in bins] == [100] * 10
    assert all(before["high"] < after["low"] for before, after in itertools.pairwise(bins))
    assert all(part["low"] <= part["predicted"] <= part["high"] for part in bins)


def test_a_perfect_prediction_has_no_error_and_a_shift_is_the_error() -> None:
    actual = np.array([1, 2, 3, 4, 5.0] * 20)
    assert reliability(actual, actual)["error"] == 0
    assert reliability(actual + 0.25, actual)["error"] == pytest.approx(0.25)


def test_one_prediction_for_all() -> None:
    found = reliability(np.full(4, 3.0), np.array([1, 3, 4, 5.0]))
    assert len(found["bins"]) == 1
    assert found["error"] == pytest.approx(0.25)
    assert reliability(np.array([3.0]), np.array([4.0]))["error"] == 1
