from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import Queries
from recsys.sources.popularity.source import Popularity

DAY = 86_400


def test_counts_interactions() -> None:
    assert Popularity.fit(np.array([2, 0, 2]), 4).popularity.tolist() == [1, 0, 2, 0]


def test_counts_weights() -> None:
    weights = np.array([1.0, 5.0, 2.0])
    assert Popularity.fit(np.array([2, 0, 2]), 3, weights=weights).popularity.tolist() == [5, 0, 3]


def test_an_interaction_a_half_life_old_counts_half() -> None:
    times = np.array([10, 7, 4]) * DAY
    fitted = Popularity.fit(np.array([0, 1, 1]), 2, timestamps=times, half_life_days=3)
    assert fitted.popularity.tolist() == pytest.approx([1.0, 0.5 + 0.25])


def test_half_life_needs_times() -> None:
    with pytest.raises(ValueError, match="timestamps"):
        Popularity.fit(np.array([0]), 1, half_life_days=3)


def test_items_without_interactions_come_last() -> None:
    nobody = Histories.from_rows(1, np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
    queries = Queries(nobody, np.array([-1], np.int32), np.zeros(1, np.int64))
    candidates = Popularity.fit(np.array([3, 3, 1]), 5).propose(queries, 5)
    assert candidates.items[0, :2].tolist() == [3, 1]
    assert sorted(candidates.items[0, 2:].tolist()) == [0, 2, 4]
    assert candidates.scores.tolist() == [[2, 1, 0, 0, 0]]


def test_name_is_kept_on_disk(tmp_path: Path) -> None:
    Popularity.fit(np.array([1]), 2, name="recent_popularity").save(tmp_path)
    assert Popularity.load(tmp_path).name == "recent_popularity"
    assert Popularity(np.ones(1, np.float32)).name == "popularity"
