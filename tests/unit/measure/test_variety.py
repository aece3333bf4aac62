from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.core.histories import Histories
from recsys.measure.evaluator import evaluate
from recsys.measure.metrics import Relevant
from recsys.measure.variety import ALL_OF_LAST, COVERED, DIVERGENCE, NO_GROUP, OF_LAST, Variety, VarietyTally
from recsys.sources.popularity.source import Popularity
from tests.support.datasets import TEST, TRAIN, make_dataset
from tests.support.measuring import FakeBundle, FakeTwoTower, make_config, wishes


def histories(*items: list[int]) -> Histories:
    rows = np.repeat(np.arange(len(items)), [len(own) for own in items])
    flat = np.array([item for own in items for item in own], np.int64)
    return Histories.from_rows(len(items), rows, flat, np.arange(len(flat)))


def relevant(*items: list[int]) -> Relevant:
    counts = [len(own) for own in items]
    return Relevant(np.cumsum([0, *counts]).astype(np.int64), np.array([i for own in items for i in own], np.int32))


# Items 0 and 1 are hair, 2 and 3 skin, 4 nails, 5 nothing.
BY_HAND = Variety(np.array([0, 0, 1, 1, 2, NO_GROUP], np.int32))


def test_figures_by_hand() -> None:
    known = histories([2, 4, 0], [0, 5], [2, 2, 0], [5], [])
    lists = np.array([[1, 3, 5, -1], [1, 1, 0, -1], [4, 5, -1, -1], [0, 1, 2, 3], [0, 1, 2, 3]])
    found = BY_HAND.of(lists, known)
    # The last group is hair: item 0; item 0, as 5 has none; item 0; none; none.
    assert found[OF_LAST][:3] == pytest.approx([1 / 3, 1, 0])
    assert found[ALL_OF_LAST][:3].tolist() == [0, 1, 0]
    assert found[COVERED][:3] == pytest.approx([2 / 3, 1, 0])
    # Of the first user p is a third each, and q is half hair, half skin.
    there, absent = math.log((1 / 3) / (0.99 / 2 + 0.01 / 3)), math.log(100)
    assert found[DIVERGENCE][:3] == pytest.approx([(2 * there + absent) / 3, 0, absent])
    assert all(np.isnan(figure[3:]).all() for figure in found.values())


def test_choices_by_hand() -> None:
    known = histories([2, 0], [2, 0], [0, 2], [5], [0])
    found = BY_HAND.of_choices(relevant([1, 3, 5], [1], [0, 1], [0], []), known)
    assert found[:3] == pytest.approx([1 / 3, 1, 0])
    assert np.isnan(found[3:]).all()


def test_an_empty_list_covers_nothing() -> None:
    found = BY_HAND.of(np.full((1, 3), -1), histories([0, 2]))
    assert {name: float(figure[0]) for name, figure in found.items()} == pytest.approx(
        {OF_LAST: 0, ALL_OF_LAST: 0, COVERED: 0, DIVERGENCE: math.log(100)}
    )


def test_agrees_with_counters() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(-1, 6, 50).astype(np.int32)
    own = [random.choice(50, random.integers(0, 9)).tolist() for _ in range(60)]
    lists = np.array([random.permutation(np.r_[random.choice(50, 7, replace=False), [-1] * 3]) for _ in own])
    lists = np.take_along_axis(lists, np.argsort(lists < 0, axis=1, kind="stable"), axis=1)
    found = Variety(groups).of(lists, histories(*own))
    for user, (items, listed) in enumerate(zip(own, lists, strict=True)):
        p = Counter(groups[item] for item in items if groups[item] >= 0)
        q = Counter(groups[item] for item in listed if item >= 0 and groups[item] >= 0)
        if not p:
            assert np.isnan(found[COVERED][user])
            continue
        last = next(groups[item] for item in reversed(items) if groups[item] >= 0)
        shares = {group: count / p.total() for group, count in p.items()}
        mix = {group: 0.99 * q[group] / max(q.total(), 1) + 0.01 * share for group, share in shares.items()}
        expected = {
            OF_LAST: q[last] / 7,
            ALL_OF_LAST: float(q[last] == 7),
            COVERED: np.mean([group in q for group in p]),
            DIVERGENCE: sum(share * math.log(share / mix[group]) for group, share in shares.items()),
        }
        assert {name: float(figure[user]) for name, figure in found.items()} == pytest.approx(expected)


def test_groups_are_the_finest_category_and_the_brand() -> None:
    items = pd.DataFrame(
        {"categories": [["beauty", "hair"], ["hair"], ["hair", "beauty"], [], None], "brand": ["a", None, "", "b", "a"]}
    )
    assert Variety.of_items(items, "category").groups.tolist() == [0, 0, 1, -1, -1]
    brands = Variety.of_items(items, "brand")
    assert brands.groups.tolist() == [0, -1, -1, 1, 0]
    assert brands.known_share == 3 / 5


def test_tally_of_several_blocks_and_users_of_whom_nothing_is_known() -> None:
    tally = VarietyTally(BY_HAND, ["a", "b"], 3)
    lists = {"a": np.array([[0, 1]], np.int32), "b": np.array([[0, 2]], np.int32)}
    tally.add(slice(0, 1), histories([0]), lists, relevant([2]))
    tally.add(slice(1, 2), histories([2]), lists, relevant([3]))
    tally.add(slice(2, 3), histories([5]), lists, relevant([3]))
    found = tally.results(20, 0)
    assert found is not None
    assert found["users"] == found["choices"]["users"] == 2
    assert found["choices"]["figures"] is not None
    assert found["choices"]["figures"][OF_LAST]["mean"] == 0.5
    assert [found["systems"][name][OF_LAST]["mean"] for name in "ab"] == [0.5, 0.5]
    assert [found["systems"][name][COVERED]["mean"] for name in "ab"] == [0.5, 1]
    assert VarietyTally(BY_HAND, ["a"], 3).results(20, 0) is None


def evaluated(categories: list[list[str]]) -> dict[str, Any]:
    rows = [(0, 0, 1, None, TRAIN), (0, 1, 2, None, TRAIN), (0, 2, 3, None, TEST)]
    dataset = make_dataset(rows, n_users=1, n_items=6)
    dataset.items["categories"] = categories
    bundle = FakeBundle(FakeTwoTower(wishes(6, [0, 3, 4, 2])), Popularity(np.ones(6, np.float32)))
    return evaluate(bundle, dataset, make_config())["variety"]


def test_an_evaluation_measures_what_lists_show_of_each_system() -> None:
    found = evaluated([["hair"], ["skin"], ["skin"], ["skin"], ["hair"], []])
    assert list(found) == ["category"]
    # The list of two is 3 and 4: one of the last item's category, both of the history's.
    system = found["category"]["systems"]["system"]
    assert {name: figure["mean"] for name, figure in system.items()} == pytest.approx(
        {OF_LAST: 0.5, ALL_OF_LAST: 0, COVERED: 1, DIVERGENCE: 0}
    )
    assert found["category"]["known_share"] == 5 / 6
    assert found["category"]["choices"]["figures"][OF_LAST]["mean"] == 1
    assert {"low", "high"} <= set(system[COVERED])


def test_a_catalogue_without_groups_has_no_variety() -> None:
    assert evaluated([[]] * 6) == {}
