from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates
from recsys.core.sort_keys import tie_keys
from recsys.sources import exact, seen_kernels

few_values = st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.5])
score_matrices = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=few_values)


def by_sorting(scores: np.ndarray, k: int) -> list[list[int]]:
    """The definition: by score, equal ones by tie key, without -inf, padded."""
    keys = tie_keys(np.arange(scores.shape[1]))
    lists = []
    for row in scores:
        order = sorted(np.flatnonzero(row > -np.inf).tolist(), key=lambda item: (-row[item], keys[item]))
        lists.append((order + [NO_ITEM] * k)[:k])
    return lists


@given(score_matrices, st.integers(1, 15))
def test_top_k_is_what_sorting_gives(scores: np.ndarray, k: int) -> None:
    found = exact.top_k(scores, k)
    assert found.items.tolist() == by_sorting(scores, k)
    real = found.items != NO_ITEM
    np.testing.assert_array_equal(found.scores == -np.inf, ~real)
    np.testing.assert_array_equal(
        found.scores[real], np.take_along_axis(scores, np.where(real, found.items, 0), axis=1)[real]
    )


# In a wide row a sample of the scores tells where the best begin: spread out, all ties, mostly missing, and with the
# sampled places far above or below the others.
WIDE = {
    "spread": lambda random, shape: random.normal(size=shape),
    "few values": lambda random, shape: random.integers(-1, 2, shape) * 1.0,
    "missing": lambda random, shape: np.where(random.random(shape) < 0.03, random.normal(size=shape), -np.inf),
    "sample too high": lambda random, shape: random.normal(size=shape) + 9 * (np.arange(shape[1]) % 8 == 0),
    "sample too low": lambda random, shape: random.normal(size=shape) - 9 * (np.arange(shape[1]) % 8 == 0),
    "negative zero": lambda random, shape: np.where(random.random(shape) < 0.5, -0.0, 0.0),
}


@pytest.mark.parametrize("k", [1, 10, 60, 999, 1000, 1001])
@pytest.mark.parametrize("kind", WIDE)
def test_top_k_of_wide_rows_is_what_sorting_gives(kind: str, k: int) -> None:
    scores = WIDE[kind](np.random.default_rng(0), (7, 1000)).astype(np.float32)
    found = exact.top_k(scores, k)
    assert found.items.tolist() == by_sorting(scores, k)
    real = found.items != NO_ITEM
    own = np.take_along_axis(scores, np.where(real, found.items, 0), axis=1)
    np.testing.assert_array_equal(found.scores, np.where(real, own, -np.inf))


@given(score_matrices, st.integers(1, 15), st.randoms(use_true_random=False))
def test_sparse_top_k_agrees_with_dense(scores: np.ndarray, k: int, random) -> None:
    rows, items = np.nonzero(scores > -np.inf)
    order = np.array(random.sample(range(len(rows)), len(rows)), np.int64)
    sparse = exact.top_k_sparse(rows[order], items[order], scores[rows, items][order], len(scores), k)
    dense = exact.top_k(scores, k)
    np.testing.assert_array_equal(sparse.items, dense.items)
    np.testing.assert_array_equal(sparse.scores, dense.scores)


def test_tie_keys_are_distinct_and_do_not_follow_the_rows() -> None:
    keys = tie_keys(np.arange(100_000))
    assert len(np.unique(keys)) == 100_000
    # Spearman's correlation: ranks of the keys against the rows.
    ranks = np.argsort(np.argsort(keys))
    assert abs(np.corrcoef(ranks, np.arange(100_000))[0, 1]) < 0.01


@pytest.mark.parametrize("width", [1, 3, 64, 5000])
@pytest.mark.parametrize("k", [1, 10, 300, 1001])
@pytest.mark.parametrize("kind", WIDE)
def test_the_best_of_parts_are_what_sorting_gives(
    kind: str, k: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "_WIDENED", width)
    scores = WIDE[kind](np.random.default_rng(0), (7, 300)).astype(np.float32)

    def write(first: int, part: np.ndarray) -> None:
        part[:] = scores[:, first : first + part.shape[1]]

    found = exact.best_in_parts(write, 7, 300, k)
    assert found.items.tolist() == by_sorting(scores, k)
    real = found.items != NO_ITEM
    own = np.take_along_axis(scores, np.where(real, found.items, 0), axis=1)
    np.testing.assert_array_equal(found.scores, np.where(real, own + np.float32(0), -np.inf))


