"""What holds for every source. A new one joins by an entry in SOURCES."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Candidates, Queries
from recsys.core.types import BoolArray, Float32Array, Int32Array
from recsys.sources.base import Source
from recsys.sources.content.fit import fit_text_vectors, fit_tfidf
from recsys.sources.factors.fit import fit_als, fit_bpr
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.ease_fit import fit_ease
from recsys.sources.item_to_item.neighbours_fit import fit_neighbours
from recsys.sources.item_to_item.transitions_fit import fit_transitions
from recsys.sources.popularity.source import Popularity
from recsys.sources.readings import read
from recsys.sources.two_tower.index import ScannIndex
from recsys.sources.two_tower.query_tower import QueryTower
from recsys.sources.two_tower.settings import IndexConfig
from recsys.sources.two_tower.source import TwoTowerSource
from tests.support.bundles import (
    MAX_HISTORY,
    START,
    make_embeddings,
    make_histories,
    mean_match,
    write_query_tower,
)

N_ITEMS, N_USERS, DIM = 1200, 40, 8
NOBODY = N_USERS - 1  # has an empty history


def _two_tower(folder: Path, index: IndexConfig) -> Source:
    write_query_tower(folder / "tower.onnx", DIM)
    embeddings = make_embeddings(N_ITEMS, DIM)
    tower = QueryTower(folder / "tower.onnx", MAX_HISTORY)
    return TwoTowerSource(tower, embeddings, ScannIndex.build(embeddings, index), mean_match(DIM))


def _hybrid(known: Histories) -> Source:
    members: dict[str, Source] = {
        "popularity": Popularity.fit(known.items, N_ITEMS),
        "neighbours_bm25": fit_neighbours(known, N_ITEMS, k=50, decay=0.6),
        "als": fit_als(known, N_ITEMS, factors=8),
    }
    return Hybrid(members, {"popularity": 0.1, "neighbours_bm25": 1.0, "als": 2.0}, "blend")


@dataclass(frozen=True)
class Case:
    """How to make a source, and which of the protocol's choices it takes."""

    make: Callable[[Path, Histories], Source]
    knows_empty_histories: bool = False
    approximate: bool = False


SOURCES = {
    "popularity": Case(lambda _, known: Popularity.fit(known.items, N_ITEMS), knows_empty_histories=True),
    "popularity-decayed": Case(
        lambda _, known: Popularity.fit(
            known.items, N_ITEMS, timestamps=known.timestamps, half_life_days=30, name="recent_popularity"
        ),
        knows_empty_histories=True,
    ),
    "neighbours-bm25": Case(lambda _, known: fit_neighbours(known, N_ITEMS, k=50, decay=0.6)),
    "neighbours-cosine": Case(lambda _, known: fit_neighbours(known, N_ITEMS, weighting="cosine", k=50)),
    "neighbours-cooccurrence": Case(
        lambda _, known: fit_neighbours(known, N_ITEMS, weighting="cooccurrence", k=50, decay=0.8)
    ),
    "transitions": Case(lambda _, known: fit_transitions(known, N_ITEMS, k=50, days=100, decay=0.5)),
    "ease": Case(lambda _, known: fit_ease(known, N_ITEMS, l2=5.0, k=50, decay=0.6)),
    "content-tfidf": Case(
        lambda *_: fit_tfidf([f"thing {item} of group {item % 200}" for item in range(N_ITEMS)], k=50, decay=0.4)
    ),
    "content-encoder": Case(lambda *_: fit_text_vectors(make_embeddings(N_ITEMS, DIM), k=50, decay=0.4)),
    "als": Case(lambda _, known: fit_als(known, N_ITEMS, factors=8, alpha=20.0)),
    "bpr": Case(lambda _, known: fit_bpr(known, N_ITEMS, factors=8, iterations=10)),
    "hybrid": Case(lambda _, known: _hybrid(known)),
    "two-tower-exact": Case(lambda folder, _: _two_tower(folder, IndexConfig(exact_below=5000))),
    "two-tower-tree": Case(lambda folder, _: _two_tower(folder, IndexConfig(exact_below=0)), approximate=True),
}


