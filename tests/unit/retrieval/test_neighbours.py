from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recsys.dataset.histories import Histories
from recsys.retrieval.base import NO_ITEM, Queries
from recsys.retrieval.neighbours import ItemNeighbours
from recsys.retrieval.neighbours_fit import bm25_weights, cosine_weights, fit_neighbours
from tests.bundle_factory import make_histories


def histories(*lists: list[int], weights: list[float] | None = None) -> Histories:
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    items = np.array([item for items in lists for item in items], np.int32)
    return Histories.from_rows(
        len(lists), rows, items, np.arange(len(rows)), weights=None if weights is None else np.array(weights)
    )


def queries(known: Histories) -> Queries:
    return Queries(known, np.full(len(known), -1, np.int32), np.zeros(len(known), np.int64))


def test_cosine_similarity_by_hand() -> None:
    # Item 0: users 0, 1, 2. Item 1: users 0, 1. Item 2: user 2. Item 3: nobody.
    fitted = fit_neighbours(histories([0, 1], [0, 1], [0, 2]), 4, weighting="cosine", k=3)
    assert fitted.neighbours.tolist() == [[0, 1, 2], [1, 0, NO_ITEM], [2, 0, NO_ITEM], [NO_ITEM] * 3]
    expected = [[1, 2 / 6**0.5, 1 / 3**0.5], [1, 2 / 6**0.5, 0], [1, 1 / 3**0.5, 0], [0, 0, 0]]
    np.testing.assert_allclose(fitted.similarities, expected, rtol=1e-6)


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


@pytest.mark.parametrize("weighting", ["bm25", "cosine"])
def test_blocks_and_top_k_agree_with_the_full_product(weighting, monkeypatch: pytest.MonkeyPatch) -> None:
    known = make_histories(60, 40)
    dense = np.zeros((40, 60))
    dense[known.items, np.repeat(np.arange(60), known.lengths)] = 1
    weights = sparse.csr_array(dense)
    weights = bm25_weights(weights, 1.2, 0.2) if weighting == "bm25" else cosine_weights(weights)
    product = (weights @ weights.T).toarray()
    done: list[int] = []
    monkeypatch.setattr("recsys.retrieval.neighbours_fit._BLOCK_ITEMS", 7)
    fitted = fit_neighbours(known, 40, weighting=weighting, k=5, progress=done.append)
    assert sum(done) == 40
    best = -np.sort(-product, axis=1)[:, :5]
    np.testing.assert_allclose(fitted.similarities, np.maximum(best, 0), rtol=1e-5)
    real = fitted.neighbours != NO_ITEM
    own = np.take_along_axis(product, np.where(real, fitted.neighbours, 0), axis=1)
    np.testing.assert_allclose(fitted.similarities[real], own[real], rtol=1e-5)


def test_scores_add_up_over_the_history_with_decay_and_weights() -> None:
    neighbours = np.array([[0, 2], [1, 2], [2, NO_ITEM]], np.int32)
    similarities = np.array([[1.0, 0.5], [1.0, 0.25], [1.0, 0.0]], np.float32)
    model = ItemNeighbours(neighbours, similarities, decay=0.5)
    # History: item 0 (weight 3), item 1 (weight 2), item 1 (weight 1); the last one counts in full.
    scores = model.scores(queries(histories([0, 1, 1], weights=[3, 2, 1])))
    first, second, third = 3 * 0.25, 2 * 0.5, 1.0
    assert scores[0].tolist() == pytest.approx([first, second + third, first * 0.5 + (second + third) * 0.25])


def test_recent_items_count_more() -> None:
    model = ItemNeighbours(np.array([[2], [3], [2], [3]], np.int32), np.ones((4, 1), np.float32), decay=0.6)
    assert model.retrieve(queries(histories([0, 1], [1, 0])), 1).items.tolist() == [[3], [2]]


def test_items_that_are_nobodys_neighbour_have_no_score() -> None:
    model = ItemNeighbours(np.array([[1], [0], [2]], np.int32), np.ones((3, 1), np.float32))
    found = model.retrieve(queries(histories([0])), 3, exclude_seen=False)
    assert found.items.tolist() == [[1, NO_ITEM, NO_ITEM]]
    assert model.scores(queries(histories([0])))[0].tolist() == [-np.inf, 1.0, -np.inf]


def test_with_decay_changes_nothing_else() -> None:
    model = fit_neighbours(make_histories(30, 20), 20, k=5)
    other = model.with_decay(0.3)
    assert other.decay == 0.3
    assert other.neighbours is model.neighbours


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.5])
def test_decay_outside_its_range_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="decay"):
        ItemNeighbours(np.zeros((1, 1), np.int32), np.zeros((1, 1), np.float32), decay)
