"""What a policy does to lists: arrangements of more items than a list holds, items invited, items that come again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline.allow import PURCHASES, Among, ExcludeSeen
from recsys.pipeline.arrange import Arranged, Arrangement
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from tests.support.policies import ArrangedBy, Asking, unmoved
from tests.unit.pipeline.conftest import N_ITEMS, N_USERS

NOBODY = N_USERS - 1
DEPTH = 25


@dataclass
class OneOfAGroup(Arrangement):
    """No two items of a list have the same last digit, see `make_embeddings`; the best of each comes first."""

    depth: int = DEPTH

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        assert ranked.items.shape[1] >= max(k, self.depth)
        assert ranked.proposed.shape[:2] == ranked.items.shape
        columns = np.full((len(queries), k), -1)
        for row, items in enumerate(ranked.items.tolist()):
            first = [
                column
                for column, item in enumerate(items)
                if item != NO_ITEM and item % 10 not in {other % 10 for other in items[:column]}
            ][:k]
            columns[row, : len(first)] = first
        return unmoved(columns)


def test_an_arrangement_chooses_from_more_items_than_the_list_holds(recommender: Recommender, queries: Queries) -> None:
    plain, ranking = recommender.recommend(queries, DEPTH), recommender.trace(queries, 4).ranking.items.tolist()
    arranged = recommender.recommend(queries, 4, policy=ArrangedBy(OneOfAGroup()))
    assert arranged.items.shape == (N_USERS, 4)
    assert arranged.moves is not None
    differs = 0
    popular = recommender.popularity.propose(Queries.nobody(), N_ITEMS).items[0].tolist()
    history = queries.histories
    for user in range(N_USERS):
        seen = history.items[history.indptr[user] : history.indptr[user + 1]].tolist()
        ranked = [item for item in ranking[user] if item != NO_ITEM]
        ranked = list(dict.fromkeys([*ranked, *(item for item in popular if item not in seen)]))
        first = {item % 10: item for item in reversed(ranked)}
        best = sorted(first.values(), key=ranked.index)[:4]
        assert arranged.items[user].tolist() == best
        columns = [ranked.index(item) for item in best]
        differs += columns != [0, 1, 2, 3]
        assert arranged.moves.ranks_before[user].tolist() == [column + 1 for column in columns]
        of_plain = [column for column in columns if column < DEPTH]
        first = slice(len(of_plain))
        for name in ("scores", "retrieval_scores", "ratings", "proposed", "popular"):
            ours, given = getattr(arranged, name)[user, first], getattr(plain, name)[user, of_plain]
            np.testing.assert_allclose(ours, given, rtol=1e-6, err_msg=name)
        assert arranged.popular[user].tolist() == [item not in ranking[user] for item in best]
    assert differs > 5
    assert arranged.personal[NOBODY] == 0


@dataclass
class Popular(Arrangement):
    """Wants nothing that was ranked."""

    depth: int = DEPTH

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        columns = np.full((len(queries), k), -1)
        for row, popular in enumerate(ranked.popular & (ranked.items != NO_ITEM)):
            wanted = np.flatnonzero(popular)[:k]
            columns[row, : len(wanted)] = wanted
        return unmoved(columns)


def test_popular_items_are_at_hand_where_the_ranked_ones_leave_a_list_short(
    recommender: Recommender, queries: Queries
) -> None:
    few = Among(np.arange(N_ITEMS) % 4 == 0)
    plain = recommender.recommend(queries, N_ITEMS, restrictions=[few])
    lists = recommender.recommend(queries, 3, restrictions=[few], policy=ArrangedBy(Popular()))
    assert (lists.personal == 0).all()
    known = [user for user in range(NOBODY) if 3 <= plain.personal[user] < 25]
    assert known
    for user in [*known, NOBODY]:
        filling = [*plain.items[user][plain.popular[user]].tolist(), NO_ITEM, NO_ITEM, NO_ITEM]
        assert lists.items[user].tolist() == filling[:3]


@dataclass
class Given(Arrangement):
    columns: list[int]
    depth: int = 6

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        return unmoved(np.tile(np.array(self.columns), (len(queries), 1)))


@pytest.mark.parametrize(
    ("columns", "message"),
    [([0, 1, 1], "once"), ([0, 1], "3 columns"), ([-1, 0, 1], "padding"), ([0, 5, 1], "not padding")],
)
def test_columns_that_make_no_list_are_refused(
    recommender: Recommender, queries: Queries, columns: list[int], message: str
) -> None:
    three = Among(np.isin(np.arange(N_ITEMS), recommender.recommend(queries.select([0]), 3).items))
    with pytest.raises(ValueError, match=message):
        recommender.recommend(queries.select([0]), 3, restrictions=[three], policy=ArrangedBy(Given(columns)))


@pytest.mark.parametrize("exclude_seen", [True, PURCHASES])
@pytest.mark.parametrize("by_source", [False, True])
def test_items_of_the_history_come_again_where_the_policy_says_so(
    recommender: Recommender, queries: Queries, exclude_seen: ExcludeSeen, by_source: bool
) -> None:
    history = queries.histories
    seen = {user: history.items[history.indptr[user] : history.indptr[user + 1]].tolist() for user in range(NOBODY)}
    policy = Asking({user: items[:2] for user, items in seen.items()}, {})
    if by_source:
        lists = recommender.recommend(
            queries, N_ITEMS, exclude_seen=exclude_seen, policy=policy, by=recommender.primary
        )
    else:
        lists = recommender.recommend(queries, N_ITEMS, exclude_seen=exclude_seen, policy=policy)
    for user, items in seen.items():
        assert set(lists.items[user].tolist()) & set(items) == set(items[:2])
        listed = [item for item in lists.items[user].tolist() if item != NO_ITEM]
        assert len(listed) == len(set(listed)) == N_ITEMS - len(set(items)) + len(set(items[:2]))


def test_invited_items_are_ranked_though_nobody_proposes_them(recommender: Recommender, queries: Queries) -> None:
    one = queries.select([3])
    plain = recommender.trace(one, 3)
    known = [*plain.ranking.items[0], *one.histories.items]
    unproposed = next(item for item in range(N_ITEMS) if item not in known)
    trace = recommender.trace(one, 3, policy=Asking({}, {3: [unproposed]}))
    assert unproposed in trace.ranking.items[0]
    few = Among(np.isin(np.arange(N_ITEMS), [unproposed, *plain.lists.items[0]]))
    lists = recommender.recommend(one, 10, policy=Asking({}, {3: [unproposed]}, (few,)))
    column = lists.items[0].tolist().index(unproposed)
    assert not lists.popular[0, column]
    assert (lists.items[0] != NO_ITEM).sum() == 4
    assert lists.moves is not None
    assert lists.moves.shortened_by[0].all()


def test_what_is_forbidden_or_seen_is_not_ranked_though_it_is_invited(
    recommender: Recommender, queries: Queries
) -> None:
    seen = int(queries.histories.items[0])
    hidden = int(recommender.recommend(queries.select([0]), 1).items[0, 0])
    policy = Asking({}, {0: [seen, hidden]}, (Among(np.arange(N_ITEMS) != hidden),))
    lists = recommender.recommend(queries.select([0]), N_ITEMS, policy=policy)
    assert not np.isin([seen, hidden], lists.items).any()


def test_lists_of_blocks_are_joined_with_what_moved_them(recommender: Recommender, queries: Queries) -> None:
    many = queries.select(np.arange(600) % N_USERS)
    lists = recommender.recommend(many, 4, policy=ArrangedBy(OneOfAGroup()))
    few = recommender.recommend(queries, 4, policy=ArrangedBy(OneOfAGroup()))
    assert lists.moves is not None
    assert few.moves is not None
    np.testing.assert_array_equal(lists.moves.ranks_before[570:], few.moves.ranks_before)