@pytest.fixture(scope="module", params=SOURCES.values(), ids=SOURCES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def known() -> Histories:
    return make_histories(N_USERS, N_ITEMS)


@pytest.fixture(scope="module")
def source(case: Case, known: Histories, tmp_path_factory: pytest.TempPathFactory) -> Source:
    return case.make(tmp_path_factory.mktemp("source"), known)


@pytest.fixture(scope="module")
def queries(known: Histories) -> Queries:
    return Queries(known, np.arange(N_USERS, dtype=np.int32), np.full(N_USERS, START + 10**8))


def history_of(*items: int) -> Histories:
    return Histories.from_rows(
        1, np.zeros(len(items), np.int64), np.array(items, np.int32), START + np.arange(len(items))
    )


def one(history: Histories, user: int = -1) -> Queries:
    return Queries(history, np.array([user], np.int32), np.array([START + 10**8]))


def seen_mask(histories: Histories) -> BoolArray:
    """Which items are in which history, by the plain definition."""
    mask = np.zeros((len(histories), N_ITEMS), bool)
    for row in range(len(histories)):
        mask[row, histories.items[histories.indptr[row] : histories.indptr[row + 1]]] = True
    return mask


def assert_well_formed(found: Candidates, n_queries: int, k: int) -> None:
    assert found.items.shape == found.scores.shape == (n_queries, k)
    assert found.items.dtype == np.int32
    assert found.scores.dtype == np.float32
    assert not np.isnan(found.scores).any()
    np.testing.assert_array_equal(found.items == NO_ITEM, found.scores == -np.inf)
    for items, scores in zip(found.items, found.scores, strict=True):
        real = items[items != NO_ITEM]
        assert (items[: len(real)] == real).all(), "padding stands on the right"
        assert len(set(real.tolist())) == len(real), "no item twice"
        assert real.min(initial=0) >= 0
        assert real.max(initial=0) < N_ITEMS
        assert (scores[: len(real) - 1] >= scores[1 : len(real)]).all() if len(real) else True


def assert_best(case: Case, found: Candidates, scores: Float32Array) -> None:
    """`found` holds the highest of `scores` [B, N], as exactly as the source promises."""
    k = found.items.shape[1]
    best = -np.sort(-scores, axis=1)[:, :k]
    real = found.items != NO_ITEM
    own = np.take_along_axis(scores, np.where(real, found.items, 0), axis=1)
    np.testing.assert_allclose(found.scores[real], own[real], rtol=1e-4, atol=1e-5)
    if case.approximate:
        reached = found.scores >= best - 1e-4
        assert reached.mean() > 0.95
    else:
        np.testing.assert_allclose(found.scores, best, rtol=1e-4, atol=1e-5)


def test_follows_the_protocol(source: Source) -> None:
    assert isinstance(source, Source)
    assert source.name
    assert source.n_items == N_ITEMS


def test_scores_cover_the_catalogue(source: Source, queries: Queries) -> None:
    scores = source.score(queries)
    assert scores.shape == (N_USERS, N_ITEMS)
    assert scores.dtype == np.float32
    assert not np.isnan(scores).any()
    assert (scores < np.inf).all()
    assert np.isfinite(scores[0]).any()


def some_items(source: Source, queries: Queries) -> Int32Array:
    """The best items of each query, others drawn at random, and padding, in random order."""
    random = np.random.default_rng(2)
    best = source.propose(queries, 20, exclude_seen=False).items
    drawn = random.integers(0, N_ITEMS, (N_USERS, 30)).astype(np.int32)
    items = np.concatenate([best, drawn, np.full((N_USERS, 3), NO_ITEM, np.int32)], axis=1)
    return random.permuted(items, axis=1)


def test_given_items_score_as_among_all(source: Source, queries: Queries) -> None:
    items = some_items(source, queries)
    scores = np.take_along_axis(source.score(queries), np.maximum(items, 0), axis=1)
    expected = np.where(items == NO_ITEM, -np.inf, scores)
    given = source.score(queries, items)
    assert given.dtype == np.float32
    assert np.isfinite(expected).sum() > N_USERS
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)
    for row in range(N_USERS):
        alone = source.score(queries.select([row]), items[row : row + 1])
        np.testing.assert_allclose(alone[0], given[row], rtol=1e-4, atol=1e-5)


