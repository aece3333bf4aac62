"""The prefix of train, split by hand."""

from __future__ import annotations

from typing import Any

import pytest

from recsys.config import Config, parse_config
from recsys.prepare import columns as c
from recsys.train.prefix import prefix_of
from tests.support.datasets import TEST, TRAIN, VALIDATION, Interaction, make_dataset


def config_of(method: str, **ranking: Any) -> Config:
    data = {"format": "events", "interactions": ["unused"], "split": {"method": method}}
    return parse_config({"name": "tiny", "data": data, "ranking": ranking}, "test")


def split(interactions: list[Interaction], config: Config) -> dict[str, list[tuple[int, int]]]:
    """Split -> (user, item) of what `prefix_of` makes of the interactions."""
    dataset = make_dataset(interactions, n_users=4, n_items=10)
    before = dataset.interactions.copy()
    prefix = prefix_of(dataset, config)
    assert dataset.interactions.equals(before), "the dataset itself stays as it is"
    assert (prefix.n_users, prefix.n_items) == (4, 10)
    rows = zip(*(prefix.interactions[name] for name in (c.SPLIT, c.USER, c.ITEM)), strict=True)
    parts: dict[str, list[tuple[int, int]]] = {TRAIN: [], TEST: []}
    for name, user, item in rows:
        parts[name].append((user, item))
    return parts


def test_leave_one_out_the_last_train_item_of_each_user_follows() -> None:
    parts = split(
        [
            (0, 1, 10, None, TRAIN),
            (0, 2, 20, None, TRAIN),
            (0, 3, 30, None, TRAIN),
            (0, 4, 40, None, VALIDATION),
            (0, 5, 50, None, TEST),
            (1, 6, 10, None, TRAIN),  # nothing before it: the prefix keeps it
            (1, 7, 20, None, VALIDATION),
            (2, 8, 10, None, TRAIN),
            (2, 9, 10, None, TRAIN),
            (3, 0, 10, None, TEST),
        ],
        config_of("leave_one_out"),
    )
    assert parts == {TRAIN: [(0, 1), (0, 2), (1, 6), (2, 8)], TEST: [(0, 3), (2, 9)]}


def test_temporal_one_moment_parts_all_users() -> None:
    # Ten train interactions at times 0 to 9: of the last 30% those later than time 6 follow.
    interactions: list[Interaction] = [(time % 3, time, time, None, TRAIN) for time in range(10)]
    interactions += [(0, 1, 11, None, VALIDATION), (3, 2, 12, None, TEST)]
    parts = split(interactions, config_of("temporal", prefix_share=0.3))
    assert {item for _, item in parts[TRAIN]} == {0, 1, 2, 3, 4, 5, 6}
    assert sorted(parts[TEST]) == [(0, 9), (1, 7), (2, 8)]


def test_temporal_what_happened_at_one_moment_stays_together() -> None:
    interactions: list[Interaction] = [(user, item, 5, None, TRAIN) for user in range(4) for item in range(2)]
    interactions.append((0, 9, 6, None, TRAIN))
    parts = split(interactions, config_of("temporal", prefix_share=0.4))
    assert parts[TEST] == [(0, 9)]


def test_ratio_the_same_share_of_each_user_follows() -> None:
    interactions: list[Interaction] = [(0, item, item, None, TRAIN) for item in range(10)]
    interactions += [(1, item, item, None, TRAIN) for item in range(3)]
    interactions += [(2, 0, 0, None, TRAIN), (2, 1, 1, None, VALIDATION)]
    parts = split(interactions, config_of("ratio", prefix_share=0.2))
    # 20% of ten are two; of three at least one; of a single one none.
    assert parts[TEST] == [(0, 8), (0, 9), (1, 2)]
    assert parts[TRAIN] == [*((0, item) for item in range(8)), (1, 0), (1, 1), (2, 0)]


@pytest.mark.parametrize("method", ["leave_one_out", "temporal", "ratio"])
def test_without_train_there_is_nothing(method: str) -> None:
    assert split([(0, 1, 10, None, TEST)], config_of(method)) == {TRAIN: [], TEST: []}
