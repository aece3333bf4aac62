"""Lists of what may be bought again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from recsys.core.events import SECONDS_PER_DAY
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.evidence import Stage
from recsys.explain.question import Question
from recsys.explain.stages import standing_of
from recsys.pipeline.allow import PURCHASES, Among
from recsys.pipeline.policy import Plan, UserVectors
from recsys.pipeline.recommendations import joined
from recsys.rules.buy_again import BuyAgain
from recsys.rules.repurchase import repurchases
from tests.support.hand_made_pipeline import hand_made_pipeline, query_of
from tests.support.rule_sets import SmallShop, rule

# The ranker's score is how far an item's two-tower score lies below the best finalist's, plus three times its share of
# the best transitions score. All of these were bought, item n on day n; it is the twelfth day.
PIPELINE = {
    "two_tower": [5.0, 4.0, 3.0, 2.0, 1.0],
    "transitions": [0.0, 1.0, 0.0, 0.0, 0.0],
    "popularity": [1.0, 2.0, 3.0, 4.0, 5.0],
}
TEN_DAYS = np.full(5, 10, np.float32)


def test_the_list_is_what_is_due_in_the_order_of_a_ranker_that_knows() -> None:
    recommender = hand_made_pipeline(**PIPELINE, depths=(5, 5), finalists=5)
    query = query_of([0, 1, 2, 3], bought=[0, 1, 2, 3])
    lists = recommender.recommend(query, 4, policy=BuyAgain(TEN_DAYS, by_ranker=True))
    assert lists.items.tolist() == [[1, 0, -1, -1]]  # due since days 10 and 11; 2 and 3 are not, nobody bought 4
    assert not lists.popular.any()


@pytest.mark.parametrize("exclude_seen", [True, False, PURCHASES])
def test_what_is_due_is_listed_whatever_is_left_out_of_other_lists(exclude_seen: bool) -> None:
    recommender = hand_made_pipeline(**PIPELINE, depths=(2, 2), finalists=3, repeat_log_odds=-20.0)
    query = query_of([0, 1, 2, 3], bought=[0, 1, 2, 3])
    lists = recommender.recommend(query, 4, exclude_seen=exclude_seen, policy=BuyAgain(TEN_DAYS))
    assert lists.items.tolist() == [[1, 0, -1, -1]]
    assert lists.scores[0, :2].min() > -10  # the odds against repeats do not count for what is due


def test_nothing_fills_up_a_list_of_what_is_due() -> None:
    recommender = hand_made_pipeline(**PIPELINE, depths=(5, 5), finalists=5)
    assert recommender.recommend(query_of([2, 3]), 4, policy=BuyAgain(np.full(5, 99, np.float32))).items.max() == -1
    assert recommender.recommend(Queries.nobody(), 4, policy=BuyAgain(TEN_DAYS)).items.max() == -1


class _Holding:
    """A policy that lets items come again that are due by its own rule, and holds others back."""

    def plan(self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()) -> Plan:
        del k, vectors, filters
        cycles = np.array([99, 1, 1, 1, 1], np.float32)
        found = repurchases(queries, cycles)
        none = np.empty((len(queries), 0), np.int32)
        return Plan(("own",), (found.restriction,), np.ones((len(queries), 1), np.bool_), found.due, none)


def test_the_shops_own_rules_go_before_the_default_cycle() -> None:
    recommender = hand_made_pipeline(**PIPELINE, depths=(5, 5), finalists=5)
    query = query_of([0, 1, 2, 3], bought=[0, 1, 2, 3])
    lists = recommender.recommend(query, 4, policy=BuyAgain(TEN_DAYS, _Holding()))
    assert lists.items.tolist() == [[3, 2, 1, -1]]
    assert lists.moves is not None
    assert lists.moves.rules == ("own",)
    assert lists.moves.shortened_by.all()


def test_what_is_not_due_is_in_no_list_and_what_is_due_is() -> None:
    class Only:
        def plan(
            self, queries: Queries, k: int, vectors: UserVectors | None = None, filters: Sequence[Among] = ()
        ) -> Plan:
            del k, vectors, filters
            found = repurchases(queries, TEN_DAYS)
            none = np.empty((len(queries), 0), np.int32)
            return Plan(("own",), (found.restriction,), np.ones((len(queries), 1), np.bool_), found.due, none)

    recommender = hand_made_pipeline(**PIPELINE, depths=(5, 5), finalists=5)
    query = query_of([0, 1, 2, 3], bought=[0, 1, 2, 3])
    for exclude_seen in (True, False):
        lists = recommender.recommend(query, 5, exclude_seen=exclude_seen, policy=Only())
        assert sorted(lists.items[0].tolist()) == [-1, -1, 0, 1, 4], exclude_seen


# It is day 11.57. Since it was bought 11.57 of 11 days have passed for item 0, 10.57 of 5 for item 1, 9.57 of 9 for
# item 2, and 8.57 of 9 for item 3.
CYCLES = np.array([11, 5, 9, 9, 9], np.float32)


@pytest.mark.parametrize(("bought", "expected"), [([0, 1, 2, 3], [0, 2, 1, -1]), ([0, 1], [0, 1, -1, -1])])
def test_what_came_due_last_comes_first_where_the_ranker_knows_nothing_of_it(
    bought: list[int], expected: list[int]
) -> None:
    recommender = hand_made_pipeline(**PIPELINE, depths=(5, 5), finalists=5)
    query = query_of([0, 1, 2, 3], bought=bought)
    assert recommender.recommend(query, 4, policy=BuyAgain(CYCLES)).items.tolist() == [expected]
    assert recommender.recommend(query, 1, policy=BuyAgain(CYCLES)).items.tolist() == [expected[:1]]


def test_a_ranker_that_knows_begins_with_another_item() -> None:
    recommender = hand_made_pipeline(**PIPELINE, depths=(5, 5), finalists=5)
    lists = recommender.recommend(query_of([0, 1, 2, 3]), 4, policy=BuyAgain(CYCLES, by_ranker=True))
    assert lists.items.tolist() == [[1, 0, 2, -1]]


def test_each_user_of_a_batch_has_an_own_order() -> None:
    recommender = hand_made_pipeline(**PIPELINE, depths=(5, 5), finalists=5)
    rows, items, days = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 1, 0]), np.array([0, 1, 2, 3, 0, 1])
    histories = Histories.from_rows(2, rows, items, SECONDS_PER_DAY * days)
    both = Queries(histories, np.array([0, 0], np.int32), np.repeat(query_of([0]).now, 2))
    # The second bought item 1 on day 0, and item 0 on day 1: 10.57 of 11 days.
    lists = recommender.recommend(both, 4, policy=BuyAgain(CYCLES))
    assert lists.items.tolist() == [[0, 2, 1, -1], [1, -1, -1, -1]]


def test_whom_no_rule_arranges_for_has_the_order_that_a_list_alone_has(shop: SmallShop) -> None:
    """A rule arranges the lists of some users of a batch, in the ranker's order since it buries all alike."""
    some = rule("some", "bury", "item.popularity >= 0", when="user.interactions >= 9")
    policy = BuyAgain(np.full(120, 0.01, np.float32), shop.compiled(some).bound())
    together = shop.recommender.recommend(shop.queries, 10, policy=policy)
    for user in range(30):
        alone = shop.recommender.recommend(shop.queries.select([user]), 10, policy=policy)
        assert together.items[user].tolist() == alone.items[0].tolist()
    default = shop.recommender.recommend(shop.queries, 10, policy=BuyAgain(np.full(120, 0.01, np.float32)))
    same = (together.items == default.items).all(axis=1)
    assert same[shop.queries.histories.lengths < 9].all()
    assert not same.all()


