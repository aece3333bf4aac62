from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from recsys.core.queries import Queries
from recsys.measure.cold_start import among_new_items, new_users
from recsys.measure.protocol import HeldOut
from recsys.measure.systems import ANN, POPULARITY, SYSTEM, Systems
from recsys.sources.popularity.source import Popularity
from tests.support.datasets import TEST, TRAIN, make_dataset
from tests.support.measuring import FakeBundle, FakeSource, FakeTwoTower, make_config, wishes

N_ITEMS = 10
CONFIG = make_config(cutoffs=[1])


class LastItem(FakeTwoTower):
    """Wants the item after the last one of the history, if that is not too old, whoever asks."""

    def encode(self, queries: Queries) -> np.ndarray:
        histories = queries.histories
        scores = np.zeros((len(histories), N_ITEMS), np.float32)
        known = np.flatnonzero(histories.lengths)
        assert (queries.users == -1).all()
        scores[known, histories.items[histories.indptr[1:][known] - 1] + 1] = histories.lengths[known]
        return scores


def held_out() -> HeldOut:
    """User 0 knows 0 1 2 3 4 and wants 5; user 1 knows 4 3 2 1 0 and wants 7; user 2 knows too little."""
    rows: list[Any] = [(0, item, item, None, TRAIN) for item in range(5)] + [(0, 5, 9, None, TEST)]
    rows += [(1, 4 - time, time, None, TRAIN) for time in range(5)] + [(1, 7, 9, None, TEST)]
    rows += [(2, 1, 1, None, TRAIN), (2, 7, 9, None, TEST)]
    return HeldOut.of(make_dataset(rows, 3, N_ITEMS), TEST)


def test_the_same_users_with_ever_longer_histories() -> None:
    popularity = np.zeros(N_ITEMS, np.float32)
    popularity[7], popularity[0] = 2, 3
    bundle = FakeBundle(LastItem(np.zeros((1, N_ITEMS), np.float32)), Popularity(popularity))
    systems = Systems.of(bundle)
    names = [SYSTEM, ANN, POPULARITY]
    found = new_users(systems, held_out(), names, CONFIG)
    assert found is not None
    assert found["users"] == 2
    rows = {row["history"]: {name: row["systems"][name]["recall@1"]["mean"] for name in names} for row in found["rows"]}
    assert list(rows) == [0, 1, 2, 5, None]
    # Without history only popular items are left: the first one is 0, which nobody wants.
    assert rows[0] == {SYSTEM: 0, ANN: 0, POPULARITY: 0}
    # With any history the last item of user 0 tells; user 1, whose last item is 0, is told to take 1.
    for length in (1, 2, 5, None):
        assert rows[length][SYSTEM] == rows[length][ANN] == 0.5
    # Item 0 is dropped as seen for user 1 from the last item on, for user 0 once five are known.
    assert [rows[length][POPULARITY] for length in (1, 2, 5, None)] == [0.5, 0.5, 0.5, 0.5]


def test_without_long_histories_there_is_no_table() -> None:
    held = held_out().select(np.array([2]))
    bundle = FakeBundle(FakeTwoTower(wishes(N_ITEMS, [7])), Popularity(np.ones(N_ITEMS, np.float32)))
    assert new_users(Systems.of(bundle), held, [SYSTEM], CONFIG) is None


def test_new_items_are_told_from_one_another() -> None:
    held = held_out()
    new = np.zeros(N_ITEMS, bool)
    new[[6, 7, 8]] = True
    # Users 1 and 2 want item 7. The first retriever prefers old items, and 7 before 6 for user 1 alone.
    mine = FakeSource(wishes(N_ITEMS, [0], [5, 9, 7, 6, 8], [5, 9, 6, 7, 8]))
    nothing = FakeSource(np.full((3, N_ITEMS), -np.inf, np.float32))
    found = among_new_items({"mine": mine, "nothing": nothing}, held, new, CONFIG)
    assert found is not None
    assert found["users"] == 2
    assert found["systems"]["mine"]["recall@1"]["mean"] == 0.5
    assert found["systems"]["nothing"]["recall@1"]["mean"] == 0
    # In a list of two user 2 finds it in second place.
    deeper = among_new_items({"mine": mine}, held, new, make_config(cutoffs=[2]))
    assert deeper is not None
    assert deeper["systems"]["mine"]["ndcg@2"]["mean"] == pytest.approx((1 + 1 / math.log2(3)) / 2)
    assert among_new_items({"mine": mine}, held, np.zeros(N_ITEMS, bool), CONFIG) is None
