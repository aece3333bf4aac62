from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Float32Array, Float64Array, Int32Array, Int64Array
from recsys.pipeline import recommender as module
from recsys.pipeline.allow import Allowed, Among
from recsys.pipeline.propose import propose
from recsys.pipeline.recommender import Recommender
from tests.support.bundles import MAX_HISTORY, PROPOSERS, RANKER_WEIGHTS, REPEAT_LOG_ODDS, make_bundle

N_ITEMS, N_USERS = 120, 30
NOBODY = N_USERS - 1
CANDIDATES, PROPOSER_CANDIDATES = 15, 5


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), N_ITEMS, N_USERS))


@pytest.fixture(scope="module")
def recommender(bundle: Bundle) -> Recommender:
    stored = bundle.recommender(candidates=CANDIDATES)
    others = [replace(proposer, depth=PROPOSER_CANDIDATES) for proposer in stored.proposers[1:]]
    return replace(stored, proposers=[stored.proposers[0], *others])


@pytest.fixture(scope="module")
def queries(bundle: Bundle) -> Queries:
    return Queries(
        bundle.histories.select(np.arange(N_USERS)), np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, int)
    )


def history_of(queries: Queries, user: int) -> Int32Array:
    return queries.histories.select([user]).items


def two_tower_scores(bundle: Bundle, history: Int32Array) -> Float32Array:
    """Of all items: the test tower's user vector is the mean of the most recent items."""
    embeddings = bundle.item_embeddings.astype(np.float32)
    return embeddings @ embeddings[history[-MAX_HISTORY:]].mean(axis=0)


def proposals(bundle: Bundle, queries: Queries, user: int, *, exclude_seen: bool) -> dict[str, set[int]]:
    """What each retriever proposes to a user."""
    history = history_of(queries, user)
    inner = two_tower_scores(bundle, history)
    if exclude_seen:
        inner[history] = -np.inf
    found = {"two_tower": set(np.argsort(-inner)[:CANDIDATES].tolist())}
    for name in PROPOSERS:
        best = bundle.source(name).propose(queries.select([user]), PROPOSER_CANDIDATES, exclude_seen=exclude_seen)
        found[name] = set(best.items[best.items != NO_ITEM].tolist())
    return found


def final_scores(bundle: Bundle, queries: Queries, user: int, candidates: Int64Array) -> Float64Array:
    """The formula of the test ranker, RANKER_WEIGHTS, with the log odds of a repeat, from first principles."""
    history = history_of(queries, user)
    inner = two_tower_scores(bundle, history)[candidates].astype(np.float64)
    lists = bundle.source("transitions")
    transitions = np.zeros(N_ITEMS)
    for steps_back, item in enumerate(history[::-1]):
        for neighbour, similarity in zip(lists.neighbours[item], lists.similarities[item], strict=True):
            if neighbour != NO_ITEM:
                transitions[neighbour] += lists.decay**steps_back * similarity
    loans = bundle.ranker.scorer.loans
    unscored = transitions[loans.borrowers] == 0  # what nobody chose yet borrows
    lent = (transitions[loans.lenders] * loans.weights).sum(axis=1)
    transitions[loans.borrowers[unscored]] = lent[unscored]
    best = transitions[candidates].max()
    share = transitions[candidates] / best if best > 0 else np.zeros(len(candidates))
    gap = inner - inner.max()
    scores = RANKER_WEIGHTS["two_tower_gap"] * gap + RANKER_WEIGHTS["transitions_share"] * share
    return scores + REPEAT_LOG_ODDS * np.isin(candidates, history)


