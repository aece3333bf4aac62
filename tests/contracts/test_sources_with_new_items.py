"""What holds for every source in a catalogue to which items have come since it was made."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.sources.base import Source
from recsys.sources.factors.source import ImplicitFactors
from recsys.sources.hiding import Hiding, extended
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.new_items import NewItems
from recsys.sources.popularity.source import Popularity
from recsys.sources.readings import read
from recsys.sources.two_tower.index import ScannIndex
from recsys.sources.two_tower.settings import IndexConfig
from recsys.sources.two_tower.source import TwoTowerSource
from tests.contracts.test_sources import DIM, N_ITEMS, N_USERS, SOURCES, Case
from tests.support.bundles import START, make_embeddings, make_histories
from tests.support.toy_source import NextItem

M = 60
ALL = N_ITEMS + M
CASES = {**SOURCES, "from-outside": Case(lambda *_: _named(NextItem(N_ITEMS, 3, 2.0)))}


def _named(source: Source) -> Source:
    source.name = "toy"
    return source


def new_items(n_new: int = M) -> NewItems:
    vectors = make_embeddings(ALL, DIM)[N_ITEMS : N_ITEMS + n_new].astype(np.float16)
    return NewItems(vectors, np.tile(np.int32([3, 5]), (n_new, 1)), np.full((n_new, 2), 0.5, np.float32))


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def source(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Source:
    return case.make(tmp_path_factory.mktemp("source"), make_histories(N_USERS, N_ITEMS))


@pytest.fixture(scope="module")
def wider(source: Source) -> Source:
    return extended(source, new_items())


def queries_of(highest: int, seed: int = 0) -> Queries:
    """Histories of 0 to 12 items below a row, some twice; about half of them new where these are among them."""
    random = np.random.default_rng(seed)
    rows = np.repeat(np.arange(N_USERS), random.integers(0, 13, N_USERS))
    new, old = random.integers(highest - M, highest, len(rows)), random.integers(0, 90, len(rows))
    items = np.where(random.random(len(rows)) < 0.5, new, old)
    times, weights = START + 86_400 * np.arange(len(rows)), random.integers(1, 4, len(rows))
    histories = Histories.from_rows(N_USERS, rows, items, times, weights=weights)
    return Queries(histories, np.full(N_USERS, -1, np.int32), np.full(N_USERS, START + 10**8))


def oracle(source: Source) -> Source | None:
    """The source as it would be made for the whole catalogue, if nobody had chosen a new item; None: it hides them."""
    if isinstance(source, ItemToItem):
        none = np.full((M, source.neighbours.shape[1]), NO_ITEM, np.int32)
        similarities = np.concatenate([source.similarities, np.zeros(none.shape, np.float32)])
        return ItemToItem(source.name, np.concatenate([source.neighbours, none]), similarities, source.decay)
    if isinstance(source, ImplicitFactors):
        factors = np.concatenate([source.item_factors, np.zeros((M, source.item_factors.shape[1]), np.float32)])
        bias = None if source.item_bias is None else np.concatenate([source.item_bias, np.zeros(M, np.float32)])
        return ImplicitFactors(source.name, factors, bias, source.fold_in)
    if isinstance(source, Popularity):
        return Popularity(np.concatenate([source.popularity, np.zeros(M, np.float32)]), source.name)
    if isinstance(source, TwoTowerSource):
        vectors = np.concatenate([source.item_embeddings, new_items().vectors])
        return TwoTowerSource(source.tower, vectors, ScannIndex.build(vectors, IndexConfig()), source.match)
    return None


def test_it_shares_what_the_source_holds(source: Source, wider: Source) -> None:
    assert source.n_items == N_ITEMS, "the source itself is as before"
    assert wider.n_items == ALL
    assert (wider.name, wider.borrows, wider.similar_by) == (source.name, source.borrows, source.similar_by)
    assert wider.fault() is None
    assert extended(source, NewItems.none(DIM)) is source


def test_histories_without_new_items_give_what_they_gave_before(source: Source, wider: Source) -> None:
    queries = queries_of(N_ITEMS)
    before, after = source.score(queries), wider.score(queries)
    assert after.shape == (N_USERS, ALL)
    np.testing.assert_allclose(after[:, :N_ITEMS], before, rtol=1e-4, atol=1e-6)  # products round as they are blocked
    items = source.propose(queries, 20).items
    np.testing.assert_array_equal(wider.score(queries, items), source.score(queries, items))
    knows_new = isinstance(source, TwoTowerSource | Popularity)
    assert np.isfinite(after[:, N_ITEMS:]).any() == knows_new
    if not knows_new:
        np.testing.assert_array_equal(wider.propose(queries, 20).items, items)


def test_histories_of_new_items_are_read_as_of_items_that_training_did_not_see(source: Source, wider: Source) -> None:
    queries, expected = queries_of(ALL), oracle(source)
    scores = wider.score(queries)
    if expected is None:
        known = queries.histories.items < N_ITEMS
        seen = Queries(queries.histories.where(known), queries.users, queries.now)
        np.testing.assert_array_equal(scores[:, :N_ITEMS], source.score(seen))
        assert not np.isfinite(scores[:, N_ITEMS:]).any()
        return
    np.testing.assert_allclose(scores, expected.score(queries), rtol=1e-5, atol=1e-5)
    wanted, found = expected.propose(queries, 30), wider.propose(queries, 30)
    np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-4, atol=1e-4)


def test_a_reading_answers_as_the_source(wider: Source) -> None:
    queries = queries_of(ALL, seed=1)
    items = np.random.default_rng(0).integers(0, ALL, (N_USERS, 40)).astype(np.int32)
    items[:, ::5] = NO_ITEM
    readings = read([wider], queries)
    (proposed,), expected = readings.propose({wider.name: 12}), wider.propose(queries, 12)
    np.testing.assert_array_equal(proposed.items, expected.items)
    for last in (False, True):
        asked = Queries(queries.histories.last(1), queries.users, queries.now) if last else queries
        given = wider.score(asked, items)
        scores = readings.scores([wider.name], items, last=last)[0]
        np.testing.assert_allclose(scores, np.where(np.isfinite(given), given, 0), rtol=1e-4, atol=1e-5)


def test_seen_new_items_are_left_out(wider: Source) -> None:
    queries = queries_of(ALL, seed=2)
    found = wider.propose(queries, ALL)
    for row in range(N_USERS):
        history = queries.histories.select([row]).items
        assert not np.isin(found.items[row], history).any()
    assert found.items.max() < ALL


def test_shares_and_rest_add_up_to_the_score(wider: Source) -> None:
    queries = queries_of(ALL, seed=3)
    best = wider.propose(queries, 20, exclude_seen=False).items
    drawn = np.random.default_rng(1).integers(0, ALL, (N_USERS, 20)).astype(np.int32)
    items = np.concatenate([best, drawn], axis=1)
    shares, scores = wider.why(queries, items), wider.score(queries, items)
    assert shares.by_position.shape == (*items.shape, queries.histories.lengths.max())
    expected = np.where(np.isfinite(scores), scores, 0)
    np.testing.assert_allclose(shares.total, expected, rtol=1e-5, atol=1e-5)
    if not isinstance(wider, TwoTowerSource):
        new = queries.histories.padded(queries.histories.items, 0) >= N_ITEMS
        assert not (shares.by_position * new[:, None]).any(), "what training has not seen has no share"


def test_similar_items_and_supporters_of_new_items(wider: Source) -> None:
    similar = wider.similar(N_ITEMS + 1, 5)
    assert (N_ITEMS + 1) not in similar.items
    assert similar.items.max() < ALL
    assert not wider.supporters(N_ITEMS + 1, 3)
    assert not wider.supporters(3, N_ITEMS + 1)


def test_what_is_hidden_from_a_source_is_also_hidden_in_what_was_bought() -> None:
    told: list[Queries] = []

    class Asked(NextItem):
        def score(self, queries: Queries, items: np.ndarray | None = None) -> np.ndarray:
            told.append(queries)
            return super().score(queries, items)

    queries = queries_of(ALL)
    bought = Queries(queries.histories, queries.users, queries.now, bought=queries.histories)
    Hiding(_named(Asked(N_ITEMS, 1, 1.0)), M).score(bought)
    (seen,) = told
    assert seen.bought is not None
    assert seen.bought.items.max() < N_ITEMS
    assert seen.histories.items.max() < N_ITEMS
