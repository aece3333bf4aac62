"""The matrix that grows at its end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.sources.two_tower.growing import GrowingRows
from recsys.sources.two_tower.grown_index import GrownIndex
from recsys.sources.two_tower.index import ScannIndex
from recsys.sources.two_tower.settings import IndexConfig
from tests.support.bundles import make_embeddings


def rows(*values: int) -> np.ndarray:
    return np.array([[value, -value] for value in values], np.float16)


def test_rows_are_added_behind_those_in_use_without_a_copy() -> None:
    growing = GrowingRows(rows(1, 2))
    one = growing.followed_by(rows(3))
    more = growing.followed_by(rows(3, 4, 5))
    np.testing.assert_array_equal(one, rows(1, 2, 3))
    np.testing.assert_array_equal(more, rows(1, 2, 3, 4, 5))
    assert np.shares_memory(one, more)
    assert more.flags.c_contiguous


@pytest.mark.parametrize("others", [rows(7), rows(7, 4), rows(3), rows(3, 8)])
def test_what_is_in_use_never_changes(others: np.ndarray) -> None:
    growing = GrowingRows(rows(1, 2))
    before = growing.followed_by(rows(3, 4))
    after = growing.followed_by(others)
    later = growing.followed_by(rows(9, 9, 9))
    np.testing.assert_array_equal(before, rows(1, 2, 3, 4))
    np.testing.assert_array_equal(after, np.concatenate([rows(1, 2), others]))
    np.testing.assert_array_equal(later, rows(1, 2, 9, 9, 9))


def test_more_rows_than_there_is_room_for() -> None:
    growing = GrowingRows(rows(1))
    small, many = growing.followed_by(rows(2)), np.arange(6000, dtype=np.float16).reshape(3000, 2)
    large = growing.followed_by(np.concatenate([rows(2), many]))
    np.testing.assert_array_equal(large, np.concatenate([rows(1, 2), many]))
    np.testing.assert_array_equal(small, rows(1, 2))


@pytest.mark.parametrize("exact_below", [0, 10_000], ids=["partitions", "exact"])
@pytest.mark.parametrize("n_new", [1, 7, 400])
def test_items_that_came_later_are_found_exactly(exact_below: int, n_new: int) -> None:
    """Among the best 50 are all new items that belong there, by the plain inner products."""
    embeddings = make_embeddings(1500 + n_new, 16).astype(np.float16)
    index = ScannIndex.build(embeddings[:1500], IndexConfig(exact_below=exact_below))
    grown = GrownIndex(index, embeddings)
    vectors = make_embeddings(30, 16, seed=5)
    found = grown.search(vectors, 50)
    products = vectors @ embeddings.astype(np.float32).T
    best = np.argsort(-products, axis=1)[:, :50]
    for row in range(30):
        wanted = {int(item) for item in best[row] if item >= 1500}
        assert wanted <= set(found.items[row].tolist())
    np.testing.assert_allclose(found.scores, np.take_along_axis(products, found.items, axis=1), rtol=1e-4, atol=1e-4)
    assert (best >= 1500).any()


def test_a_search_deeper_than_the_catalogue_finds_all() -> None:
    embeddings = make_embeddings(120, 8).astype(np.float16)
    grown = GrownIndex(ScannIndex.build(embeddings[:100], IndexConfig()), embeddings)
    found = grown.search(make_embeddings(2, 8, seed=1), 300)
    assert [sorted(row[row >= 0].tolist()) for row in found.items] == [list(range(120))] * 2


@given(st.integers(0, 10_000), st.integers(1, 20), st.sampled_from([1, 3, 10, 200]))
@settings(max_examples=60, deadline=None)
def test_the_best_of_both_are_those_of_all(seed: int, n_new: int, k: int) -> None:
    """Where the old items are all found, the best of old and new ones are the best of all, whatever their sizes."""
    random = np.random.default_rng(seed)
    embeddings = (random.normal(size=(40 + n_new, 6)) * random.lognormal(0, 2, (40 + n_new, 1))).astype(np.float16)
    embeddings[40] = 0
    grown = GrownIndex(ScannIndex.build(embeddings[:40], IndexConfig()), embeddings)
    vectors = random.normal(size=(5, 6)).astype(np.float32)
    vectors[0] = 0
    found = grown.search(vectors, k)
    products = vectors @ embeddings.astype(np.float32).T
    expected = -np.sort(-products, axis=1)[:, :k]
    np.testing.assert_allclose(found.scores[:, : expected.shape[1]], expected, rtol=1e-4, atol=1e-5)
    assert (found.items[:, expected.shape[1] :] == -1).all()
    own = np.take_along_axis(products, found.items[:, : expected.shape[1]], axis=1)
    np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)