def test_a_reading_answers_as_the_source(source: Source, queries: Queries) -> None:
    items = some_items(source, queries)
    readings = read([source], queries)
    for _ in range(2):
        (proposed,) = readings.propose({source.name: 12})
        expected = source.propose(queries, 12)
        np.testing.assert_array_equal(proposed.items, expected.items)
        np.testing.assert_array_equal(proposed.scores, expected.scores)
        given = source.score(queries, items)
        scores = readings.scores([source.name], items)
        np.testing.assert_allclose(scores, [np.where(np.isfinite(given), given, 0)], rtol=1e-4, atol=1e-5)
    last = Queries(queries.histories.last(1), queries.users, queries.now)
    given = source.score(last, items)
    of_last = readings.scores([source.name], items, last=True)
    np.testing.assert_allclose(of_last, [np.where(np.isfinite(given), given, 0)], rtol=1e-4, atol=1e-5)
    rows = np.array([7, 3])
    some = readings.select(rows).scores([source.name], items[rows])
    np.testing.assert_allclose(some, scores[:, rows], rtol=1e-4, atol=1e-5)


def random_queries(seed: int) -> Queries:
    """Histories of 0 to 12 items, some of them twice, of different weights."""
    random = np.random.default_rng(seed)
    sizes = random.integers(0, 13, N_USERS)
    rows = np.repeat(np.arange(N_USERS), sizes)
    items = random.integers(0, N_ITEMS // 3, len(rows)) * 3
    items[1::5] = items[::5][: len(items[1::5])]
    histories = Histories.from_rows(
        N_USERS, rows, items, START + 86_400 * np.arange(len(rows)), weights=random.integers(1, 5, len(rows))
    )
    return Queries(histories, np.full(N_USERS, -1, np.int32), np.full(N_USERS, START + 10**8))


@pytest.mark.parametrize("seed", [0, 1])
def test_shares_and_rest_add_up_to_the_score(source: Source, seed: int) -> None:
    queries = random_queries(seed)
    items = some_items(source, queries)
    shares, scores = source.why(queries, items), source.score(queries, items)
    lengths = queries.histories.lengths
    assert shares.by_position.shape == (*items.shape, lengths.max())
    expected = np.where(np.isfinite(scores), scores, 0)
    assert (expected != 0).sum() > N_USERS
    size = np.abs(shares.by_position).sum(axis=2) + np.abs(shares.rest)
    assert (np.abs(shares.total - expected) <= 1e-6 * np.maximum(size, np.abs(expected))).all()
    beyond = np.arange(lengths.max()) >= lengths[:, None]
    assert not (shares.by_position * beyond[:, None]).any()
    assert not size[~np.isfinite(scores)].any()
    assert shares.lent.shape == (*items.shape, 0), "a source alone borrows nothing"


def test_similar_items_are_told_only_by_sources_that_say_so(source: Source) -> None:
    assert source.similar_by in ("behaviour", "content", None)
    similar = source.similar(5, 8)
    assert_well_formed(similar, 1, similar.items.shape[1])
    assert similar.items.shape[1] <= 8
    assert 5 not in similar.items


def test_sources_of_behaviour_count_who_stands_behind_two_items(source: Source) -> None:
    """Which numbers these are `tests/unit/sources/test_support.py` says; others say that nobody has counted."""
    found = [source.supporters(item, other) for item in range(5) for other in range(5)]
    assert all((count is not None) == (source.similar_by == "behaviour") for count in found)
    assert all(count >= 0 for count in found if count is not None)


def test_retrieves_the_items_that_score_best(case: Case, source: Source, queries: Queries) -> None:
    candidates = source.propose(queries, 20, exclude_seen=False)
    assert_well_formed(candidates, N_USERS, 20)
    assert_best(case, candidates, source.score(queries))


def test_its_best_are_exactly_the_highest_of_all_scores(source: Source, queries: Queries) -> None:
    found, scores = source.best(queries, 30), source.score(queries)
    assert_well_formed(found, N_USERS, 30)
    np.testing.assert_allclose(found.scores, -np.sort(-scores, axis=1)[:, :30], rtol=1e-5, atol=1e-6)
    real = found.items != NO_ITEM
    own = np.take_along_axis(scores, np.where(real, found.items, 0), axis=1)
    np.testing.assert_allclose(found.scores[real], own[real], rtol=1e-5, atol=1e-6)


def test_leaves_out_what_the_user_has_seen(case: Case, source: Source, queries: Queries) -> None:
    candidates = source.propose(queries, 20)
    seen = seen_mask(queries.histories)
    assert_well_formed(candidates, N_USERS, 20)
    assert not seen[np.arange(N_USERS)[:, None], candidates.items][candidates.items != NO_ITEM].any()
    assert_best(case, candidates, np.where(seen, -np.inf, source.score(queries)))


def test_seen_items_would_otherwise_be_recommended(source: Source, queries: Queries) -> None:
    candidates = source.propose(queries, 20, exclude_seen=False)
    assert seen_mask(queries.histories)[np.arange(N_USERS)[:, None], candidates.items][
        candidates.items != NO_ITEM
    ].any()


def test_an_unknown_user_is_served_from_the_history(source: Source, queries: Queries) -> None:
    stranger = one(queries.histories.select([3]), user=-1)
    candidates = source.propose(stranger, 10)
    assert_well_formed(candidates, 1, 10)
    assert (candidates.items != NO_ITEM).any()
    assert np.isfinite(source.score(stranger)).any()


def test_an_empty_history_gets_a_guess_only_where_promised(case: Case, source: Source, queries: Queries) -> None:
    nobody = queries.select([NOBODY])
    candidates = source.propose(nobody, 10)
    assert_well_formed(candidates, 1, 10)
    assert (candidates.items != NO_ITEM).all() == case.knows_empty_histories
    assert (candidates.items == NO_ITEM).all() != case.knows_empty_histories
    assert np.isfinite(source.score(nobody)).all() == case.knows_empty_histories


def test_a_batch_answers_as_its_queries_alone(source: Source, queries: Queries) -> None:
    together = source.propose(queries, 15)
    all_scores = source.score(queries)
    for row in range(N_USERS):
        alone = source.propose(queries.select([row]), 15)
        np.testing.assert_array_equal(alone.items[0], together.items[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(source.score(queries.select([row]))[0], all_scores[row], rtol=1e-4, atol=1e-5)


def test_the_order_of_a_batch_does_not_matter(source: Source, queries: Queries) -> None:
    order = np.random.default_rng(1).permutation(N_USERS)
    there, back = source.propose(queries, 15), source.propose(queries.select(order), 15)
    np.testing.assert_array_equal(there.items[order], back.items)


def test_an_empty_batch_is_answered(source: Source, queries: Queries) -> None:
    nothing = queries.select([])
    assert_well_formed(source.propose(nothing, 10), 0, 10)
    assert source.score(nothing).shape == (0, N_ITEMS)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_k_beyond_the_catalogue_is_padded(source: Source, queries: Queries, exclude_seen: bool) -> None:
    k = N_ITEMS + 17
    some = queries.select([0, 5, NOBODY])
    candidates = source.propose(some, k, exclude_seen=exclude_seen)
    assert_well_formed(candidates, 3, k)
    scores = source.score(some)
    if exclude_seen:
        scores = np.where(seen_mask(some.histories), -np.inf, scores)
    np.testing.assert_array_equal((candidates.items != NO_ITEM).sum(axis=1), np.isfinite(scores).sum(axis=1))


def test_nothing_is_left_when_everything_is_seen(source: Source) -> None:
    candidates = source.propose(one(history_of(*range(N_ITEMS))), 5)
    assert (candidates.items == NO_ITEM).all()
    assert (candidates.scores == -np.inf).all()


def test_a_long_history_still_leaves_k_items(source: Source, queries: Queries) -> None:
    everything_scored = np.isfinite(source.score(queries.select([0]))).all()
    if not everything_scored:
        pytest.skip("scores too few items for this question")
    candidates = source.propose(one(history_of(*range(300))), 100)
    assert (candidates.items >= 300).all()


def test_repeated_items_in_a_history_are_allowed(source: Source) -> None:
    candidates = source.propose(one(history_of(7, 17, 7, 7)), 10)
    assert_well_formed(candidates, 1, 10)
    assert not np.isin(candidates.items, [7, 17]).any()


def test_one_result(case: Case, source: Source, queries: Queries) -> None:
    candidates = source.propose(queries, 1)
    assert_well_formed(candidates, N_USERS, 1)
    np.testing.assert_array_equal(candidates.items[:, 0], source.propose(queries, 15).items[:, 0])


def test_load_gives_back_what_was_saved_wherever_it_lies(source: Source, queries: Queries, tmp_path: Path) -> None:
    written, moved = tmp_path / "written", tmp_path / "elsewhere" / "moved"
    written.mkdir()
    source.save(written)
    moved.parent.mkdir()
    shutil.move(written, moved)
    loaded = type(source).load(moved)
    assert loaded.name == source.name
    np.testing.assert_array_equal(loaded.score(queries), source.score(queries))
    before, after = source.propose(queries, 25), loaded.propose(queries, 25)
    np.testing.assert_array_equal(after.items, before.items)
    np.testing.assert_array_equal(after.scores, before.scores)
