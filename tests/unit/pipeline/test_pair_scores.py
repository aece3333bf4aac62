"""Scores of several retrievers at once are those of each alone, with what new items borrow."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM
from recsys.pipeline.pair_scores import PairScores
from recsys.sources.factors import FoldIn, ImplicitFactors
from recsys.sources.item_to_item import ItemToItem, Spreads
from recsys.sources.lending import Loans
from tests.support.bundles import make_histories

N_ITEMS, N_USERS = 40, 12
BORROWERS = [3, 17]


def make_loans() -> Loans:
    text = np.random.default_rng(5).normal(size=(N_ITEMS, 8)).astype(np.float32)
    return Loans.of(text, ~np.isin(np.arange(N_ITEMS), BORROWERS))


def make_scorers() -> list[ItemToItem | ImplicitFactors]:
    """Two item-to-item retrievers, with one of another kind between them; the borrowers have no score by any."""
    random = np.random.default_rng(6)
    factors = random.normal(size=(N_ITEMS, 6)).astype(np.float32)
    factors[BORROWERS] = 0
    others = np.setdiff1d(np.arange(N_ITEMS), BORROWERS)

    def lists(decay: float) -> ItemToItem:
        neighbours = np.stack([random.choice(others, 9, replace=False) for _ in range(N_ITEMS)])
        return ItemToItem("lists", neighbours, random.random((N_ITEMS, 9)), decay)

    gram = (factors.T @ factors).astype(np.float64)
    return [lists(0.5), ImplicitFactors("als", factors, fold_in=FoldIn(gram, 0.1, 4.0)), lists(0.9)]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("loans", [make_loans(), Loans.none(N_ITEMS)])
def test_scores_are_those_of_each_retriever_and_borrowed_ones(loans: Loans, last: bool, known: bool) -> None:
    scorers, histories = make_scorers(), make_histories(N_USERS, N_ITEMS)
    items = np.random.default_rng(7).permuted(np.tile(np.arange(N_ITEMS), (N_USERS, 1)), axis=1)[:, :30]
    items = items.astype(np.int32)
    items[:, 25:] = NO_ITEM
    items[:, 0] = BORROWERS[0]
    lists = [scorer for scorer in scorers if isinstance(scorer, ItemToItem)]
    found = np.empty((len(scorers), *items.shape), np.float32)
    scores = PairScores(scorers, loans)
    if last:
        scores.write_last(histories, items, found)
    else:
        scores.write(histories, items, found, Spreads.of(lists[::-1] if known else lists[:1], histories))
    for row, scorer in enumerate(scorers):
        of_items = scorer.pair_scorer(histories.last(1) if last else histories)
        whole = of_items(np.tile(np.arange(N_ITEMS, dtype=np.int32), (N_USERS, 1)))
        for place, borrower in enumerate(loans.borrowers):
            whole[:, borrower] = whole[:, loans.lenders[place]] @ loans.weights[place]
        expected = np.where(items == NO_ITEM, 0, np.take_along_axis(whole, np.maximum(items, 0), axis=1))
        np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-6)
    assert bool(found[..., 0].any()) == bool(len(loans.borrowers))


def test_nothing_to_score() -> None:
    histories, items = make_histories(3, N_ITEMS), np.empty((3, 0), np.int32)
    for scorers in (make_scorers(), []):
        scores = np.empty((len(scorers), 3, 0), np.float32)
        PairScores(scorers, make_loans()).write(histories, items, scores, None)
        PairScores(scorers, make_loans()).write_last(histories, items, scores)
