from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.sources.item_to_item.neighbours_fit import bm25_weights, cosine_weights, fit_neighbours, neighbour_lists
from tests.support.bundles import HALF, make_histories


def histories(*lists: list[int], weights: list[float] | None = None) -> Histories:
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    items = np.array([item for items in lists for item in items], np.int32)
    return Histories.from_rows(
        len(lists), rows, items, np.arange(len(rows)), weights=None if weights is None else np.array(weights)
    )


def test_cooccurrence_counts_the_users_who_have_both() -> None:
    fitted = fit_neighbours(histories([0, 1], [1, 0], [0, 2, 1]), 4, weighting="cooccurrence", k=3)
    assert fitted.name == "neighbours_cooccurrence"
    assert fitted.similarities.tolist() == [[3, 3, 1], [3, 3, 1], [1, 1, 1], [0, 0, 0]]
    assert [set(row) for row in fitted.neighbours.tolist()] == [{0, 1, 2}] * 3 + [{NO_ITEM}]


def test_cooccurrence_counts_by_event_weight() -> None:
    # User 0: item 0 with weight 5 and item 1 with weight 2. User 1: both with weight 1.
    known = histories([0, 1], [0, 1], weights=[5, 2, 1, 1])
    fitted = fit_neighbours(known, 2, weighting="cooccurrence", k=2)
    assert fitted.neighbours.tolist() == [[0, 1], [0, 1]]
    assert fitted.similarities.tolist() == [[26, 11], [11, 5]]


@pytest.mark.parametrize("itself", [True, False])
def test_lists_hold_the_highest_positive_similarities(itself: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.sources.item_to_item.neighbours_fit._BLOCK_ITEMS", 3)
    similarities = np.random.default_rng(0).normal(size=(10, 10)).astype(np.float32)
    similarities[4] = -1
    neighbours, values = neighbour_lists(lambda block: similarities[block].copy(), 10, 4, itself=itself)
    expected = np.maximum(similarities, 0)
    if not itself:
        np.fill_diagonal(expected, 0)
    np.testing.assert_array_equal(values, -np.sort(-expected, axis=1)[:, :4])
    np.testing.assert_array_equal(neighbours == NO_ITEM, values == 0)
    rows, columns = np.nonzero(values)
    np.testing.assert_array_equal(similarities[rows, neighbours[rows, columns]], values[rows, columns])


def test_cosine_similarity_by_hand() -> None:
    # Item 0: users 0, 1, 2. Item 1: users 0, 1. Item 2: user 2. Item 3: nobody.
    fitted = fit_neighbours(histories([0, 1], [0, 1], [0, 2]), 4, weighting="cosine", k=3)
    assert fitted.neighbours.tolist() == [[0, 1, 2], [1, 0, NO_ITEM], [2, 0, NO_ITEM], [NO_ITEM] * 3]
    expected = [[1, 2 / 6**0.5, 1 / 3**0.5], [1, 2 / 6**0.5, 0], [1, 1 / 3**0.5, 0], [0, 0, 0]]
    np.testing.assert_allclose(fitted.similarities, expected, rtol=HALF)


def test_only_the_k_nearest_are_kept() -> None:
    fitted = fit_neighbours(histories([0, 1], [0, 1], [0, 2]), 4, weighting="cosine", k=2)
    assert fitted.neighbours.tolist() == [[0, 1], [1, 0], [2, 0], [NO_ITEM] * 2]


def test_bm25_weight_of_one_entry_by_hand() -> None:
    # Four items, two users. Row sums 3, 1, 0, 0: mean length 1. User 0 has two items, user 1 one.
    matrix = sparse.csr_array(np.array([[2.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]))
    weighted = bm25_weights(matrix, k1=1.2, b=0.2).toarray()
    norm = 1 - 0.2 + 0.2 * 3 / 1
    assert weighted[0, 0] == pytest.approx(2 * 2.2 / (2 + 1.2 * norm) * np.log(4 / 3))
    assert weighted[0, 1] == pytest.approx(1 * 2.2 / (1 + 1.2 * norm) * np.log(4 / 2))
    assert weighted[1, 0] == pytest.approx(1 * 2.2 / (1 + 1.2 * 1) * np.log(4 / 3))
    assert (weighted[2:] == 0).all()


def test_bm25_b_holds_popular_items_back() -> None:
    matrix = sparse.csr_array(np.array([[1.0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]))
    without, with_b = (bm25_weights(matrix, 1.2, b).toarray() for b in (0.0, 0.8))
    assert without[0, 0] == pytest.approx(without[1, 0])
    assert with_b[0, 0] < with_b[1, 0]


def test_cosine_weights_leave_empty_rows() -> None:
    rows = cosine_weights(sparse.csr_array(np.array([[3.0, 4.0], [0.0, 0.0]]))).toarray()
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]])


@pytest.mark.parametrize("weighting", ["bm25", "cosine", "cooccurrence"])
def test_blocks_and_top_k_agree_with_the_full_product(weighting, monkeypatch: pytest.MonkeyPatch) -> None:
    known = make_histories(60, 40)
    dense = np.zeros((40, 60))
    dense[known.items, np.repeat(np.arange(60), known.lengths)] = 1
    weights = sparse.csr_array(dense)
    if weighting != "cooccurrence":
        weights = bm25_weights(weights, 1.2, 0.2) if weighting == "bm25" else cosine_weights(weights)
    product = (weights @ weights.T).toarray()
    done: list[int] = []
    monkeypatch.setattr("recsys.sources.item_to_item.neighbours_fit._BLOCK_ITEMS", 7)
    fitted = fit_neighbours(known, 40, weighting=weighting, k=5, progress=done.append)
    assert sum(done) == 40
    best = -np.sort(-product, axis=1)[:, :5]
    np.testing.assert_allclose(fitted.similarities, np.maximum(best, 0), rtol=HALF)
    real = fitted.neighbours != NO_ITEM
    own = np.take_along_axis(product, np.where(real, fitted.neighbours, 0), axis=1)
    np.testing.assert_allclose(fitted.similarities[real], own[real], rtol=HALF)
