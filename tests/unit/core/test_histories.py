"""Histories: grouping, selecting and padding, by hand."""

import numpy as np
import pytest

from recsys.core.histories import Histories

DAY = 86_400


@pytest.fixture
def histories() -> Histories:
    """User 0: items 5, 6; user 1: none; user 2: items 7, 8, 9."""
    return Histories.from_rows(
        3,
        rows=np.array([2, 0, 2, 0, 2]),
        items=np.array([7, 5, 8, 6, 9]),
        timestamps=np.array([0, 0, 1, 9, 8]) * DAY,
    )


def test_rows_are_grouped_in_their_given_order(histories: Histories) -> None:
    assert histories.indptr.tolist() == [0, 2, 2, 5]
    assert histories.items.tolist() == [5, 6, 7, 8, 9]
    assert np.isnan(histories.ratings).all()
    assert histories.weights.tolist() == [1.0] * 5


def test_select_repeats_reorders_and_gives_unknown_rows_nothing(histories: Histories) -> None:
    chosen = histories.select([2, -1, 0, 99, 2])
    assert chosen.lengths.tolist() == [3, 0, 2, 0, 3]
    assert chosen.items.tolist() == [7, 8, 9, 5, 6, 7, 8, 9]


def test_select_from_nothing() -> None:
    empty = Histories.from_rows(0, *(np.array([], int) for _ in range(3)))
    assert empty.select([0, -1]).lengths.tolist() == [0, 0]


def test_last_keeps_the_most_recent(histories: Histories) -> None:
    assert histories.last(2).items.tolist() == [5, 6, 8, 9]
    assert histories.last(9).items.tolist() == histories.items.tolist()


def test_padded_stands_on_the_left(histories: Histories) -> None:
    assert histories.padded(histories.items, -1).tolist() == [[5, 6, -1], [-1, -1, -1], [7, 8, 9]]


def test_gaps_are_log_days_since_the_event_before(histories: Histories) -> None:
    np.testing.assert_allclose(histories.gaps(), np.log1p([0, 9, 0, 1, 7]), rtol=1e-6)


def test_gaps_of_no_history() -> None:
    assert Histories.from_rows(2, *(np.array([], int) for _ in range(3))).gaps().tolist() == []


def test_every_field_of_an_interaction_is_selected_with_it() -> None:
    rng = np.random.default_rng(5)
    values = rng.permutation(40)
    histories = Histories.from_rows(9, np.sort(rng.integers(9, size=40)), values, values, values * 0.5, values + 1.0)
    chosen, recent = histories.select([4, 1, 9, 4]), histories.last(3)
    expected = [histories.items[histories.indptr[row] : histories.indptr[row + 1]] for row in (4, 1, 4)]
    np.testing.assert_array_equal(chosen.items, np.concatenate(expected))
    for histories in (chosen, recent):
        np.testing.assert_array_equal(histories.timestamps, histories.items)
        np.testing.assert_array_equal(histories.ratings, histories.items * np.float32(0.5))
        np.testing.assert_array_equal(histories.weights, histories.items + np.float32(1))