def test_the_rank_before_rules_depends_on_the_list_alone(shop: SmallShop) -> None:
    """Nobody arranges the lists of short histories: where their items stand is where they stood."""
    cycles = np.full(120, 0.01, np.float32)
    short = shop.queries.histories.lengths < 9
    some = rule("some", "bury", 'item.brand == "Brand 3"', when="user.interactions >= 9")
    beside = rule("beside", "hide", 'item.brand == "Brand 6"')
    ranks, moved = np.arange(1, 11), 0
    for rules in ([some], [beside], [some, beside]):
        policy = BuyAgain(cycles, shop.compiled(*rules).bound())
        together = shop.recommender.recommend(shop.queries, 10, policy=policy)
        assert together.moves is not None
        before = together.moves.ranks_before
        assert (before[short] == np.where(together.items[short] == NO_ITEM, 0, ranks)).all()
        moved += int((before[~short] > ranks).sum())
        for user in range(30):
            alone = shop.recommender.recommend(shop.queries.select([user]), 10, policy=policy)
            if alone.moves is not None and alone.moves.rules:
                assert alone.moves.ranks_before[0].tolist() == before[user].tolist()
    assert moved, "the ranker's ranks of what a rule arranges are told"


def test_rules_that_act_for_some_blocks_of_a_batch_alone(shop: SmallShop) -> None:
    """Nothing acts for the first block, and what it says of rules is joined to what the second one does."""
    some = rule("some", "hide", "item.popularity_rank <= 60", when='user.id == "second"')
    policy = BuyAgain.of(shop.base, shop.compiled(some).bound())
    first, second = (replace(shop.queries.select([4]), ids=(name,)) for name in ("first", "second"))
    lists = [shop.recommender.recommend(one, 10, policy=policy) for one in (first, second)]
    together = joined(lists)
    assert together.moves is not None
    assert together.moves.rules == ("some",)
    assert together.moves.shortened_by.tolist() == [[False], [True]]
    question = Question(shop.recommender, 10, policy=policy)
    never_bought = next(item for item in range(120) if item not in shop.person(4, {}).items)
    assert standing_of(question, question.trace(first), never_bought).stage == Stage.FORBIDDEN
