from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.sources.factors.implicit_weights import implicit_weights

NAN = np.nan
# User 0 takes items 0, 1, 0; user 1 takes items 1, 2; user 2 nothing.
KNOWN = Histories.from_rows(
    3,
    np.array([0, 0, 0, 1, 1]),
    np.array([0, 1, 0, 1, 2]),
    np.arange(5),
    ratings=np.array([5.0, 4, 3, 2, 1]),
    weights=np.array([1.0, 2, 1, 1, 4]),
)
PRICES = np.array([10.0, 30, NAN, 5, 15])
QUANTITIES = np.array([1.0, 2, 3, 6, NAN])


def test_spending_ratio_by_hand() -> None:
    weighted = implicit_weights(KNOWN, prices=PRICES, spending_power=1)
    # User 0's mean of known prices is 20, user 1's is 10.
    np.testing.assert_allclose(weighted.weights, [1 * 0.5, 2 * 1.5, 1, 1 * 0.5, 4 * 1.5])


def test_quantity_ratio_by_hand() -> None:
    weighted = implicit_weights(KNOWN, quantities=QUANTITIES, quantity_power=1)
    # Item 0's mean quantity is 2, item 1's is 4, item 2's unknown.
    np.testing.assert_allclose(weighted.weights, [1 * 0.5, 2 * 0.5, 1 * 1.5, 1 * 1.5, 4])


def test_both_ratios_multiply_each_to_its_power() -> None:
    weighted = implicit_weights(KNOWN, prices=PRICES, quantities=QUANTITIES, spending_power=2, quantity_power=0.5)
    expected = [0.5**2 * 0.5**0.5, 2 * 1.5**2 * 0.5**0.5, 1.5**0.5, 0.5**2 * 1.5**0.5, 4 * 1.5**2]
    np.testing.assert_allclose(weighted.weights, expected, rtol=1e-6)


def test_power_zero_leaves_a_ratio_out() -> None:
    weighted = implicit_weights(KNOWN, prices=PRICES, quantities=QUANTITIES, quantity_power=0)
    np.testing.assert_array_equal(weighted.weights, KNOWN.weights)


@pytest.mark.parametrize("unknown", [NAN, 0.0, -3.0, np.inf])
def test_what_is_no_price_is_unknown(unknown: float) -> None:
    prices = np.array([10.0, 30, unknown, 5, 15])
    weighted = implicit_weights(KNOWN, prices=prices, spending_power=1)
    np.testing.assert_allclose(weighted.weights, [0.5, 3, 1, 0.5, 6])


def test_without_data_nothing_changes() -> None:
    weighted = implicit_weights(KNOWN, spending_power=1, quantity_power=1)
    np.testing.assert_array_equal(weighted.weights, KNOWN.weights)


def test_all_else_stays_and_the_input_is_left_alone() -> None:
    before = KNOWN.weights.copy()
    weighted = implicit_weights(KNOWN, prices=PRICES, spending_power=1)
    for name in ("indptr", "items", "timestamps", "ratings"):
        np.testing.assert_array_equal(getattr(weighted, name), getattr(KNOWN, name))
    assert weighted.weights.dtype == np.float32
    np.testing.assert_array_equal(KNOWN.weights, before)


def test_no_interactions_at_all() -> None:
    nothing = KNOWN.select([2])
    assert len(implicit_weights(nothing, prices=np.zeros(0), spending_power=1).weights) == 0


def test_values_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="each of 5 interactions, got 2"):
        implicit_weights(KNOWN, prices=np.array([1.0, 2.0]), spending_power=1)
