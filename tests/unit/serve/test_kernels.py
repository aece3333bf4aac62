"""Compiled loops against NumPy, and what is cache of what was read."""

from collections.abc import Sequence

import numpy as np

from recsys.core.bounded_cache import BoundedCache
from recsys.core.logistic import logistic
from recsys.core.queries import NO_ITEM
from serve.kernels import shown


def test_logistic_function() -> None:
    scores = np.array([[-90, -1.5, 0], [0.25, 3, 90]], np.float32)
    expected = 1 / (1 + np.exp(0.5 - 2 * scores.astype(np.float64)))
    np.testing.assert_allclose(logistic(2.0 * scores.astype(np.float64) - 0.5), expected, atol=1e-15)


def test_what_is_shown_of_lists() -> None:
    rng = np.random.default_rng(3)
    items = rng.integers(NO_ITEM, 3, (20, 6)).astype(np.int32)
    scores, retrieval_scores = (rng.normal(size=items.shape).astype(np.float32) for _ in range(2))
    confidences, ratings = rng.random(items.shape), np.full(items.shape, np.nan, np.float32)
    proposed = rng.random((*items.shape, 3)) < 0.5
    for k in (2, 4, 9):
        chosen = items != NO_ITEM
        chosen &= np.cumsum(chosen, axis=1) <= k
        counts, rows, sources, numbers = shown(items, scores, confidences, retrieval_scores, ratings, proposed, k)
        np.testing.assert_array_equal(counts, chosen.sum(axis=1))
        np.testing.assert_array_equal(rows, items[chosen])
        np.testing.assert_array_equal(sources, proposed[chosen] @ [1, 2, 4])
        for got, expected in zip(numbers, (scores, confidences, retrieval_scores, ratings), strict=True):
            np.testing.assert_array_equal(got, np.round(expected[chosen].astype(np.float64), 6))


def test_values_are_read_once_and_so_many_are_remembered() -> None:
    read: list[list[int]] = []

    def squares(keys: Sequence[int]) -> dict[int, int]:
        read.append(sorted(keys))
        return {key: key * key for key in keys}

    cache = BoundedCache(squares, most=4)
    assert cache([]) == {}
    assert cache([1, 2, 2])[2] == 4
    assert cache([2, 3]) == {1: 1, 2: 4, 3: 9}
    before = cache([1, 4])
    assert cache([4, 5]) == {4: 16, 5: 25}
    assert len(before) == 4, "who reads the values remembered before goes on with them"
    assert read == [[1, 2], [3], [4], [4, 5]]
