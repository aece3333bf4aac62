from __future__ import annotations

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM
from recsys.pipeline.propose import proposed_by, union

N_QUERIES = 40


@pytest.fixture(scope="module")
def parts() -> list[np.ndarray]:
    """Three proposers of different lengths, each with padding."""
    random = np.random.default_rng(0)
    lists = []
    for width in (12, 7, 20):
        items = np.stack([random.permutation(60)[:width] for _ in range(N_QUERIES)]).astype(np.int32)
        kept = random.integers(0, width + 1, N_QUERIES)
        lists.append(np.where(np.arange(width) < kept[:, None], items, NO_ITEM).astype(np.int32))
    return lists


def test_every_proposed_item_once_then_padding(parts: list[np.ndarray]) -> None:
    found = union(parts)
    assert found.dtype == np.int32
    sizes = []
    for row in range(N_QUERIES):
        expected = {int(item) for part in parts for item in part[row] if item != NO_ITEM}
        items = found[row].tolist()
        assert items[len(expected) :] == [NO_ITEM] * (found.shape[1] - len(expected))
        assert sorted(items[: len(expected)]) == sorted(expected)
        sizes.append(len(expected))
    assert found.shape[1] == max(sizes)


def test_the_order_does_not_say_who_proposed_an_item_or_where(parts: list[np.ndarray]) -> None:
    found = union(parts)
    np.testing.assert_array_equal(union(parts[::-1]), found)
    np.testing.assert_array_equal(union([part[:, ::-1] for part in parts]), found)
    np.testing.assert_array_equal(union([*parts, parts[0]]), found)
    real = found[0][found[0] != NO_ITEM]
    assert np.sort(real).tolist() not in (real.tolist(), real[::-1].tolist()), "nor is it the order of rows"


def test_a_query_keeps_its_order_in_any_batch(parts: list[np.ndarray]) -> None:
    found = union(parts)
    for row in range(N_QUERIES):
        alone = union([part[row : row + 1] for part in parts])[0]
        np.testing.assert_array_equal(alone, found[row, : len(alone)])


@pytest.mark.parametrize("n_queries", [0, 3])
def test_nothing_proposed(n_queries: int) -> None:
    nothing = np.full((n_queries, 4), NO_ITEM, np.int32)
    assert union([nothing, nothing]).shape == (n_queries, 0)


def test_sources_of_items(parts: list[np.ndarray]) -> None:
    items = union(parts)[:, :9]
    found, counts = proposed_by(items, parts, 4)
    assert counts.tolist() == [int((part != NO_ITEM).sum()) for part in parts] + [0]
    for row in range(N_QUERIES):
        for column, item in enumerate(items[row].tolist()):
            expected = [item != NO_ITEM and item in part[row].tolist() for part in parts]
            assert found[row, column].tolist() == [*expected, False]
