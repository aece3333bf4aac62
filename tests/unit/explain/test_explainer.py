"""Evidence as a whole: every number in it is one that made the list."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.bundle.layout import FULL
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.errors import QuestionError
from recsys.explain.evidence import Evidence, Stage
from recsys.explain.explainer import Explainer
from recsys.pipeline.recommender import Recommender
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.popularity.source import Popularity
from tests.support.bundles import REPEAT_LOG_ODDS, make_bundle
from tests.support.hand_made_pipeline import hand_made_pipeline, query_of
from tests.support.policies import Asking

N_ITEMS, N_USERS, K = 120, 30, 5
NOBODY = N_USERS - 1
MODELS = [FULL, "two_tower", "neighbours_bm25", "transitions", "content_encoder", "bpr", "popularity", "hybrid"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("explainer"), N_ITEMS, N_USERS))


@pytest.fixture(scope="module")
def explainer(bundle: Bundle) -> Explainer:
    stored = bundle.recommender()
    assert stored.ranker is not None
    few = [replace(proposer, depth=12) for proposer in stored.proposers]
    return Explainer(replace(stored, proposers=few, ranker=replace(stored.ranker, finalists=20)), bundle.source)


def query(bundle: Bundle, user: int) -> Queries:
    return Queries(bundle.histories.select([user]), np.array([user], np.int32), np.zeros(1, np.int64))


def everything(bundle: Bundle, explainer: Explainer, user: int, model: str = FULL) -> list[Evidence]:
    return [explainer.explain(query(bundle, user), item, K, model=model, depth="cheap") for item in range(N_ITEMS)]


@pytest.mark.parametrize("user", [0, 3, 7, NOBODY])
def test_shares_and_rest_add_up_to_each_sources_score(bundle: Bundle, explainer: Explainer, user: int) -> None:
    borrowed = 0
    for evidence in everything(bundle, explainer, user):
        for opinion in evidence.sources:
            shares = sum(share.shares[opinion.source] for share in evidence.history)
            assert shares + opinion.rest == pytest.approx(opinion.score, rel=1e-5, abs=1e-5)
        for share in evidence.history:
            weighted = (opinion.weight * share.shares[opinion.source] for opinion in evidence.sources)
            assert share.total == pytest.approx(sum(weighted))
        totals = [abs(share.total) for share in evidence.history]
        assert totals == sorted(totals, reverse=True)
        opinions = {opinion.source: opinion for opinion in evidence.sources}
        for loan in evidence.borrowed:
            borrowed += 1
            assert sum(loan.lenders.values()) == pytest.approx(opinions[loan.source].score, rel=1e-5, abs=1e-6)
            assert opinions[loan.source].rank is None  # it has no score of its own
    assert borrowed or user == NOBODY


@pytest.mark.parametrize("user", [0, 3, 7])
def test_opinions_are_the_scores_and_places_that_sources_tell_themselves(
    bundle: Bundle, explainer: Explainer, user: int
) -> None:
    asked, seen = query(bundle, user), bundle.histories.select([user]).items.tolist()
    for evidence in everything(bundle, explainer, user):
        for opinion in evidence.sources:
            best = bundle.source(opinion.source).propose(asked, N_ITEMS)
            order = best.items[0][best.items[0] != NO_ITEM].tolist()
            if evidence.item in order:
                assert opinion.rank == order.index(evidence.item) + 1
                assert opinion.score == pytest.approx(best.scores[0, order.index(evidence.item)], rel=1e-5)
                assert opinion.proposed == (opinion.rank <= opinion.depth)
            else:
                assert evidence.item in seen or opinion.rank is None
                assert not opinion.proposed


def test_what_is_scored_is_compared_with_the_first_item_that_is_not_shown(bundle: Bundle, explainer: Explainer) -> None:
    trace = explainer.recommender.trace(query(bundle, 3), K)
    ranking = trace.ranking.items[0].tolist()
    for evidence in everything(bundle, explainer, 3):
        found, stage = evidence.contributions, evidence.standing.stage
        if stage in (Stage.LISTED, Stage.RANKED):
            assert found is not None
            assert found.reference == (ranking[K] if stage == Stage.LISTED else ranking[K - 1])
            assert found.score == evidence.standing.score
            assert found.reference_score == trace.scores(found.reference)[0]
            assert found.of == "score"
        elif stage == Stage.CANDIDATE:
            assert found is not None
            assert found.of == "source_sum"
            assert (found.score, found.reference_score) == (evidence.standing.source_sum, evidence.standing.gate)
            assert found.score <= found.reference_score
        else:
            assert found is None
            continue
        assert sum(group.value for group in found.groups) == pytest.approx(
            found.score - found.reference_score, abs=1e-4
        )


def test_all_stages_occur_and_only_what_the_ranker_saw_has_features(bundle: Bundle, explainer: Explainer) -> None:
    stages = set()
    for evidence in everything(bundle, explainer, 3):
        stages.add(evidence.standing.stage)
        assert bool(evidence.features) == (evidence.standing.stage in (Stage.LISTED, Stage.RANKED))
    assert stages == {Stage.LISTED, Stage.RANKED, Stage.CANDIDATE, Stage.FORBIDDEN, Stage.UNPROPOSED}


def test_a_reference_can_be_asked_for(bundle: Bundle, explainer: Explainer) -> None:
    asked = query(bundle, 3)
    ranking = explainer.recommender.trace(asked, K).ranking.items[0].tolist()
    found = explainer.explain(asked, ranking[0], K, reference=ranking[9], depth="cheap").contributions
    assert found is not None
    assert found.reference == ranking[9]
    behind = next(one.item for one in everything(bundle, explainer, 3) if one.standing.stage == Stage.CANDIDATE)
    at_the_gate = explainer.explain(asked, behind, K, reference=ranking[9], depth="cheap").contributions
    assert at_the_gate is not None
    assert (at_the_gate.of, at_the_gate.reference) == ("source_sum", ranking[9])
    of_reference = explainer.explain(asked, ranking[9], K, depth="cheap").standing.source_sum
    assert at_the_gate.reference_score == of_reference


def test_what_cannot_be_asked_is_told(bundle: Bundle, explainer: Explainer) -> None:
    asked = query(bundle, 3)
    ranking = explainer.recommender.trace(asked, K).ranking.items[0].tolist()
    unranked = next(item for item in range(N_ITEMS) if item not in ranking)
    with pytest.raises(QuestionError, match="reference that was ranked"):
        explainer.explain(asked, ranking[0], K, reference=unranked)
    with pytest.raises(QuestionError, match="another item"):
        explainer.explain(asked, ranking[0], K, reference=ranking[0])
    for row in (-1, N_ITEMS):
        with pytest.raises(QuestionError, match="an item of the 120 rows"):
            explainer.explain(asked, row, K)
    with pytest.raises(QuestionError, match="one query"):
        explainer.explain(asked.select([0, 0]), 3, K)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("user", [3, NOBODY])
def test_each_model_explains_its_own_list(bundle: Bundle, explainer: Explainer, model: str, user: int) -> None:
    asked = query(bundle, user)
    recommender = explainer.recommender
    lists = (
        recommender.recommend(asked, K) if model == FULL else recommender.recommend(asked, K, by=bundle.source(model))
    )
    for column, item in enumerate(lists.items[0].tolist()):
        evidence = explainer.explain(asked, item, K, model=model)
        assert (evidence.model, evidence.standing.rank) == (model, column + 1)
        assert evidence.standing.score == lists.scores[0, column]
        personal = column < lists.personal[0]
        assert evidence.standing.stage == (Stage.LISTED if personal else Stage.FILLED)
        assert (evidence.contributions is not None) == personal
        assert (evidence.counterfactual is not None) == (personal and user != NOBODY)
        assert len(evidence.history) == len(set(asked.histories.items.tolist()))
        if model != FULL:
            assert [opinion.source for opinion in evidence.sources] == [model]


def test_of_a_hybrid_alone_the_members_contribute(bundle: Bundle, explainer: Explainer) -> None:
    asked = query(bundle, 3)
    item = int(explainer.recommender.recommend(asked, K, by=bundle.source("hybrid")).items[0, 0])
    found = explainer.explain(asked, item, K, model="hybrid", depth="cheap").contributions
    assert found is not None
    assert {group.group for group in found.groups} == {"two_tower", "neighbours_bm25", "transitions", "content_encoder"}


def test_an_item_that_is_several_times_in_the_history_is_one_action(bundle: Bundle, explainer: Explainer) -> None:
    history = np.array([7, 30, 7, 52])
    times = 10 * np.arange(4)
    asked = Queries(
        Histories.from_rows(1, np.zeros(4, np.int64), history, times), np.array([-1], np.int32), np.array([100])
    )
    item = int(explainer.recommender.recommend(asked, K).items[0, 0])
    evidence = explainer.explain(asked, item, K)
    assert sorted((share.item, share.positions) for share in evidence.history) == [(7, (0, 2)), (30, (1,)), (52, (3,))]
    why = explainer.recommender.read(asked).why("transitions", np.array([[item]], np.int32))
    share = next(share for share in evidence.history if share.item == 7)
    assert share.shares["transitions"] == pytest.approx(why.by_position[0, 0, [0, 2]].sum())


def test_a_repeat_owes_the_log_odds_to_the_history_and_one_that_was_viewed_does_not(
    bundle: Bundle, explainer: Explainer
) -> None:
    nothing_bought = bundle.histories.select([NOBODY])
    asked = replace(query(bundle, 3), bought=nothing_bought)
    ranker = explainer.recommender.ranker
    assert ranker is not None
    wide = replace(explainer, recommender=replace(explainer.recommender, ranker=replace(ranker, finalists=100)))
    seen = bundle.histories.select([3]).items.tolist()
    for exclude_seen, odds in ((False, REPEAT_LOG_ODDS), ("purchases", 0.0)):
        trace = wide.recommender.trace(asked, K, exclude_seen=exclude_seen)  # type: ignore[arg-type]
        ranked = trace.ranking.items[0].tolist()
        item = next(item for item in ranked[K:] if item in seen)
        other = next(item for item in ranked if item not in seen)
        found = wide.explain(
            asked,
            item,
            K,
            exclude_seen=exclude_seen,
            reference=other,
            depth="cheap",  # type: ignore[arg-type]
        ).contributions
        assert found is not None
        groups = {group.group: group.value for group in found.groups}
        assert groups["history"] == pytest.approx(odds, abs=1e-5)
        assert found.additivity_error <= 1e-4


def test_what_may_be_bought_again_owes_no_log_odds(bundle: Bundle, explainer: Explainer) -> None:
    asked = query(bundle, 3)
    again, *_ = bundle.histories.select([3]).items.tolist()
    policy = Asking({3: [again]}, {})
    trace = explainer.recommender.trace(asked, K, exclude_seen=False, policy=policy)
    other = next(item for item in trace.ranking.items[0].tolist() if item not in (again, NO_ITEM))
    found = explainer.explain(
        asked, again, K, exclude_seen=False, policy=policy, reference=other, depth="cheap"
    ).contributions
    assert found is not None
    assert {group.group: group.value for group in found.groups}["history"] == pytest.approx(0, abs=1e-5)
    assert found.additivity_error <= 1e-4


def test_where_all_that_is_ranked_is_shown_the_last_of_it_is_the_reference() -> None:
    none = -math.inf
    recommender = hand_made_pipeline([3, 2, 1, none], [none] * 4, [1, 2, 3, 4], depths=(4, 4), finalists=9)
    explainer = Explainer(recommender, lambda name: {"two_tower": recommender.primary}[name])
    for item, reference in ((0, 2), (1, 2), (2, 1)):
        found = explainer.explain(query_of([]), item, 4).contributions
        assert found is not None
        assert (found.reference, found.score - found.reference_score) == (reference, reference - item)
    alone = replace(recommender, ranker=None)
    only = Explainer(alone, lambda name: {"two_tower": alone.primary}[name])
    fixed = only.explain(query_of([0, 1]), 2, 4).contributions
    assert fixed is not None
    assert (fixed.reference, fixed.score, fixed.reference_score) == (None, 1.0, 0.0)


def taste(lists: list[list[tuple[int, float]]], popularity: list[float]) -> Explainer:
    """A pipeline of neighbour lists alone, without a ranker."""
    width = max(map(len, lists))
    neighbours, similarities = np.full((len(lists), width), NO_ITEM, np.int32), np.zeros((len(lists), width))
    for item, pairs in enumerate(lists):
        for column, (neighbour, similarity) in enumerate(pairs):
            neighbours[item, column], similarities[item, column] = neighbour, similarity
    source = ItemToItem("lists", neighbours, similarities)
    recommender = hand_made_pipeline([0.0], [0.0], popularity, depths=(1, 1), finalists=1)
    popular = Popularity(np.array(popularity, np.float32))
    proposers = [replace(recommender.proposers[0], source=source)]
    alone = Recommender(proposers, popular)
    return Explainer(alone, lambda name: {"lists": source}[name])


def test_the_counterfactual_of_two_actions_that_both_speak_for_the_item() -> None:
    #        item 0: 3 and 4; item 1: 3 and 5; item 2: 6; each by so much
    lists = [[(3, 1.0), (4, 0.5)], [(3, 1.0), (5, 0.75)], [(6, 0.25)], [], [], [], []]
    explainer = taste(lists, [1, 2, 3, 4, 5, 6, 7])
    evidence = explainer.explain(query_of([0, 1, 2]), 3, 1)
    assert (evidence.standing.rank, evidence.standing.score) == (1, 2.0)
    found = evidence.counterfactual
    assert found is not None
    assert sorted(found.without) == [0, 1]
    assert (found.rank, found.replacement) == (None, 6)  # item 2 still speaks for 6
    without = {share.item: (share.rank_without, share.score_without) for share in evidence.history}
    assert without == {0: (1, 1.0), 1: (1, 1.0), 2: (1, 2.0)}


def test_what_takes_the_place_is_rather_not_one_of_the_actions_that_were_left_out() -> None:
    lists = [[(3, 1.0), (2, 0.75)], [(0, 0.5), (4, 0.25)], [], [], []]
    found = taste(lists, [1, 2, 3, 4, 5]).explain(query_of([0, 1]), 3, 2).counterfactual
    assert found is not None  # the list is 3, 2; without item 0 it is 0, which is not seen any more, and 4
    assert (found.without, found.rank, found.replacement) == ((0,), None, 4)


def test_a_pair_of_three_actions_is_told_where_the_greedy_search_needs_all_three() -> None:
    # Item 3 has 0.625 + 0.5 + 0.5, item 4 has 0.75. Item 0 is the best one to leave out, and nothing is left of 4 then.
    lists = [[(3, 0.625), (4, 0.75)], [(3, 0.5)], [(3, 0.5)], [], []]
    found = taste(lists, [1, 2, 3, 4, 5]).explain(query_of([0, 1, 2]), 3, 1).counterfactual
    assert found is not None
    assert (sorted(found.without), found.rank, found.replacement) == ([1, 2], None, 4)


def test_no_three_actions_are_enough_for_an_item_that_everything_speaks_for() -> None:
    lists = [[(5, 1.0)], [(5, 1.0)], [(5, 1.0)], [(5, 1.0)], [(5, 1.0)], []]
    evidence = taste(lists, [1, 2, 3, 4, 5, 6]).explain(query_of([0, 1, 2, 3, 4]), 5, 1)
    found = evidence.counterfactual
    assert found is not None
    assert (found.without, found.rank, found.replacement) == ((), None, None)
