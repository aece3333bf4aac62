"""The loops around query tower and index, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.half import halves
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates
from recsys.sources import exact
from recsys.sources.two_tower.kernels import tower_inputs, write_best_unseen, write_dots
from tests.support.bundles import make_embeddings


def test_inputs_are_the_latest_items_padded() -> None:
    rng, owners = np.random.default_rng(0), np.repeat(np.arange(5), [4, 2, 0, 9, 3])
    histories = Histories.from_rows(5, owners, rng.integers(0, 30, 18), 50_000 * np.sort(rng.integers(0, 99, 18)))
    rows, users, embeddings = np.array([3, 1, 0]), np.arange(5, dtype=np.int32) - 1, make_embeddings(30, 4)
    arrays = tower_inputs(histories.indptr, histories.items, histories.timestamps, users, rows, 3, halves(embeddings))
    recent = histories.select(rows).last(3)
    assert recent.lengths.tolist() == [3, 2, 3]
    filled = np.arange(3) < recent.lengths[:, None]
    history = np.where(filled[..., None], embeddings[recent.padded(recent.items, 0)], 0)
    for found, expected in zip(
        arrays, [history, recent.lengths, recent.padded(recent.gaps(), 0), users[rows] + 1], strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("k", [1, 7, 40])
def test_the_best_unseen_of_what_was_found(k: int) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.integers(-2, 3, (50, 3)).astype(np.float32)  # many equal products, negative ones and zeros
    vectors = rng.integers(-2, 3, (4, 3)).astype(np.float32)
    histories = Histories.from_rows(4, np.repeat([0, 2, 3], [3, 1, 30]), rng.integers(0, 50, 34), np.arange(34))
    rows = np.array([3, 0, 2])
    items = np.stack([rng.permutation(50)[:20] for _ in rows]).astype(np.uint32)
    scores = rng.random(items.shape, np.float32)
    scores[0, 5:9] = scores[2] = np.nan
    found = Candidates(np.full((4, k), 7, np.int32), np.zeros((4, k), np.float32))
    expected = Candidates.none(4, k)
    for position, row in enumerate(rows):
        real = items[position][~np.isnan(scores[position])].astype(np.int64)
        zeros = np.zeros(len(real), np.int64)
        best = exact.top_k_sparse(zeros, real, matrix[real] @ vectors[row], 1, 20)
        kept = exact.drop_seen(best, histories.select([row]), k)
        expected.items[row], expected.scores[row] = kept.items[0], kept.scores[0]
    positions = np.zeros(50, np.int32)
    seen = histories.indptr, histories.items, positions
    write_best_unseen(vectors, halves(matrix), rows, items, scores, *seen, found.items, found.scores)
    assert not positions.any()
    np.testing.assert_array_equal(found.items[rows], expected.items[rows])
    np.testing.assert_array_equal(found.scores[rows], expected.scores[rows])
    assert (found.items[1] == 7).all()
    assert (found.items[2] == NO_ITEM).all()
    assert (found.items[3] != NO_ITEM).any()


def test_products_computed_before_are_taken_and_the_others_computed() -> None:
    rng = np.random.default_rng(0)
    matrix, vectors = rng.integers(-3, 4, (50, 7)).astype(np.float32), rng.integers(-3, 4, (4, 7)).astype(np.float32)
    rows = np.stack([rng.permutation(50)[:20] for _ in range(4)]).astype(np.int32)
    rows[2, 5:8] = NO_ITEM
    computed = np.stack([rng.permutation(50)[:12] for _ in range(4)]).astype(np.int32)
    computed[1, 4:] = NO_ITEM
    of_computed = np.arange(100, 148, dtype=np.float32).reshape(4, 12)
    slots, products = np.zeros(50, np.int32), np.empty(rows.shape, np.float32)
    write_dots(vectors, halves(matrix), rows, computed, of_computed, slots, products)
    expected = np.where(rows == NO_ITEM, 0, np.einsum("bd,bcd->bc", vectors, matrix[rows]))  # of small whole numbers
    for query, column in np.argwhere((rows != NO_ITEM) & [np.isin(*pair) for pair in zip(rows, computed, strict=True)]):
        expected[query, column] = of_computed[query, computed[query].tolist().index(rows[query, column])]
    np.testing.assert_array_equal(products, expected)
    assert (products >= 100).any()
    assert not slots.any()