def test_the_best_of_parts_leave_out_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "_WIDENED", 16)
    random = np.random.default_rng(0)
    vectors, embeddings = (random.integers(-2, 3, (n, 4)).astype(np.float32) for n in (9, 50))
    rows = np.repeat(np.arange(9), np.arange(9))  # one has seen nothing
    seen = Histories.from_rows(9, rows, random.integers(0, 50, len(rows)), np.arange(len(rows)))
    scores = vectors @ embeddings.T
    scores[seen.rows, seen.items] = -np.inf
    for precision in (np.float32, np.float16):
        found = exact.search(vectors, embeddings.astype(precision), 12, seen)
        assert found.items.tolist() == by_sorting(scores, 12)


def test_search_in_blocks_equals_the_full_product(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    vectors, embeddings = random.normal(size=(23, 4)).astype("f"), random.normal(size=(50, 4)).astype("f")
    monkeypatch.setattr(exact, "_QUERIES", 3)
    monkeypatch.setattr(exact, "_WIDENED", 20)
    found = exact.search(vectors, embeddings, 7)
    np.testing.assert_array_equal(found.items, np.argsort(-(vectors @ embeddings.T), axis=1)[:, :7])


def histories(*lists: list[int]) -> Histories:
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    items = np.array([item for items in lists for item in items], np.int32)
    return Histories.from_rows(len(lists), rows, items, np.zeros(len(rows), np.int64))


def test_is_seen_looks_at_the_own_history_only() -> None:
    known = histories([0, 4], [], [2])
    rows = np.arange(3)[:, None]
    items = np.array([[0, 1, 4], [0, 4, 2], [4, 2, NO_ITEM]], np.int32)
    assert exact.is_seen(items, rows, known).tolist() == [[True, False, True], [False] * 3, [False, True, False]]


def test_drop_seen_keeps_the_order_of_the_rest() -> None:
    candidates = Candidates(
        np.array([[5, 1, 4, 0], [7, 8, NO_ITEM, NO_ITEM]], np.int32),
        np.array([[9, 8, 7, 6], [3, 2, -np.inf, -np.inf]], np.float32),
    )
    left = exact.drop_seen(candidates, histories([1, 5], [8]), 3)
    assert left.items.tolist() == [[4, 0, NO_ITEM], [7, NO_ITEM, NO_ITEM]]
    assert left.scores.tolist() == [[7, 6, -np.inf], [3, -np.inf, -np.inf]]


def test_the_kernel_that_drops_seen_items_is_compiled_for_one_type() -> None:
    """Else the first unknown users who ask together would wait for the compiler."""
    for n_queries in (1, 3):
        best = Candidates(
            np.broadcast_to(np.arange(4, dtype=np.int32), (n_queries, 4)),
            np.broadcast_to(np.arange(4, 0, -1, dtype=np.float32), (n_queries, 4)),
        )
        histories = Histories.from_rows(n_queries, np.zeros(1, int), np.array([1]), np.zeros(1, int))
        assert exact.drop_seen(best, histories, 2).items[0].tolist() == [0, 2]
    compiled_for = getattr(seen_kernels.write_unseen, "signatures", [])
    assert all(argument.mutable for arguments in compiled_for for argument in arguments)


@pytest.mark.parametrize("n_items", [0, 5, 2048, 5000])
def test_inner_products_of_half_precision_are_those_of_the_rounded_numbers(n_items: int) -> None:
    random = np.random.default_rng(0)
    vectors, embeddings = random.normal(size=(3, 7)).astype(np.float32), random.normal(size=(n_items, 7))
    rounded = embeddings.astype(np.float16)
    expected = vectors.astype(np.float64) @ rounded.astype(np.float64).T
    for matrix in (rounded, np.asfortranarray(rounded), rounded.astype(np.float32)):
        found = exact.inner_products(vectors, matrix)
        assert (found.shape, found.dtype) == ((3, n_items), np.float32)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
