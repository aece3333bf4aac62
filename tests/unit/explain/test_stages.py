"""How far an item came, on pipelines whose numbers follow on paper."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from recsys.core.queries import Queries
from recsys.explain.evidence import Stage, Standing
from recsys.explain.question import Question
from recsys.explain.stages import standing_of
from recsys.pipeline.allow import Among
from recsys.pipeline.arrange import Arranged, Arrangement
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.sources.item_to_item.source import ItemToItem
from tests.support.hand_made_pipeline import hand_made_pipeline, query_of
from tests.support.policies import ArrangedBy, Asking, unmoved

NONE = -math.inf
#              item 0    1    2    3    4    5     6     7
TWO_TOWER = [9.0, 8.0, 7.0, 6.0, 1.0, 0.5, NONE, NONE]
TRANSITIONS = [NONE, NONE, 1.0, 4.0, 2.0, NONE, NONE, 0.5]
POPULAR = [1.0, 2, 3, 4, 5, 6, 7, 8]
SEEN = 0


def pipeline(finalists: int = 3, repeat_log_odds: float = 0.0) -> Recommender:
    """Without item 0, which is seen, the sources propose 1, 2, 3 and 3, 4.

    Sums: 1: 8, 2: 8, 3: 10, 4: 3. Finalists: 3, 1, 2. Scores: 1: 0 + 0, 2: -1 + 3/4, 3: -2 + 3. So 3, 1, 2.
    """
    depths = 3, 2
    return hand_made_pipeline(
        TWO_TOWER, TRANSITIONS, POPULAR, depths=depths, finalists=finalists, repeat_log_odds=repeat_log_odds
    )


def standing(question: Question, item: int, query: Queries | None = None) -> Standing:
    return standing_of(question, question.trace(query_of([SEEN]) if query is None else query), item)


def test_each_stage_of_the_ranked_pipeline() -> None:
    question = Question(pipeline(), 2)
    assert standing(question, 3) == Standing(Stage.LISTED, 1, 1.0, 10.0, 1, 8.0)
    assert standing(question, 1) == Standing(Stage.LISTED, 2, 0.0, 8.0, standing(question, 1).sum_rank, 8.0)
    assert standing(question, 2) == Standing(Stage.RANKED, 3, -0.25, 8.0, standing(question, 2).sum_rank, 8.0)
    assert {standing(question, item).sum_rank for item in (1, 2)} == {2, 3}  # equal sums
    behind = standing(question, 4)
    assert (behind.stage, behind.rank) == (Stage.CANDIDATE, None)
    assert (behind.source_sum, behind.sum_rank, behind.gate) == (3.0, 4, 8.0)
    assert math.isnan(behind.score)
    for item in (5, 6, 7):
        unproposed = standing(question, item)
        assert (unproposed.stage, unproposed.rank, unproposed.sum_rank) == (Stage.UNPROPOSED, None, None)
        assert math.isnan(unproposed.source_sum)
    assert (standing(question, SEEN).stage, standing(question, SEEN).forbidden_by) == (Stage.FORBIDDEN, ("seen",))


def test_there_is_no_gate_where_all_candidates_are_ranked() -> None:
    found = standing(Question(pipeline(finalists=9), 2), 4)
    assert (found.stage, found.rank) == (Stage.RANKED, 4)
    assert (found.source_sum, found.sum_rank) == (3.0, 4)
    assert math.isnan(found.gate)


def test_a_longer_list_has_more_candidates_and_finalists() -> None:
    assert standing(Question(pipeline(), 2), 4).stage == Stage.CANDIDATE
    assert standing(Question(pipeline(), 4), 4).stage == Stage.LISTED
    assert standing(Question(pipeline(), 2), 5).stage == Stage.UNPROPOSED
    assert standing(Question(pipeline(), 5), 5).stage == Stage.LISTED


def test_what_fills_the_list_up_has_its_popularity_as_score() -> None:
    question = Question(pipeline(), 8)
    fills = [standing(question, item) for item in (7, 6)]  # behind the five that sources propose
    assert [(fill.stage, fill.rank, fill.score) for fill in fills] == [(Stage.FILLED, 6, 8.0), (Stage.FILLED, 7, 7.0)]
    assert math.isnan(fills[1].source_sum)


def test_nobody_without_a_history_gets_more_than_popular_items() -> None:
    lists = ItemToItem("lists", np.array([[1], [0]], np.int32), np.ones((2, 1)))
    question = Question(replace(pipeline(), ranker=None), 1, only=lists)
    found = standing(question, 7, query_of([]))
    assert (found.stage, found.rank, found.score) == (Stage.FILLED, 1, 8.0)


def test_the_rules_that_forbid_an_item_are_named() -> None:
    rules = {"price": Among(np.arange(8) != 3), "brand": Among(np.arange(8) > 3)}
    question = Question(pipeline(), 1, restrictions=rules)
    assert standing(question, 3).forbidden_by == ("price", "brand")
    assert standing(question, 2).forbidden_by == ("brand",)
    assert standing(question, SEEN).forbidden_by == ("seen", "brand")
    assert standing(question, 4).stage == Stage.LISTED
    assert standing(question, 4).forbidden_by == ()


def test_what_may_be_bought_again_is_forbidden_by_what_else_was_asked_for() -> None:
    policy = Asking({0: [SEEN]}, {})
    assert standing(Question(pipeline(), 8, policy=policy), SEEN).stage == Stage.LISTED
    question = Question(pipeline(), 8, restrictions={"brand": Among(np.arange(8) > 3)}, policy=policy)
    assert standing(question, SEEN) == Standing(Stage.FORBIDDEN, forbidden_by=("brand",))


@pytest.mark.parametrize(("bought", "names"), [([0], ("bought",)), ([], ()), (None, ("bought",))])
def test_only_what_was_bought_is_forbidden_if_asked_for(bought: list[int] | None, names: tuple[str, ...]) -> None:
    question = Question(pipeline(), 1, exclude_seen="purchases")
    found = standing(question, SEEN, query_of([SEEN], bought))
    assert found.forbidden_by == names
    assert (found.stage == Stage.FORBIDDEN) == bool(names)


def test_a_repeat_stands_behind_all_others_at_the_gate_where_repeats_are_the_exception() -> None:
    question = Question(pipeline(repeat_log_odds=-5.0), 2, exclude_seen=False)
    found = standing(question, SEEN)  # proposed are 0, 1, 2 and 3, 4; its sum of 9 is not the lowest
    assert (found.stage, found.source_sum, found.sum_rank, found.set_back) == (Stage.CANDIDATE, 9.0, 5, True)
    assert found.gate == 8.0
    others = Question(pipeline(repeat_log_odds=5.0), 2, exclude_seen=False)
    kept = standing(others, SEEN)
    assert (kept.stage, kept.sum_rank, kept.set_back) == (Stage.LISTED, 2, False)
    assert kept.score == 5.0  # no gap, no transitions, and the log odds


@dataclass
class LastFirst(Arrangement):
    """The worst of the ranked items that it sees come first."""

    depth: int = 3

    def choose(self, queries: Queries, ranked: Recommendations, k: int) -> Arranged:
        del queries
        return unmoved(np.tile(np.arange(ranked.items.shape[1])[::-1][:k], (len(ranked.items), 1)))


def test_what_an_arrangement_leaves_out_is_told_from_what_is_ranked_too_low() -> None:
    question = Question(pipeline(), 1, policy=ArrangedBy(LastFirst()))
    assert standing(question, 2) == Standing(Stage.LISTED, 1, -0.25, 8.0, standing(question, 2).sum_rank, 8.0)
    assert (standing(question, 3).stage, standing(question, 3).rank) == (Stage.ARRANGED, 1)
    assert (standing(question, 1).stage, standing(question, 1).rank) == (Stage.RANKED, 2)


def test_without_a_ranker_the_primary_source_alone_proposes() -> None:
    question = Question(replace(pipeline(), ranker=None), 2)
    assert standing(question, 1) == Standing(Stage.LISTED, 1, 8.0)
    assert standing(question, 3) == Standing(Stage.UNPROPOSED)
    assert standing(question, 7) == Standing(Stage.UNPROPOSED)


def test_a_source_that_is_asked_for_more_because_of_rules_ranks_what_it_gave() -> None:
    recommender = pipeline()
    question = Question(recommender, 1, only=recommender.primary, restrictions={"even": Among(np.arange(8) % 2 == 0)})
    assert standing(question, 2) == Standing(Stage.LISTED, 1, 7.0)
    assert standing(question, 4) == Standing(Stage.RANKED, 2, 1.0)
    assert standing(question, 6) == Standing(Stage.UNPROPOSED)
    assert standing(question, 3).forbidden_by == ("even",)
    arranged = replace(question, policy=ArrangedBy(LastFirst(depth=1)))  # it sees one of both
    assert standing(arranged, 2) == Standing(Stage.LISTED, 1, 7.0)
    assert standing(arranged, 4) == Standing(Stage.RANKED, 2, 1.0)
