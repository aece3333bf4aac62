from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.bundle import Bundle
from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline.allow import Among, ExcludeSeen
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.trace import Trace
from tests.support.bundles import REPEAT_LOG_ODDS
from tests.support.ranking import described

SOURCES = ["two_tower", "neighbours_bm25", "transitions", "content_encoder", "popularity", "bpr", "hybrid"]


def equal(given: Recommendations, expected: Recommendations) -> None:
    for name in ("items", "scores", "retrieval_scores", "ratings", "proposed", "personal"):
        np.testing.assert_array_equal(getattr(given, name), getattr(expected, name))
    assert given.candidates == expected.candidates
    assert (given.sources, given.ranked_by) == (expected.sources, expected.ranked_by)


def the_ranking_begins_with_the_personal_list(trace: Trace) -> None:
    for row, personal in enumerate(trace.lists.personal.tolist()):
        np.testing.assert_array_equal(trace.ranking.items[row, :personal], trace.lists.items[row, :personal])
        np.testing.assert_array_equal(trace.ranking.scores[row, :personal], trace.lists.scores[row, :personal])


@pytest.mark.parametrize("exclude_seen", [True, False, "purchases"])
@pytest.mark.parametrize("k", [1, 10, 40, 200])
def test_the_lists_are_those_of_recommend(
    recommender: Recommender, queries: Queries, exclude_seen: ExcludeSeen, k: int
) -> None:
    trace = recommender.trace(queries, k, exclude_seen=exclude_seen)
    equal(trace.lists, recommender.recommend(queries, k, exclude_seen=exclude_seen))
    the_ranking_begins_with_the_personal_list(trace)


def test_all_finalists_are_in_the_ranking_in_falling_order(recommender: Recommender, queries: Queries) -> None:
    trace = recommender.trace(queries, 5)
    assert trace.ranked is not None
    for row in range(len(queries)):
        ranking, finalists = trace.ranking.items[row], trace.ranked.finalists.items[row]
        assert sorted(ranking.tolist()) == sorted(finalists.tolist())
        scores = trace.ranking.scores[row]
        assert (scores[1:] <= scores[:-1]).all()
        assert set(finalists) <= set(trace.ranked.candidates.items[row]) | {NO_ITEM}


def test_candidates_are_what_sources_proposed(recommender: Recommender, queries: Queries) -> None:
    trace = recommender.trace(queries, 5)
    assert trace.ranked is not None
    assert list(trace.proposals) == list(recommender.sources)
    for row in range(len(queries)):
        proposed = {item for items in trace.proposals.values() for item in items[row].tolist()} - {NO_ITEM}
        assert set(trace.ranked.candidates.items[row].tolist()) - {NO_ITEM} == proposed


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_where_scores_come_from(recommender: Recommender, queries: Queries, exclude_seen: bool) -> None:
    ranker = recommender.ranker
    assert ranker is not None
    trace, repeats = recommender.trace(queries, 40, exclude_seen=exclude_seen), 0
    ranked, lists = trace.ranked, trace.lists
    assert ranked is not None
    assert ranked.finalists.sources == ranker.scorer.names
    weights = np.array([ranker.scorer.weights.get(name, 0) for name in ranked.finalists.sources])
    for user in range(len(queries)):
        items = lists.items[user, : lists.personal[user]]
        columns = np.array([ranked.finalists.column(user, item) for item in items.tolist()], np.int64)
        scores, own = (part[:, user, columns].T for part in (ranked.finalists.scores, ranked.finalists.own))
        scored = ranker.scorer.score(recommender.read(queries.select([user])), items[None])
        np.testing.assert_allclose(scores, scored.scores[:, 0].T, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(own, scored.own[:, 0].T, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ranked.finalists.sums[user, columns], own @ weights, rtol=1e-4)
        features = described(ranker.scorer, ranker.features, queries.select([user]), items[None])[0]
        read = ranked.features[user, columns]
        for name in ("two_tower_score", "transitions_score", "log_count", "predicted_rating", "source_sum"):
            column = ranker.features.names.index(name)  # that compares no candidate with others
            np.testing.assert_allclose(read[:, column], features[:, column], rtol=1e-4, atol=1e-5, err_msg=name)
        seen = np.isin(items, queries.histories.select([user]).items)
        repeats += seen.sum()
        expected = ranker.model.score(read[None])[0] + REPEAT_LOG_ODDS * seen if len(items) else np.zeros(0)
        np.testing.assert_allclose(lists.scores[user, : len(items)], expected, rtol=1e-4, atol=1e-4)
    assert bool(repeats) != exclude_seen


def test_no_column_of_what_is_no_finalist(recommender: Recommender, queries: Queries) -> None:
    ranked = recommender.trace(queries, 5).ranked
    assert ranked is not None
    absent = next(item for item in range(120) if item not in ranked.finalists.items[0])
    assert ranked.finalists.column(0, absent) is None
    assert ranked.finalists.column(0, NO_ITEM) is None
    assert [ranked.finalists.column(0, item) for item in ranked.finalists.items[0, :3].tolist()] == [0, 1, 2]


def test_where_an_item_stands(recommender: Recommender, queries: Queries) -> None:
    trace = recommender.trace(queries.select([0, 1]), 5)
    item, score = int(trace.ranking.items[1, 3]), trace.ranking.scores[1, 3]
    assert trace.columns(item)[1] == 3
    assert trace.scores(item)[1] == score
    absent = next(item for item in range(120) if item not in trace.ranking.items)
    assert trace.columns(absent).tolist() == [-1, -1]
    assert np.isnan(trace.scores(absent)).all()
    source = next(name for name, items in trace.proposals.items() if (items[0] == trace.lists.items[0, 0]).any())
    assert trace.proposed(source, int(trace.lists.items[0, 0]))
    assert not trace.proposed(source, absent)
    assert not trace.proposed("nobody", int(trace.lists.items[0, 0]))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("k", [3, 200])
def test_one_source_alone(bundle: Bundle, recommender: Recommender, queries: Queries, name: str, k: int) -> None:
    rules = [Among(np.arange(120) % 3 != 0)]
    trace = recommender.trace(queries, k, restrictions=rules, by=bundle.source(name))
    equal(trace.lists, recommender.recommend(queries, k, restrictions=rules, by=bundle.source(name)))
    assert trace.ranked is None
    assert list(trace.proposals) == [name]
    the_ranking_begins_with_the_personal_list(trace)
    ranked = trace.ranking.items[trace.ranking.items != NO_ITEM]
    assert (ranked % 3 != 0).all()


def test_without_a_ranker_the_primary_source_decides(recommender: Recommender, queries: Queries) -> None:
    alone = replace(recommender, ranker=None)
    trace = alone.trace(queries, 7)
    equal(trace.lists, alone.recommend(queries, 7))
    assert (trace.ranked, list(trace.proposals)) == (None, ["two_tower"])
    the_ranking_begins_with_the_personal_list(trace)


def test_no_queries(recommender: Recommender, queries: Queries) -> None:
    trace = recommender.trace(queries.select([]), 5)
    assert trace.ranking.items.shape[0] == 0
    assert trace.columns(3).shape == (0,)
