from __future__ import annotations

import numpy as np
import pytest

from recsys.measure.explanations.agreement import Named, agreement

HISTORIES = [(10, 11, 12), (20, 21)]
# Of the first user's list the first item falls most without 11; the second is not ranked without 10 or 12; the third
# rises without any of them. Of the second user's first item 20 and 21 matter alike.
DROPS = [np.array([[1, np.inf, -1], [3, 2, -2], [2, np.inf, -1]]), np.array([[0.5, 0, 0], [0.5, 1, 0]])]


def test_shares_by_hand() -> None:
    reasons = [
        Named(0, 0, 11, "transitions"),
        Named(0, 1, 12, "transitions"),
        Named(0, 2, 10, "content"),
        Named(1, 0, 20, "content"),
        Named(1, 1, 20, "content"),
    ]
    found = agreement(reasons, HISTORIES, DROPS, samples=100, seed=0)
    assert found is not None
    # The first user: right, right, wrong; by chance 1/3, 2/3, 0. The second: right, wrong; by chance 1, 1/2.
    assert found["share"]["mean"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert (found["share"]["low"], found["share"]["high"]) == pytest.approx((1 / 2, 2 / 3))
    assert found["chance"] == pytest.approx((1 / 3 + 3 / 4) / 2)
    assert (found["users"], found["entries"]) == (2, 5)
    assert found["by_source"] == {
        "content": {"entries": 3, "share": pytest.approx(1 / 3), "chance": pytest.approx(1 / 2)},
        "transitions": {"entries": 2, "share": 1, "chance": pytest.approx(1 / 2)},
    }


def test_users_without_a_reason_do_not_count() -> None:
    found = agreement([Named(1, 1, 21, "content")], HISTORIES, DROPS, samples=10, seed=0)
    assert found is not None
    assert found["users"] == 1
    assert found["share"]["mean"] == 1


def test_no_reasons_no_share() -> None:
    assert agreement([], HISTORIES, DROPS, samples=10, seed=0) is None
