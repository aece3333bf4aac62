"""What comes after the ranker: an arrangement of more items than a list holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import Int64Array
from recsys.pipeline.allow import Among
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
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
    plain = recommender.recommend(queries, DEPTH)
    arranged = replace(recommender, arrangement=OneOfAGroup()).recommend(queries, 4)
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
