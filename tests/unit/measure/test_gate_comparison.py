"""Two bundles on the same held-out users: rows translated by ids, figures by hand."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.config import Config, parse_config
from recsys.core.histories import Histories
from recsys.core.progress import Step
from recsys.core.queries import NO_ITEM
from recsys.measure.gate.comparison import (
    AFTERWARDS,
    EVERYONE,
    KNOWN_ITEMS,
    KNOWN_USERS,
    NEW_USERS,
    Answers,
    Comparison,
    compare,
)
from recsys.measure.gate.comparison import answers as ask
from recsys.measure.gate.translation import Translation
from recsys.measure.protocol import HeldOut
from recsys.prepare.prepared import PreparedDataset
from tests.support.bundles import make_bundle
from tests.support.datasets import TEST, TRAIN, make_dataset

OLD_ITEMS = ["item2", "gone", "item0"]  # rows 0, 1, 2 of the bundle in use; the dataset has item0 to item3
OLD_USERS = ["user2", "user0"]
NO = NO_ITEM


class OldCatalogue:
    n_items = len(OLD_ITEMS)

    def item_rows(self, ids: list[str]) -> dict[str, int]:
        return {name: OLD_ITEMS.index(name) for name in ids if name in OLD_ITEMS}

    def user_rows(self, ids: list[str]) -> dict[str, int]:
        return {name: OLD_USERS.index(name) for name in ids if name in OLD_USERS}


def old_bundle(histories: Histories) -> Bundle:
    return cast("Bundle", SimpleNamespace(catalogue=OldCatalogue(), histories=histories, version="old"))


@pytest.fixture
def dataset() -> PreparedDataset:
    """user0 chose item1, which the old bundle does not know; user1 is new; user2's choice the old data held already."""
    return make_dataset(
        [
            (0, 0, 10, None, TRAIN),
            (0, 3, 20, None, TRAIN),
            (0, 1, 500, None, TEST),
            (1, 2, 30, None, TRAIN),
            (1, 0, 510, None, TEST),
            (2, 0, 40, None, TRAIN),
            (2, 2, 90, None, TEST),
        ],
        n_users=3,
        n_items=4,
    )


@pytest.fixture
def in_use() -> Bundle:
    """Of user2 it holds item0 and item2, of user0 item0, all before the second 100."""
    return old_bundle(Histories.from_rows(2, np.array([0, 0, 1]), np.array([2, 0, 2]), np.array([40, 99, 10])))


def config_of(**gate: Any) -> Config:
    data = {"format": "events", "interactions": ["unused"]}
    return parse_config({"name": "tiny", "data": data, "gate": {"cutoff": 2, **gate}}, "the test")


def answers(*lists: list[int]) -> Answers:
    items = np.array(lists, np.int32)
    return Answers(items, items, np.zeros(items.shape, np.float32))


def test_rows_are_translated_by_ids_there_and_back(dataset: PreparedDataset, in_use: Bundle) -> None:
    translation = Translation.between(dataset, in_use)
    assert translation.items.tolist() == [2, NO, 0, NO]
    assert translation.users.tolist() == [1, NO, 0]
    asked = translation.ask(HeldOut.of(dataset, TEST).queries)
    assert asked.users.tolist() == [1, NO, 0]
    assert [asked.histories.select([row]).items.tolist() for row in range(3)] == [[2], [0], [2]], "item3 is unknown"
    assert asked.histories.timestamps.tolist() == [10, 30, 40]
    # Rows 0 and 2 are items of the dataset; row 1 is none and gets a row behind its four items.
    assert translation.answer(np.array([[0, 1], [2, NO]], np.int32)).tolist() == [[2, 5], [0, NO]]


def compared(dataset: PreparedDataset, in_use: Bundle, **gate: Any) -> Comparison:
    """The new bundle hits user0 second and user1 first; the one in use user2 first."""
    new, old = answers([2, 1], [0, 3], [3, 1]), answers([2, 5], [3, 5], [2, NO])
    translation = Translation.between(dataset, in_use)
    return compare(new, old, HeldOut.of(dataset, TEST), in_use, translation, config_of(**gate))


def test_parts_are_told_apart(dataset: PreparedDataset, in_use: Bundle) -> None:
    found = compared(dataset, in_use)
    second = 1 / math.log2(3)
    parts = {part.name: (part.users, part.new, part.in_use) for part in found.parts}
    assert found.metric == "ndcg@2"
    assert parts == {
        EVERYONE: (3, pytest.approx((second + 1) / 3), pytest.approx(1 / 3)),
        KNOWN_USERS: (2, pytest.approx(second / 2), pytest.approx(1 / 2)),
        NEW_USERS: (1, 1.0, 0.0),
        KNOWN_ITEMS: (2, pytest.approx(1 / 2), pytest.approx(1 / 2)),  # user0 has nothing to find there
        AFTERWARDS: (2, pytest.approx((second + 1) / 2), 0.0),  # the old data end at 99
    }
    assert found.held_out == {
        "users": 3,
        "choices": 3,
        "choices_unknown_to_the_bundle_in_use": pytest.approx(1 / 3),
        "choices_in_the_data_of_the_bundle_in_use": pytest.approx(1 / 3),
    }


def test_bounds_are_of_paired_differences(dataset: PreparedDataset, in_use: Bundle) -> None:
    """An independent bootstrap of the three differences has the same quantiles."""
    found = compared(dataset, in_use, confidence=0.9)
    differences = np.array([1 / math.log2(3), 1.0, -1.0])
    draws = np.random.default_rng(7).integers(0, 3, (20_000, 3))
    low, bound = np.quantile(differences[draws].mean(axis=1), [0.025, 0.1])
    assert found.parts[0].low == pytest.approx(low, abs=0.02)
    assert found.low == pytest.approx(bound, abs=0.05)


def test_equal_lists_differ_by_nothing_whatever_is_drawn(dataset: PreparedDataset, in_use: Bundle) -> None:
    same, translation = answers([2, 1], [0, 3], [3, 1]), Translation.between(dataset, in_use)
    found = compare(same, same, HeldOut.of(dataset, TEST), in_use, translation, config_of())
    assert found.low == 0
    assert all((part.low, part.high, part.difference) == (0, 0, 0) for part in found.parts)


def test_distinct_items_are_those_of_the_dataset() -> None:
    assert answers([0, 5], [0, NO], [3, 7]).distinct(n_items=4) == 2


def test_an_item_both_have_is_seen_by_the_old_bundle_too(tmp_path: Path) -> None:
    """Asked through a real bundle of other rows: items of the history, which it knows, are left out of its lists."""
    rows = [(user, (7 * user + n) % 30, n, None, TRAIN if n < 4 else TEST) for user in range(20) for n in range(6)]
    dataset = make_dataset(rows, n_users=20, n_items=30)
    held = HeldOut.of(dataset, TEST)
    with open_bundle(make_bundle(tmp_path, n_items=25, n_users=12)) as bundle:
        translation = Translation.between(dataset, bundle)
        lists = ask(bundle, held, 10, Step.silent(), translation)
        direct = bundle.recommender().recommend(translation.ask(held.queries), 10)
    assert lists.items.tolist() == direct.items.tolist(), "rows below 25 are the same items in both"
    for user in range(20):
        seen = held.queries.histories.select([user]).items
        assert not set(seen.tolist()) & set(lists.items[user].tolist())
