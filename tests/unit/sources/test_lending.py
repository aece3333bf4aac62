from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.core.queries import NO_ITEM
from recsys.sources.lending import Loans
from recsys.sources.text_lenders import LENDERS

N_ITEMS = 30


def make_text() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(N_ITEMS, 8)).astype(np.float32)


def all_known_but(*items: int) -> np.ndarray:
    known = np.ones(N_ITEMS, bool)
    known[list(items)] = False
    return known


def test_the_lenders_are_the_known_items_of_most_similar_text() -> None:
    text, known = make_text(), all_known_but(3, 20)
    loans = Loans.of(text, known)
    unit = text / np.linalg.norm(text, axis=1, keepdims=True)
    unit = unit - unit.mean(axis=0)
    cosine = unit @ unit.T / np.outer(*[np.linalg.norm(unit, axis=1)] * 2)
    cosine[:, ~known] = -2
    np.testing.assert_array_equal(loans.borrowers, [3, 20])
    np.testing.assert_array_equal(loans.lenders, np.argsort(-cosine[[3, 20]], axis=1)[:, :LENDERS])
    np.testing.assert_allclose(loans.weights.sum(axis=1), 1, rtol=1e-5)
    assert (np.diff(loans.weights, axis=1) <= 0).all()


def test_an_item_without_text_neither_borrows_nor_lends() -> None:
    text = make_text()
    text[[3, 7]] = 0
    loans = Loans.of(text, all_known_but(3, 20))
    np.testing.assert_array_equal(loans.borrowers, [20])
    assert 7 not in loans.lenders
    assert not len(Loans.of(np.zeros_like(text), all_known_but(3)).borrowers)


def test_where_all_texts_are_the_same_every_lender_counts_the_same() -> None:
    text = np.tile(np.random.default_rng(0).normal(size=8).astype(np.float32), (N_ITEMS, 1))
    loans = Loans.of(text, all_known_but(3, 20))
    np.testing.assert_allclose(loans.weights, 1 / LENDERS, atol=1e-3)


def test_values_are_lent_by_weight() -> None:
    loans = Loans(4, np.array([1]), np.array([[0, 3]], np.int32), np.array([[0.75, 0.25]], np.float32))
    values = np.array([8, 0, 5, 4], np.float32)
    assert loans.lend(values).tolist() == [8, 0.75 * 8 + 0.25 * 4, 5, 4]
    assert values.tolist() == [8, 0, 5, 4]
    assert Loans.none(4).lend(values).tolist() == values.tolist()


def test_only_borrowers_without_a_score_of_their_own_get_their_lenders() -> None:
    random = np.random.default_rng(1)
    loans = Loans.of(make_text(), all_known_but(2, 5, 11))
    of_query = random.random((6, N_ITEMS)).astype(np.float32)
    of_query[:, [2, 5, 11]] = 0
    of_query[4, 5] = 0.5  # scored for one query
    items = np.stack([random.permutation(N_ITEMS)[:20] for _ in range(6)]).astype(np.int32)
    items[:, :3] = [2, 5, 11]
    items[1, 2:] = NO_ITEM

    def score(asked: np.ndarray) -> np.ndarray:
        found = np.take_along_axis(of_query, np.maximum(asked, 0), axis=1)
        return np.where(asked == NO_ITEM, np.float32(0), found)

    filled = np.empty(items.shape, np.float32)
    loans.fill(score(loans.with_lenders(items))[None], items, np.zeros(1, np.int64), filled[None])
    for query in range(6):
        for column, item in enumerate(items[query].tolist()):
            position = loans.borrowers.tolist().index(item) if item in loans.borrowers else None
            expected = 0.0 if item == NO_ITEM else of_query[query, item]
            if position is not None and expected == 0:
                expected = loans.weights[position] @ of_query[query, loans.lenders[position]]
            np.testing.assert_allclose(filled[query, column], expected, rtol=1e-6)
    assert filled[0, 0] > 0


def test_load_gives_back_what_was_saved(tmp_path: Path) -> None:
    for loans in (Loans.of(make_text(), all_known_but(2, 5)), Loans.none(N_ITEMS)):
        loans.save(tmp_path)
        loaded = Loans.load(tmp_path, N_ITEMS)
        for name in ("borrowers", "lenders", "weights", "borrower_index"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(loans, name))
