"""Batches hold every example once, depend on (seed, epoch, index) alone, and pad little."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.train.batches import TrainingBatches

DAY = 86_400


def histories_of(lengths: list[int], seed: int = 0) -> Histories:
    """Histories of distinct (user, item) pairs, so that an example can be told from any other."""
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(len(lengths)), lengths)
    items = np.concatenate([rng.permutation(1000)[:n] for n in lengths])
    times = np.concatenate([np.cumsum(rng.integers(0, 5, n)) for n in lengths]) * DAY
    return Histories.from_rows(len(lengths), users, items, times, rng.integers(1, 6, len(users)).astype(float))


def batches_of(histories: Histories, *, max_history: int = 4, batch_size: int = 3, seed: int = 0) -> TrainingBatches:
    features = np.arange(len(histories.items) * 2, dtype=np.float32).reshape(-1, 2)
    return TrainingBatches(histories, features, max_history=max_history, batch_size=batch_size, seed=seed)


def test_every_interaction_but_a_users_first_is_a_target_once_an_epoch() -> None:
    histories = histories_of([0, 1, 2, 5, 6, 9, 13, 4])
    batches = batches_of(histories)
    wanted = Counter(
        (user, item)
        for user in range(len(histories))
        for item in histories.items[histories.indptr[user] + 1 : histories.indptr[user + 1]]
    )
    for epoch in range(2):
        seen: Counter[tuple[int, int]] = Counter()
        for batch in batches.epoch(epoch):
            rows, columns = np.nonzero(batch["targets"] >= 0)
            seen.update(zip(batch["user"][rows] - 1, batch["targets"][rows, columns], strict=True))
        assert seen == wanted
    assert batches.n_targets == sum(wanted.values())


def test_inputs_are_the_items_before_the_targets_and_a_long_history_is_cut_from_its_end() -> None:
    items = np.arange(10, 20)
    histories = Histories.from_rows(1, np.zeros(10, int), items, np.array([0, 0, 1, 3, 3, 4, 10, 11, 11, 14]) * DAY)
    batches = batches_of(histories, max_history=4, batch_size=10)
    (batch,) = batches.epoch(0)
    inputs = sorted(tuple(row[row >= 0]) for row in batch["history"])
    targets = sorted(tuple(row[row >= 0]) for row in batch["targets"])
    assert inputs == [(10,), (11, 12, 13, 14), (15, 16, 17, 18)]
    assert targets == [(11,), (12, 13, 14, 15), (16, 17, 18, 19)]
    last = list(batch["history"][:, 0]).index(15)
    # Days before 16, 17 and 18; the first event of an input has no known past, as when it is served.
    np.testing.assert_allclose(batch["gaps"][last], np.log1p([0, 6, 1, 0]), rtol=1e-6)


def test_ratings_and_their_features_are_those_of_the_target() -> None:
    histories = histories_of([5, 7, 3])
    at = {
        (user, item): position
        for user in range(3)
        for position, item in enumerate(histories.items)
        if histories.indptr[user] <= position < histories.indptr[user + 1]
    }
    for batch in batches_of(histories).epoch(0):
        for b, p in zip(*np.nonzero(batch["targets"] >= 0), strict=True):
            position = at[batch["user"][b] - 1, batch["targets"][b, p]]
            assert batch["ratings"][b, p] == histories.ratings[position]
            np.testing.assert_array_equal(batch["rating_features"][b, p], [2 * position, 2 * position + 1])


def test_padding_stands_on_the_right_and_is_marked() -> None:
    for batch in batches_of(histories_of([2, 5, 5, 3, 2, 4]), batch_size=4).epoch(3):
        valid = batch["targets"] >= 0
        assert valid[:, 0].all()
        assert (np.diff(valid.astype(int), axis=1) <= 0).all()
        np.testing.assert_array_equal(batch["history"] >= 0, valid)
        assert np.isnan(batch["ratings"][~valid]).all()
        assert not batch["gaps"][~valid].any()
        assert not batch["rating_features"][~valid].any()


def test_a_batch_depends_on_seed_epoch_and_index_alone() -> None:
    histories = histories_of([4] * 30)
    first = batches_of(histories, seed=5)
    sequence = [[b["user"].tolist() for b in first.epoch(epoch)] for epoch in range(3)]
    again = batches_of(histories, seed=5)
    assert again.batch(2, 7)["user"].tolist() == sequence[2][7]
    assert again.batch(0, 3)["user"].tolist() == sequence[0][3]
    assert [b["user"].tolist() for b in again.epoch(1, start=4)] == sequence[1][4:]
    assert sequence[0] != sequence[1]
    assert [b["user"].tolist() for b in batches_of(histories, seed=6).epoch(0)] != sequence[0]


def test_windows_of_like_length_share_a_batch() -> None:
    lengths = np.random.default_rng(0).geometric(0.15, 5000) + 1
    batches = batches_of(histories_of(lengths.tolist()), max_history=50, batch_size=32)
    cells = sum(batch["targets"].size for batch in batches.epoch(0))
    assert cells < 1.1 * batches.n_targets
    # Long and short ones come in no particular order.
    widths = [batch["targets"].shape[1] for batch in batches.epoch(0)]
    assert widths != sorted(widths)
    assert widths != sorted(widths, reverse=True)


@pytest.mark.parametrize("n_shards", [2, 3, 5])
def test_shards_split_a_batch(n_shards: int) -> None:
    batches = batches_of(histories_of([3, 4, 5, 6]), batch_size=3)
    for index in range(batches.steps_per_epoch):
        whole = batches.batch(1, index)
        shards = [batches.batch(1, index, shard, n_shards) for shard in range(n_shards)]
        users = [user for shard in shards for user in shard["user"] if user > 0]
        assert sorted(users) == sorted(whole["user"])
        for shard in shards:
            assert shard.keys() == whole.keys()
            if (shard["user"] == 0).all():  # more shards than rows: padding that no loss counts
                assert (shard["targets"] == -1).all()
                assert (shard["history"] == -1).all()


def test_nothing_to_train_on() -> None:
    batches = batches_of(histories_of([0, 1, 1]))
    assert batches.steps_per_epoch == 0
    assert batches.n_targets == 0
    assert list(batches.epoch(0)) == []


def test_the_largest_batch_is_told_with_its_padding() -> None:
    """Histories of 3, 4, 5 and 9 items: windows of 2, 3, 4, 4 and 4 inputs, three of like length a batch."""
    assert batches_of(histories_of([9, 3, 5, 4])).largest == (3, 4)
    assert batches_of(histories_of([9, 3, 5, 4]), batch_size=2).largest == (2, 4)
    assert batches_of(histories_of([9, 3, 5, 4]), batch_size=9).largest == (5, 4)
    assert batches_of(histories_of([1, 1])).largest == (0, 0)
