"""What comes after the ranker: an arrangement of more items than a list holds, and the detail of what is listed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int64Array
from recsys.pipeline import recommender as module
from recsys.pipeline.allow import Among
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from tests.support.bundles import REPEAT_LOG_ODDS
from tests.support.ranking import described
from tests.unit.pipeline.conftest import N_ITEMS, N_USERS

NOBODY = N_USERS - 1
DEPTH = 25


@dataclass
class OneOfAGroup:
    """No two items of a list have the same last digit, see `make_embeddings`; the best of each comes first."""

    depth: int = DEPTH

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Int64Array:
        assert ranked.items.shape == (len(queries), max(k, self.depth))
        assert ranked.proposed.shape[:2] == ranked.items.shape
        columns = np.empty((len(queries), k), np.int64)
        for row, items in enumerate(ranked.items.tolist()):
            first = [
                column
                for column, item in enumerate(items)
                if item != NO_ITEM and item % 10 not in {other % 10 for other in items[:column]}
            ][:k]
            rest = [column for column, item in enumerate(items) if item == NO_ITEM]
            columns[row] = [*first, *rest][:k] if len(first) + len(rest) >= k else [*first, *others(first, items)][:k]
        return columns


def others(chosen: list[int], items: list[int]) -> list[int]:
    return [column for column in range(len(items)) if column not in chosen]


def test_an_arrangement_chooses_from_more_items_than_the_list_holds(recommender: Recommender, queries: Queries) -> None:
    plain = recommender.recommend(queries, DEPTH, detail=True)
    arranged = replace(recommender, arrangement=OneOfAGroup()).recommend(queries, 4, detail=True)
    assert arranged.items.shape == (N_USERS, 4)
    differs = 0
    for user in range(NOBODY):
        ranked = plain.items[user].tolist()
        first = {item % 10: item for item in reversed(ranked)}
        best = sorted(first.values(), key=ranked.index)
        best = [*best, *(item for item in ranked if item not in best)][:4]
        assert arranged.items[user].tolist() == best
        columns = [ranked.index(item) for item in best]
        differs += columns != [0, 1, 2, 3]
        np.testing.assert_allclose(arranged.scores[user], plain.scores[user, columns], rtol=1e-6)
        np.testing.assert_allclose(arranged.retrieval_scores[user], plain.retrieval_scores[user, columns], rtol=1e-6)
        np.testing.assert_allclose(arranged.ratings[user], plain.ratings[user, columns], rtol=1e-6)
        np.testing.assert_array_equal(arranged.proposed[user], plain.proposed[user, columns])
        np.testing.assert_allclose(arranged.detail.features[user], plain.detail.features[user, columns], rtol=1e-6)
        np.testing.assert_allclose(
            arranged.detail.source_scores[user], plain.detail.source_scores[user, columns], rtol=1e-6
        )
    assert differs > 5
    np.testing.assert_array_equal(arranged.items[NOBODY], plain.items[NOBODY, :4])
    assert arranged.personal.tolist() == [4] * NOBODY + [0]


@dataclass
class Nothing:
    """Wants none of the items while there is padding to choose."""

    depth: int = N_ITEMS

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Int64Array:
        return np.tile(np.arange(N_ITEMS - k, N_ITEMS), (len(queries), 1))


def test_what_an_arrangement_drops_is_filled_up(recommender: Recommender, queries: Queries) -> None:
    few = Among(np.arange(N_ITEMS) % 4 == 0)
    lists = replace(recommender, arrangement=Nothing()).recommend(queries, 3, rules=[few])
    assert (lists.personal == 0).all()
    np.testing.assert_array_equal(lists.items[NOBODY], recommender.recommend(queries, 3, rules=[few]).items[NOBODY])
    assert (lists.items % 4 == 0).all()


@dataclass
class Given:
    columns: list[int]
    depth: int = 6

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Int64Array:
        return np.tile(np.array(self.columns), (len(queries), 1))


@pytest.mark.parametrize(("columns", "message"), [([0, 1, 1], "3 different"), ([0, 1], "3 different")])
def test_columns_that_make_no_list_are_refused(
    recommender: Recommender, queries: Queries, columns: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(recommender, arrangement=Given(columns)).recommend(queries, 3)


def test_padding_before_an_item_is_refused(recommender: Recommender, queries: Queries) -> None:
    two = Among(np.isin(np.arange(N_ITEMS), recommender.recommend(queries.select([0]), 2).items))
    with pytest.raises(ValueError, match="padding"):
        replace(recommender, arrangement=Given([5, 0, 1])).recommend(queries.select([0]), 3, rules=[two])


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_detail_says_where_scores_come_from(
    recommender: Recommender, queries: Queries, exclude_seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker = recommender.ranker
    lists = recommender.recommend(queries, 40, exclude_seen=exclude_seen, detail=True)
    plain = recommender.recommend(queries, 40, exclude_seen=exclude_seen)
    np.testing.assert_array_equal(lists.items, plain.items)
    np.testing.assert_array_equal(lists.scores, plain.scores)
    assert plain.detail is None
    detail, repeats = lists.detail, 0
    assert detail.sources == ranker.scorer.names
    assert detail.feature_names == ranker.features.names
    weights = np.array([ranker.scorer.weights.get(name, 0) for name in detail.sources])
    for user in range(N_USERS):
        own = lists.personal[user]
        items = lists.items[user, :own]
        scored = ranker.scorer.score(recommender.read(queries.select([user])), items[None])
        np.testing.assert_allclose(detail.source_scores[user, :own], scored.scores[:, 0].T, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            detail.source_sums[user, :own], detail.source_scores[user, :own] @ weights, rtol=1e-4
        )
        features = described(ranker.scorer, ranker.features, queries.select([user]), items[None])[0]
        for name in ("two_tower_score", "transitions_score", "log_count", "predicted_rating", "source_sum"):
            column = detail.feature_names.index(name)  # that compares no candidate with others
            np.testing.assert_allclose(
                detail.features[user, :own, column], features[:, column], rtol=1e-4, atol=1e-5, err_msg=name
            )
        seen = np.isin(items, queries.histories.select([user]).items)
        repeats += seen.sum()
        expected = detail.ranker_scores[user, :own] + REPEAT_LOG_ODDS * seen
        np.testing.assert_allclose(lists.scores[user, :own], expected, rtol=1e-4, atol=1e-4)
        for values in (detail.source_scores, detail.source_sums, detail.ranker_scores, detail.features):
            assert np.isnan(values[user, own:]).all()
    assert bool(repeats) != exclude_seen
    monkeypatch.setattr(module, "_BLOCK_QUERIES", 7)
    joined = recommender.recommend(queries, 40, exclude_seen=exclude_seen, detail=True).detail
    for name in ("source_scores", "source_sums", "ranker_scores"):
        np.testing.assert_allclose(getattr(joined, name), getattr(detail, name), rtol=1e-4, atol=1e-4)


def test_no_detail_without_candidates_or_ranker(recommender: Recommender, queries: Queries) -> None:
    nobody = recommender.recommend(queries.select([NOBODY]), 3, detail=True)
    assert np.isnan(nobody.detail.source_scores).all()
    assert replace(recommender, ranker=None).recommend(queries, 3, detail=True).detail is None
