"""Which items stand for the catalogue in a step of the sampled softmax."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from recsys.models.negatives import StratifiedNegatives, stratum_sizes

COUNTS = np.array([0, 1, 400, 3, 0, 1, 25, 1, 9, 1, 1, 4])  # ten of twelve items occur in training


def _drawn(negatives: StratifiedNegatives, step: int) -> np.ndarray:
    return negatives.draw(tf.constant(step)).numpy()


def test_a_stratum_of_frequent_items_is_smaller() -> None:
    # Masses are roots: 20, 2 and six of 1. The first is certain; two draws share the other 8: 2 + 1 + 1 and 4 of 1.
    assert stratum_sizes(np.array([400, 4, 1, 1, 1, 1, 1, 1]), 3).tolist() == [1, 3, 4]


@pytest.mark.parametrize("most", [1, 2, 7, 500, 4095, 4096, 5000])
def test_as_many_strata_as_wanted_hold_every_item_once(most: int) -> None:
    counts = np.sort(np.random.default_rng(most).zipf(1.5, 4096))[::-1]
    sizes = stratum_sizes(counts, most)
    assert len(sizes) == min(most, 4096)
    assert sizes.sum() == 4096
    assert (sizes >= 1).all()


def test_a_sample_as_large_as_the_catalogue_is_the_catalogue() -> None:
    negatives = StratifiedNegatives(COUNTS, 10, seed=0)
    assert sorted(_drawn(negatives, 3)) == np.flatnonzero(COUNTS).tolist()
    np.testing.assert_array_equal(negatives.log_weights, np.zeros(10))


def test_items_that_nobody_has_chosen_are_never_drawn_and_none_is_drawn_twice() -> None:
    negatives = StratifiedNegatives(COUNTS, 4, seed=0)
    drawn = np.array([_drawn(negatives, step) for step in range(300)])
    assert set(drawn.ravel()) == set(np.flatnonzero(COUNTS))
    assert all(len(set(items)) == 4 for items in drawn)
    assert (drawn == 2).any(axis=1).all()  # the most frequent item stands for itself


def test_the_weighted_sum_over_the_sample_is_right_in_the_mean() -> None:
    negatives = StratifiedNegatives(COUNTS, 4, seed=1)
    values = np.random.default_rng(0).uniform(1, 3, len(COUNTS))
    weights = np.exp(negatives.log_weights.numpy())
    sums = [weights @ values[_drawn(negatives, step)] for step in range(3000)]
    total = values[COUNTS > 0].sum()
    assert abs(np.mean(sums) - total) < 4 * np.std(sums) / np.sqrt(len(sums))
    assert np.std(sums) > 0


def test_a_draw_depends_on_seed_step_and_replica_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.ones(5000, int)
    one, same, other = (StratifiedNegatives(counts, 100, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(_drawn(one, 7), _drawn(same, 7))
    assert (_drawn(one, 7) != _drawn(one, 8)).any()
    assert (_drawn(one, 7) != _drawn(other, 7)).any()
    first = _drawn(one, 7)
    monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: SimpleNamespace(replica_id_in_sync_group=1))
    assert (_drawn(one, 7) != first).any()
