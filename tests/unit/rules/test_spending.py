"""Which quarter of all users a mean price lies in."""

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.rules.spending import SEGMENTS, Spending


def one_item_each(users: int) -> Histories:
    return Histories.from_rows(users, np.arange(users - 1), np.arange(users - 1), np.zeros(users - 1, np.int64))


def test_segments_by_hand() -> None:
    spending = Spending.of(one_item_each(5), np.array([1, 2, 3, 4, np.nan], np.float32))
    assert spending.quartiles.tolist() == [1.75, 2.5, 3.25]
    means = np.array([0, 1.75, 1.76, 2.5, 3, 99, np.nan], np.float32)
    segments = ["small", "small", "low_average", "low_average", "average", "high", None]
    assert [spending.segment(mean) for mean in means] == segments
    codes = spending.segments(means).codes.tolist()
    assert [None if code < 0 else SEGMENTS[code] for code in codes] == segments


def test_without_prices_nobody_has_a_segment() -> None:
    spending = Spending.of(one_item_each(5), np.full(5, np.nan, np.float32))
    assert spending.quartiles.tolist() == []
    assert spending.segments(np.array([3, np.nan], np.float32)).codes.tolist() == [-1, -1]
    assert spending.segment(np.float32(3)) is None


def test_means_leave_out_what_has_no_price() -> None:
    histories = Histories.from_rows(3, np.array([0, 0, 0, 2]), np.array([0, 1, 2, 2]), np.arange(4))
    means = Spending.of(histories, np.array([9.99, 20.01, np.nan], np.float32)).mean_prices(histories)
    np.testing.assert_array_equal(means, np.array([15, np.nan, np.nan], np.float32))


@pytest.mark.parametrize("price", [9.99, 4.5, 999.99, 0.1])
def test_where_all_prices_are_the_same_nobody_spends_more_than_others(price: float) -> None:
    """However many items a mean is of."""
    lengths = np.arange(1, 60)
    items = np.arange(lengths.sum()) % 7
    histories = Histories.from_rows(59, np.repeat(np.arange(59), lengths), items, np.arange(lengths.sum()))
    spending = Spending.of(histories, np.full(7, price, np.float32))
    assert set(spending.segments(spending.mean_prices(histories)).codes.tolist()) == {0}