def predicted(bundle: Bundle, queries: Queries, user: int) -> Float64Array:
    """The test head's formula: global mean + item bias + user bias, from first principles, of all items."""
    statistics = bundle.rating_predictor.statistics
    history = queries.histories.select([user])
    residuals = history.ratings - statistics.global_mean - statistics.item_biases[history.items]
    user_bias = residuals.sum() / (len(residuals) + statistics.damping)
    return statistics.global_mean + statistics.item_biases + user_bias


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_the_final_order_is_the_rankers_over_all_that_is_proposed(
    bundle: Bundle, recommender: Recommender, queries: Queries, exclude_seen: bool
) -> None:
    recommended = recommender.recommend(queries, 10, exclude_seen=exclude_seen)
    for user in range(NOBODY):
        proposed = proposals(bundle, queries, user, exclude_seen=exclude_seen)
        candidates = np.array(sorted(set.union(*proposed.values())))
        final = final_scores(bundle, queries, user, candidates)
        order = np.argsort(-final)[:10]
        best = candidates[order]
        np.testing.assert_array_equal(recommended.items[user], best)
        np.testing.assert_allclose(recommended.scores[user], final[order], rtol=1e-4, atol=1e-4)
        inner = two_tower_scores(bundle, history_of(queries, user))
        np.testing.assert_allclose(recommended.retrieval_scores[user], inner[best], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(recommended.ratings[user], predicted(bundle, queries, user)[best], rtol=1e-4)
        expected = [[item in proposed[name] for name in recommender.sources] for item in best]
        assert recommended.proposed[user].tolist() == expected
    assert recommender.sources == ("two_tower", *PROPOSERS)
    assert recommended.proposed[:NOBODY].any(axis=2).all(), "somebody proposed every item"
    assert not recommended.proposed[:NOBODY, :, 0].all(), "not only the two-tower proposes what is recommended"


def test_the_two_tower_is_asked_for_all_its_candidates_however_short_the_list(
    recommender: Recommender, queries: Queries
) -> None:
    readings = recommender.read(queries)
    for ranker in (recommender.ranker, None):
        proposed = propose(readings, replace(recommender, ranker=ranker).proposers, 1, Allowed())
        assert [part.shape[1] for part in proposed] == [CANDIDATES] + [PROPOSER_CANDIDATES] * len(PROPOSERS)
    longer = propose(readings, recommender.proposers, CANDIDATES + 3, Allowed())
    assert longer[0].shape[1] == CANDIDATES + 3


def test_without_a_ranker_the_order_is_the_two_towers_and_ratings_are_still_predicted(
    recommender: Recommender, queries: Queries
) -> None:
    plain = replace(recommender, ranker=None).recommend(queries, 10)
    retrieved = recommender.primary.propose(queries, 10)
    known = ~plain.fallback
    np.testing.assert_array_equal(plain.items[known], retrieved.items[known])
    np.testing.assert_allclose(plain.scores[known], retrieved.scores[known], rtol=1e-6)
    np.testing.assert_allclose(plain.scores[known], plain.retrieval_scores[known], rtol=1e-5)
    assert plain.ratings is not None
    assert np.isfinite(plain.ratings[known]).all()
    assert plain.proposed[known, :, 0].all()
    assert not plain.proposed[..., 1:].any(), "nobody else was asked"
    assert (plain.items != recommender.recommend(queries, 10).items).any(), "the ranker changes the order here"


@pytest.mark.parametrize("ranked", [True, False])
@pytest.mark.parametrize(("given", "end"), [(1e9, 5.0), (-1e9, 1.0)])
def test_predicted_ratings_stay_on_the_scale_whatever_the_history_holds(
    recommender: Recommender, queries: Queries, ranked: bool, given: float, end: float
) -> None:
    absurd = replace(
        queries, histories=replace(queries.histories, ratings=np.full_like(queries.histories.ratings, given))
    )
    assert recommender.predictor is not None
    assert recommender.predictor.scale == (1, 5)
    predicted_ratings = (
        replace(recommender, ranker=recommender.ranker if ranked else None).recommend(absurd, 10).ratings
    )
    assert predicted_ratings is not None
    np.testing.assert_array_equal(predicted_ratings[:NOBODY], end)
    items = np.array([[0, NO_ITEM, 3]] * N_USERS, np.int32)
    vectors = np.zeros((N_USERS, recommender.primary.item_embeddings.shape[1]), np.float32)
    np.testing.assert_array_equal(
        recommender.predictor.predict(vectors, absurd.histories, items)[:NOBODY], [[end, np.nan, end]] * NOBODY
    )


def test_without_a_head_there_are_no_ratings(recommender: Recommender, queries: Queries) -> None:
    recommended = replace(recommender, predictor=None).recommend(queries, 10)
    assert recommended.ratings is None
    np.testing.assert_array_equal(recommended.items, recommender.recommend(queries, 10).items)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_seen_items_stay_out_only_if_asked(recommender: Recommender, queries: Queries, exclude_seen: bool) -> None:
    recommended = recommender.recommend(queries, 30, exclude_seen=exclude_seen)
    repeats = [np.isin(recommended.items[user], history_of(queries, user)).any() for user in range(NOBODY)]
    assert any(repeats) != exclude_seen


def test_an_empty_history_gets_popular_items_and_says_so(recommender: Recommender, queries: Queries) -> None:
    recommended = recommender.recommend(queries, 10)
    assert recommended.fallback.tolist() == [False] * NOBODY + [True]
    popular = recommender.popularity.propose(queries, 10)
    np.testing.assert_array_equal(recommended.items[NOBODY], popular.items[NOBODY])
    np.testing.assert_array_equal(recommended.scores[NOBODY], popular.scores[NOBODY])
    assert np.isnan(recommended.retrieval_scores[NOBODY]).all(), "nobody asked the two-tower"
    assert recommended.personal.tolist() == [10] * NOBODY + [0]
    assert (recommended.personal_items[NOBODY] == NO_ITEM).all()
    np.testing.assert_array_equal(recommended.personal_items[:NOBODY], recommended.items[:NOBODY])
    assert np.isnan(recommended.ratings[NOBODY]).all()
    assert not recommended.proposed[NOBODY].any()


def test_nothing_left_to_recommend_is_padding(recommender: Recommender, queries: Queries) -> None:
    recommended = recommender.recommend(queries, N_ITEMS + 5)
    left = N_ITEMS - queries.histories.lengths
    padding = recommended.items == NO_ITEM
    np.testing.assert_array_equal((~padding).sum(axis=1), left)
    np.testing.assert_array_equal(padding, recommended.scores == -np.inf)
    np.testing.assert_array_equal(padding, recommended.retrieval_scores == -np.inf)
    assert np.isnan(recommended.ratings[padding]).all()
    assert not np.isnan(recommended.scores).any()
    assert not recommended.proposed[padding].any()


def test_blocks_join_to_the_same_answer(
    recommender: Recommender, queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = recommender.recommend(queries, 10)
    monkeypatch.setattr(module, "_BLOCK_QUERIES", 7)
    parts = recommender.recommend(queries, 10)
    np.testing.assert_array_equal(parts.items, whole.items)
    np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(parts.proposed, whole.proposed)
    np.testing.assert_array_equal(parts.fallback, whole.fallback)


def test_the_ranker_orders_the_finalists_alone(bundle: Bundle, recommender: Recommender, queries: Queries) -> None:
    ranker = replace(recommender.ranker, finalists=12)
    recommended = replace(recommender, ranker=ranker).recommend(queries, 10)
    for user in range(NOBODY):
        candidates = np.array(
            sorted(set.union(*proposals(bundle, queries, user, exclude_seen=True).values())), np.int32
        )
        scored = ranker.scorer.score(recommender.read(queries.select([user])), candidates[None])
        finalists = candidates[np.argsort(-scored.sums[0])[:12]]
        order = np.argsort(-final_scores(bundle, queries, user, finalists))[:10]
        np.testing.assert_array_equal(recommended.items[user], finalists[order])


def test_only_what_is_allowed_is_recommended(recommender: Recommender, queries: Queries) -> None:
    allowed = np.arange(N_ITEMS) % 4 == 0
    for one in (recommender, replace(recommender, ranker=None)):
        recommended = one.recommend(queries, 10, restrictions=[Among(allowed)])
        plain = one.recommend(queries, N_ITEMS)
        for user in range(NOBODY):
            listed = recommended.items[user][recommended.items[user] != NO_ITEM]
            assert len(listed) == 10
            assert (listed % 4 == 0).all()
            assert set(listed.tolist()) <= set(plain.items[user].tolist())
            assert recommended.proposed[user].any(axis=1).all()


def test_times_and_candidates_are_told(recommender: Recommender, queries: Queries) -> None:
    recommended = recommender.recommend(queries, 10)
    assert list(recommended.seconds) == ["query_tower", "ann", "ranking"]
    assert all(value > 0 for value in recommended.seconds.values())
    proposed = propose(recommender.read(queries), recommender.proposers, 10, Allowed())
    counts = [(items != NO_ITEM).sum() / len(queries) for items in proposed]
    assert recommended.candidates == pytest.approx(dict(zip(recommender.sources, counts, strict=True)))


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_a_batch_answers_as_its_queries_alone(recommender: Recommender, queries: Queries, exclude_seen: bool) -> None:
    together = recommender.recommend(queries, 40, exclude_seen=exclude_seen)
    for user in range(N_USERS):
        alone = recommender.recommend(queries.select([user]), 40, exclude_seen=exclude_seen)
        np.testing.assert_array_equal(alone.items[0], together.items[user])
        np.testing.assert_array_equal(alone.proposed[0], together.proposed[user])
        np.testing.assert_allclose(alone.scores[0], together.scores[user], rtol=1e-5, atol=5e-5)


@pytest.mark.parametrize("size", [0, 5, 11, N_USERS])
def test_threads_share_a_batch_and_change_nothing(recommender: Recommender, queries: Queries, size: int) -> None:
    asked = queries.select(np.arange(size))
    expected = recommender.recommend(asked, 20)
    recommended = replace(recommender, threads=3).recommend(asked, 20)
    np.testing.assert_array_equal(recommended.items, expected.items)
    np.testing.assert_array_equal(recommended.proposed, expected.proposed)
    np.testing.assert_allclose(recommended.scores, expected.scores, rtol=1e-5, atol=5e-5)
    assert recommended.candidates == pytest.approx(expected.candidates)


def test_what_fails_on_a_thread_is_not_lost(recommender: Recommender, queries: Queries) -> None:
    with pytest.raises(ValueError, match="negative"):
        replace(recommender, threads=2).recommend(queries, -1)


def test_an_empty_batch(recommender: Recommender, queries: Queries) -> None:
    for ranker in (recommender.ranker, None):
        recommended = replace(recommender, ranker=ranker).recommend(queries.select([]), 10)
        assert recommended.items.shape == recommended.scores.shape == recommended.ratings.shape == (0, 10)
        assert recommended.proposed.shape == (0, 10, 1 + len(PROPOSERS))
        assert recommended.fallback.shape == (0,)


def test_k_beyond_the_candidates_retrieves_more(recommender: Recommender, queries: Queries) -> None:
    recommended = recommender.recommend(queries.select([0]), 60)
    assert (recommended.items != NO_ITEM).sum() == 60
    assert len(set(recommended.items[0].tolist())) == 60


def test_a_bundle_without_ratings_still_ranks(tmp_path: Path, queries: Queries) -> None:
    plain = open_bundle(make_bundle(tmp_path, N_ITEMS, N_USERS, ratings=False))
    assert plain.rating_predictor is None
    assert plain.ranker is not None
    recommended = plain.recommender().recommend(queries, 5)
    assert recommended.ratings is None
    assert (recommended.items != NO_ITEM).all()


def test_a_bundle_without_a_ranker_asks_nobody_but_the_two_tower(tmp_path: Path, queries: Queries) -> None:
    plain = open_bundle(make_bundle(tmp_path, N_ITEMS, N_USERS, ranker=False)).recommender()
    assert plain.sources == ("two_tower",)
    recommended = plain.recommend(queries, 5)
    known = ~recommended.fallback
    np.testing.assert_array_equal(recommended.items[known], plain.primary.propose(queries, 5).items[known])
