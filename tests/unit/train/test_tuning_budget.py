from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.sources.fitting import FitData
from recsys.sources.recipes import Chosen
from recsys.train.tuning_budget import Deadline, groups_to_try, most_fits

SETTINGS: list[Chosen] = [{"k": k, "decay": decay} for k, decay in itertools.product((1, 2, 3, 4), (0.1, 0.2, 0.3))]


def same_fit(setting: Chosen) -> int:
    return int(setting["k"])


@pytest.mark.parametrize(
    ("n_items", "interactions", "fits"),
    [(10, 5, 24), (100_000, 5, 24), (200_000, 5, 12), (1_000_000, 5, 3), (10**8, 5, 1), (10, 10_000_000, 12)],
)
def test_fits_by_hand(n_items: int, interactions: int, fits: int) -> None:
    rows = np.zeros(interactions, np.int64)
    data = FitData(Histories.from_rows(1, rows, rows, rows), n_items)
    assert most_fits(24, data) == fits


def test_a_grid_within_the_budget_is_tried_in_its_order() -> None:
    assert [one for group in groups_to_try(SETTINGS, same_fit, 12, 4, seed=0) for one in group] == SETTINGS


def test_fewer_fits_keep_all_settings_that_take_none() -> None:
    groups = groups_to_try(SETTINGS, same_fit, 12, 2, seed=0)
    assert [len(group) for group in groups] == [3, 3]
    assert len({same_fit(group[0]) for group in groups}) == 2


def test_a_single_fit_is_that_of_the_first_setting() -> None:
    for seed in range(5):
        assert groups_to_try(SETTINGS, same_fit, 12, 1, seed) == [SETTINGS[:3]]


def test_shares_of_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    deadline = Deadline.after(2)
    assert deadline.end == 220
    assert deadline.share(4).end == 130
    now[0] = 160
    assert deadline.share(3).end == 180
    assert deadline.leaves(60)
    assert not deadline.leaves(61)
    now[0] = 500
    assert deadline.share(3).end == 500, "what is late takes nothing from others"
    assert Deadline.after(None).leaves(1e9)
    assert Deadline().share(3).leaves(1e9)
