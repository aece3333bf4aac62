from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recsys.retrieval.pair_table import PairTable


@pytest.mark.parametrize("size", [1, 7, 300, 5000])
def test_answers_are_those_of_sorting_whatever_was_asked_before(size: int) -> None:
    random, table = np.random.default_rng(size), PairTable()
    for _ in range(30):
        pairs, among = (random.integers(0, size, random.integers(0, 400)) for _ in range(2))
        distinct, place = table.distinct(pairs, size)
        assert sorted(distinct.tolist()) == sorted(set(pairs.tolist()))
        np.testing.assert_array_equal(distinct[place], pairs)
        found = table.find(pairs, among, size)
        np.testing.assert_array_equal(found >= 0, np.isin(pairs, among))
        np.testing.assert_array_equal(among[found[found >= 0]], pairs[found >= 0])


def test_distinct_pairs_keep_the_order_of_their_queries() -> None:
    pairs = np.array([5, 3, 5, 4, 19, 12, 19, 23, 21])  # of queries 0, 0, 0, 0, 1, 1, 1, 2, 2 with ten items each
    distinct, _ = PairTable().distinct(pairs, 30)
    assert (np.diff(distinct // 10) >= 0).all()


def test_threads_do_not_disturb_one_another() -> None:
    table = PairTable()

    def work(seed: int) -> bool:
        random = np.random.default_rng(seed)
        pairs, among = random.integers(0, 10**6, 20_000), random.integers(0, 10**6, 20_000)
        return all((table.find(pairs, among, 10**6) >= 0).tolist() == np.isin(pairs, among).tolist() for _ in range(5))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
