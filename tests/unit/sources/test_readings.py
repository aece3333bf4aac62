"""What several sources say when they are read together is what each says alone, with what new items borrow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import Float32Array, Int32Array
from recsys.sources.base import Source
from recsys.sources.factors.fold_in import FoldIn
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.lending import Loans
from recsys.sources.popularity.source import Popularity
from recsys.sources.readings import read
from tests.support.bundles import make_histories

N_ITEMS, N_USERS = 40, 12
BORROWERS = [3, 17]
EVERYTHING = np.tile(np.arange(N_ITEMS, dtype=np.int32), (N_USERS, 1))


class Proud(Popularity):
    """Knows new items by itself, and thinks nothing of them."""

    borrows = False


def make_loans() -> Loans:
    text = np.random.default_rng(5).normal(size=(N_ITEMS, 8)).astype(np.float32)
    return Loans.of(text, ~np.isin(np.arange(N_ITEMS), BORROWERS))


def make_sources() -> list[Source]:
    """Two item-to-item sources, and others between them; the borrowers have no score by any."""
    random = np.random.default_rng(6)
    factors = random.normal(size=(N_ITEMS, 6)).astype(np.float32)
    factors[BORROWERS] = 0
    counts = np.arange(1, N_ITEMS + 1, dtype=np.float32)
    counts[BORROWERS] = 0
    others = np.setdiff1d(np.arange(N_ITEMS), BORROWERS)

    def lists(name: str, decay: float) -> ItemToItem:
        neighbours = np.stack([random.choice(others, 9, replace=False) for _ in range(N_ITEMS)])
        return ItemToItem(name, neighbours, random.random((N_ITEMS, 9)), decay)

    gram = (factors.T @ factors).astype(np.float64)
    als = ImplicitFactors("als", factors, fold_in=FoldIn(gram, 0.1, 4.0))
    return [lists("bought", 0.5), als, Proud(counts, "proud"), Popularity(counts), lists("viewed", 0.9)]


def make_queries() -> Queries:
    return Queries(make_histories(N_USERS, N_ITEMS), np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, np.int64))


def make_items() -> Int32Array:
    items = np.random.default_rng(7).permuted(EVERYTHING, axis=1)[:, :30].astype(np.int32)
    items[:, 25:] = NO_ITEM
    items[:, 0] = BORROWERS[0]
    return items


def expected_scores(source: Source, queries: Queries, items: Int32Array, loans: Loans) -> Float32Array:
    whole = source.score(queries)
    whole[~np.isfinite(whole)] = 0
    for number, borrower in enumerate(loans.borrowers if source.borrows else ()):
        whole[:, borrower] = whole[:, loans.lenders[number]] @ loans.weights[number]
    return np.where(items == NO_ITEM, 0, np.take_along_axis(whole, np.maximum(items, 0), axis=1))


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [3, 4, 0, 2], [2]])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("loans", [make_loans(), Loans.none(N_ITEMS), None])
def test_scores_are_those_of_each_source_and_borrowed_ones(loans: Loans | None, last: bool, order: list[int]) -> None:
    sources, queries, items = make_sources(), make_queries(), make_items()
    chosen = [sources[number] for number in order]
    scores = read(sources, queries).scores([source.name for source in chosen], items, loans, last=last)
    asked = Queries(queries.histories.last(1), queries.users, queries.now) if last else queries
    for row, source in enumerate(chosen):
        expected = expected_scores(source, asked, items, loans or Loans.none(N_ITEMS))
        np.testing.assert_allclose(scores[row], expected, rtol=1e-5, atol=1e-6)
        assert scores[row, :, 0].any() == (bool(len(loans.borrowers if loans else ())) and source.borrows)


def test_candidates_are_those_of_each_source_in_the_order_asked_for() -> None:
    sources, queries = make_sources(), make_queries()
    depths = {"viewed": 4, "popularity": 9, "bought": 6}
    lists = read(sources, queries).propose(depths)
    by_name = {source.name: source for source in sources}
    for (name, depth), candidates in zip(depths.items(), lists, strict=True):
        expected = by_name[name].propose(queries, depth)
        np.testing.assert_array_equal(candidates.items, expected.items)
        np.testing.assert_array_equal(candidates.scores, expected.scores)


def test_a_source_without_user_vectors_says_so() -> None:
    assert read(make_sources(), make_queries()).user_vectors.shape == (N_USERS, 0)


def test_nothing_is_asked_before_it_is_wanted() -> None:
    asked: list[str] = []

    class Watched(Popularity):
        def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
            asked.append(self.name)
            return super().propose(queries, k, exclude_seen=exclude_seen)

    counts = np.ones(N_ITEMS, np.float32)
    readings = read([Watched(counts, "one"), Watched(counts, "two")], make_queries())
    assert not asked
    readings.propose({"two": 3})
    assert asked == ["two"]


@pytest.mark.parametrize("names", [[], ["bought", "als", "proud"]])
def test_nothing_to_score(names: Sequence[str]) -> None:
    queries = make_queries().select([0, 1, 2])
    for last in (True, False):
        scores = read(make_sources(), queries).scores(names, np.empty((3, 0), np.int32), make_loans(), last=last)
        assert scores.shape == (len(names), 3, 0)


@pytest.mark.parametrize("name", ["bought", "als", "proud", "popularity"])
def test_borrowed_scores_are_told_by_lender_and_by_position(name: str) -> None:
    queries, items, loans = make_queries(), make_items(), make_loans()
    readings = read(make_sources(), queries)
    scores = readings.scores([name], items, loans)[0]
    shares = readings.why(name, items, loans)
    np.testing.assert_allclose(shares.total, scores, rtol=1e-5, atol=1e-6)
    borrowed = np.isin(items, BORROWERS) & (name != "proud")
    if name != "proud":
        np.testing.assert_allclose(shares.lent.sum(axis=2)[borrowed], scores[borrowed], rtol=1e-5, atol=1e-6)
        assert scores[borrowed].any()
        number = np.searchsorted(loans.borrowers, items[borrowed])
        np.testing.assert_array_equal(shares.lenders[borrowed], loans.lenders[number])
    assert not shares.lent[~borrowed].any()
    assert (shares.lenders[~borrowed] == NO_ITEM).all()
