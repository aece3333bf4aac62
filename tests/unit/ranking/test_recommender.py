from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.ranking import recommender as module
from recsys.ranking.recommender import Recommender
from recsys.retrieval.base import NO_ITEM, Queries
from tests.bundle_factory import make_bundle

N_ITEMS, N_USERS = 120, 30
NOBODY = N_USERS - 1


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), N_ITEMS, N_USERS, rescore_weight=0.5))


@pytest.fixture(scope="module")
def recommender(bundle: Bundle) -> Recommender:
    return bundle.recommender(candidates=40)


@pytest.fixture(scope="module")
def queries(bundle: Bundle) -> Queries:
    return Queries(
        bundle.histories.select(np.arange(N_USERS)), np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, int)
    )


def predicted(bundle: Bundle, queries: Queries, user: int) -> np.ndarray:
    """The test head's formula: global mean + item bias + user bias, from first principles, of all items."""
    statistics = bundle.rating_predictor.statistics
    history = queries.histories.select([user])
    residuals = history.ratings - statistics.global_mean - statistics.item_biases[history.items]
    user_bias = residuals.sum() / (len(residuals) + statistics.damping)
    return statistics.global_mean + statistics.item_biases + user_bias


def test_the_final_order_is_that_of_the_weighted_sum_over_the_candidates(
    bundle: Bundle, recommender: Recommender, queries: Queries
) -> None:
    found = recommender.recommend(queries, 10)
    scores = bundle.two_tower().scores(queries)
    for user in range(NOBODY):
        history = queries.histories.select([user]).items
        unseen = np.setdiff1d(np.arange(N_ITEMS), history)
        candidates = unseen[np.argsort(-scores[user, unseen])][:40]
        final = scores[user, candidates] + 0.5 * predicted(bundle, queries, user)[candidates]
        best = np.argsort(-final)[:10]
        np.testing.assert_array_equal(found.items[user], candidates[best])
        np.testing.assert_allclose(found.scores[user], final[best], rtol=1e-4)
        np.testing.assert_allclose(found.retrieval_scores[user], scores[user, candidates[best]], rtol=1e-4)
        np.testing.assert_allclose(found.ratings[user], predicted(bundle, queries, user)[candidates[best]], rtol=1e-4)


def test_rescoring_changes_the_order_here(recommender: Recommender, queries: Queries) -> None:
    plain = replace(recommender, rescore_weight=0.0).recommend(queries, 10)
    assert (plain.items != recommender.recommend(queries, 10).items).any()


def test_weight_zero_is_the_order_of_retrieval_and_still_predicts(recommender: Recommender, queries: Queries) -> None:
    plain = replace(recommender, rescore_weight=0.0).recommend(queries, 10)
    retrieved = recommender.retriever.retrieve(queries, 10)
    known = ~plain.fallback
    np.testing.assert_array_equal(plain.items[known], retrieved.items[known])
    np.testing.assert_array_equal(plain.scores[known], plain.retrieval_scores[known])
    assert plain.ratings is not None
    assert np.isfinite(plain.ratings[known]).all()


def test_without_a_head_there_are_no_ratings(recommender: Recommender, queries: Queries) -> None:
    found = replace(recommender, predictor=None).recommend(queries, 10)
    assert found.ratings is None
    known = ~found.fallback
    np.testing.assert_array_equal(found.items[known], recommender.retriever.retrieve(queries, 10).items[known])


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_seen_items_stay_out_only_if_asked(recommender: Recommender, queries: Queries, exclude_seen: bool) -> None:
    found = recommender.recommend(queries, 30, exclude_seen=exclude_seen)
    repeats = [np.isin(found.items[user], queries.histories.select([user]).items).any() for user in range(NOBODY)]
    assert any(repeats) != exclude_seen


def test_an_empty_history_gets_popular_items_and_says_so(recommender: Recommender, queries: Queries) -> None:
    found = recommender.recommend(queries, 10)
    assert found.fallback.tolist() == [False] * NOBODY + [True]
    popular = recommender.popularity.retrieve(queries, 10)
    np.testing.assert_array_equal(found.items[NOBODY], popular.items[NOBODY])
    np.testing.assert_array_equal(found.scores[NOBODY], popular.scores[NOBODY])
    assert np.isnan(found.ratings[NOBODY]).all()


def test_nothing_left_to_recommend_is_padding(recommender: Recommender, queries: Queries) -> None:
    found = recommender.recommend(queries, N_ITEMS + 5)
    left = N_ITEMS - queries.histories.lengths
    np.testing.assert_array_equal((found.items != NO_ITEM).sum(axis=1), left)
    np.testing.assert_array_equal(found.items == NO_ITEM, found.scores == -np.inf)
    assert np.isnan(found.ratings[found.items == NO_ITEM]).all()
    assert not np.isnan(found.scores).any()


def test_blocks_join_to_the_same_answer(
    recommender: Recommender, queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = recommender.recommend(queries, 10)
    monkeypatch.setattr(module, "_BLOCK_QUERIES", 7)
    parts = recommender.recommend(queries, 10)
    np.testing.assert_array_equal(parts.items, whole.items)
    np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-5)
    np.testing.assert_array_equal(parts.fallback, whole.fallback)


def test_an_empty_batch(recommender: Recommender, queries: Queries) -> None:
    found = recommender.recommend(queries.select([]), 10)
    assert found.items.shape == found.scores.shape == found.ratings.shape == (0, 10)
    assert found.fallback.shape == (0,)


def test_k_beyond_the_candidates_retrieves_more(recommender: Recommender, queries: Queries) -> None:
    found = recommender.recommend(queries.select([0]), 60)
    assert (found.items != NO_ITEM).sum() == 60


def test_a_bundle_without_ratings_recommends_by_retrieval(tmp_path: Path, queries: Queries) -> None:
    plain = open_bundle(make_bundle(tmp_path, N_ITEMS, N_USERS, ratings=False))
    assert plain.rating_predictor is None
    found = plain.recommender().recommend(queries, 5)
    assert found.ratings is None
    assert (found.items != NO_ITEM).all()
