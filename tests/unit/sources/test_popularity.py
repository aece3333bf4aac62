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


@pytest.mark.parametrize("broken", [1, 3])
def test_a_broken_clock_does_not_age_all_others(broken: int) -> None:
    """Of 400 days, the last three items are of late; some events are of 2099."""
    days = np.arange(400)
    items = np.where(days < 390, 0, 1 + days % 3)
    ahead = np.full(broken, 4_070_908_800)
    times = np.append(1_600_000_000 + days * DAY, ahead)
    fitted = Popularity.fit(np.append(items, np.full(broken, 4)), 5, timestamps=times, half_life_days=3)
    assert fitted.popularity[1:4].min() > 1
    assert fitted.popularity[4] == broken
    right = Popularity.fit(items, 5, timestamps=times[:-broken], half_life_days=3)
    np.testing.assert_allclose(
        fitted.popularity[1:4] / fitted.popularity[0], right.popularity[1:4] / right.popularity[0]
    )


def test_a_quiet_year_is_no_broken_clock() -> None:
    """Few events after a pause that is shorter than the history before are the newest."""
    times = np.append(np.arange(1000), [1900, 1900]) * DAY
    fitted = Popularity.fit(np.append(np.zeros(1000, int), [1, 1]), 2, timestamps=times, half_life_days=100)
    assert fitted.popularity[1] == 2
    assert fitted.popularity[0] == pytest.approx(sum(0.5 ** ((1900 - day) / 100) for day in range(1000)), rel=1e-5)


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
