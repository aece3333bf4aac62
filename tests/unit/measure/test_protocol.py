from __future__ import annotations

import numpy as np
import pytest

from recsys.core.errors import DataError
from recsys.measure import protocol
from recsys.measure.protocol import HeldOut, history_slices, item_slices, main_cutoff, train_counts
from recsys.prepare.columns import COUNT
from tests.support.datasets import TEST, TRAIN, VALIDATION, make_dataset

INTERACTIONS = [
    (0, 0, 10, 5.0, TRAIN),
    (0, 1, 20, None, TRAIN),
    (0, 2, 30, 4.0, VALIDATION),
    (0, 3, 40, 3.0, TEST),
    (0, 7, 45, None, TEST),
    (1, 4, 12, 1.0, TRAIN),
    (2, 5, 50, None, TEST),
    (2, 6, 55, 2.0, TEST),
    (2, 5, 60, 1.0, TEST),
    (3, 1, 15, 2.0, VALIDATION),
]
DATASET = make_dataset(INTERACTIONS, n_users=5, n_items=8)


def test_test_queries_know_train_and_validation_and_ask_at_the_first_test_time() -> None:
    held = HeldOut.of(DATASET, TEST)
    assert held.users.tolist() == [0, 2]
    assert held.queries.histories.items.tolist() == [0, 1, 2]
    assert held.queries.histories.indptr.tolist() == [0, 3, 3]
    assert held.queries.now.tolist() == [40, 50]
    assert held.relevant.indptr.tolist() == [0, 2, 4]
    assert held.relevant.items.tolist() == [3, 7, 5, 6]  # a repeated choice counts once


def test_validation_queries_know_train_alone() -> None:
    held = HeldOut.of(DATASET, VALIDATION)
    assert held.users.tolist() == [0, 3]
    assert held.queries.histories.items.tolist() == [0, 1]
    assert held.queries.now.tolist() == [30, 15]


def test_repeats_are_wanted_where_the_dataset_keeps_them() -> None:
    rows = [(0, 1, 10, None, TRAIN), (0, 1, 20, None, TRAIN), (0, 1, 30, None, TEST), (0, 2, 40, None, TEST)]
    once, again = (HeldOut.of(make_dataset(rows, 1, 3, repeats=repeats), TEST) for repeats in ("latest", "all"))
    assert (once.wanted.items.tolist(), again.wanted.items.tolist()) == ([2], [1, 2])
    assert again.select(np.array([0])).wanted.items.tolist() == [1, 2]
    assert again.queries.histories.items.tolist() == [1, 1]


def test_counted_histories_hold_an_item_once_and_weigh_its_events() -> None:
    rows = [(0, 1, 10, None, TRAIN), (0, 2, 15, None, TRAIN), (0, 1, 20, None, VALIDATION), (1, 0, 5, None, TRAIN)]
    dataset = make_dataset(rows, 2, 3, repeats="count")
    dataset.interactions[COUNT] = np.array([3, 2, 4, 1], np.int32)
    train = dataset.histories(counted=True)
    assert (train.items.tolist(), train.weights.tolist()) == ([1, 2, 0], [3, 2, 1])
    assert dataset.histories().weights.tolist() == [1, 1, 1]
    both = dataset.histories((TRAIN, VALIDATION))
    assert (both.items.tolist(), both.timestamps.tolist()) == ([2, 1, 0], [15, 20, 5])
    assert train_counts(dataset).tolist() == [1, 3, 2]


def test_ratings_are_those_of_the_split_that_exist() -> None:
    ratings = HeldOut.of(DATASET, TEST).ratings
    assert ratings.to_numpy().tolist() == [[0, 3, 3], [1, 6, 2], [1, 5, 1]]


def test_selection_keeps_answers_with_their_queries() -> None:
    held = HeldOut.of(DATASET, TEST).select(np.array([1]))
    assert held.users.tolist() == [2]
    assert held.relevant.items.tolist() == [5, 6]
    assert held.ratings["query"].tolist() == [0, 0]


def test_samples_are_seeded_and_distinct() -> None:
    dataset = make_dataset([(u, u % 7, 1, None, TEST) for u in range(100)], 100, 7)
    held = HeldOut.of(dataset, TEST)
    sample = held.sample(30, seed=1)
    assert len(sample) == len(set(sample.users.tolist())) == 30
    assert sample.users.tolist() == held.sample(30, seed=1).users.tolist()
    assert sample.users.tolist() != held.sample(30, seed=2).users.tolist()
    assert sample.users.tolist() != list(range(30))
    assert (sample.relevant.items == sample.users % 7).all()
    assert len(held.sample(1000, seed=1)) == 100


def test_blocks_cover_all_queries_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LEAST_USERS", 20)
    monkeypatch.setattr(protocol, "BLOCK_SCORES", 19 * 7)
    held = HeldOut.of(make_dataset([(u, u % 7, 1, None, TEST) for u in range(50)], 50, 7), TEST)
    blocks = list(held.blocks(n_items=7))
    assert [(position.start, position.stop) for position, _ in blocks] == [(0, 20), (20, 40), (40, 50)]
    assert np.concatenate([block.users for _, block in blocks]).tolist() == held.users.tolist()


def test_a_split_without_interactions_says_what_to_do() -> None:
    dataset = make_dataset([(0, 0, 1, None, TRAIN)], 1, 1)
    with pytest.raises(DataError, match=r"data\.split"):
        HeldOut.of(dataset, TEST)


def test_item_slices_are_thirds_of_the_warm_catalogue() -> None:
    counts = np.array([0, 5, 1, 2, 9, 3, 4, 0])
    slices = {part.label: np.flatnonzero(part.mask).tolist() for part in item_slices(counts)}
    assert slices == {"cold": [0, 7], "1-2": [2, 3], "3-4": [5, 6], "5-9": [1, 4]}


def test_items_of_one_count_share_a_slice() -> None:
    labels = [part.label for part in item_slices(np.array([1, 1, 1, 1, 1, 7]))]
    assert labels == ["1", "2-7"]
    assert [part.label for part in item_slices(np.zeros(3, int))] == ["cold"]
    assert [part.label for part in item_slices(np.array([4]))] == ["1-4"]


def test_history_slices_by_hand() -> None:
    lengths = np.array([0, 1, 2, 3, 5, 6, 10, 20, 21, 500])
    slices = {label: lengths[mask].tolist() for label, mask in history_slices(lengths)}
    assert slices == {"0": [0], "1-2": [1, 2], "3-5": [3, 5], "6-10": [6, 10], "11-20": [20], "21+": [21, 500]}
    assert [label for label, _ in history_slices(np.array([4]))] == ["3-5"]


def test_headlines_use_ten_where_they_can() -> None:
    assert main_cutoff([5, 10, 20]) == 10
    assert main_cutoff([50, 20]) == 20
