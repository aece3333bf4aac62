"""Neighbours that change places for `benchmarks/order_swaps.py`."""

from __future__ import annotations

import numpy as np

from benchmarks.order_swaps import swapped

USERS = np.repeat(np.arange(2_000), 5)


def test_nothing_moves_without_a_chance() -> None:
    np.testing.assert_array_equal(swapped(USERS, 0.0, 0), np.arange(len(USERS)))


def test_with_certainty_pairs_change_places_and_nobody_leaves_their_user() -> None:
    """Of five interactions the first and second, and the third and fourth; the fifth has no next one."""
    rows = swapped(USERS[:10], 1.0, 0)
    np.testing.assert_array_equal(rows, [1, 0, 3, 2, 4, 6, 5, 8, 7, 9])


def test_half_of_those_walked_over_change_places() -> None:
    """From a place the walk goes on to the next one, or behind it after a swap."""
    rows = swapped(USERS, 0.5, 0)
    np.testing.assert_array_equal(USERS[rows], USERS)
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(USERS)))
    assert np.abs(rows - np.arange(len(USERS))).max() == 1
    # Chance that the walk stops at the places 0 to 3: 1, 1/2, 3/4, 5/8; half of these 2.875 stops are swaps.
    assert abs((rows > np.arange(len(USERS))).sum() / 2_000 - 2.875 / 2) < 0.05
