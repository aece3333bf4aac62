"""What explanations say of reruns is what fresh calls give, for histories made of nothing but lists of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import Bundle, open_bundle
from recsys.bundle.layout import FULL
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.evidence import Evidence, Stage
from recsys.explain.explainer import Depth, Explainer
from recsys.explain.leave_one_out import MOST_TRIED
from recsys.pipeline.allow import Among, ExcludeSeen
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from tests.support.bundles import make_bundle

N_ITEMS = 60
RESTRICTIONS = {"not a third": Among(np.arange(N_ITEMS) % 3 != 0)}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("reruns"), N_ITEMS, 12))


@pytest.fixture(scope="module")
def recommenders(bundle: Bundle) -> dict[str, Recommender]:
    """As it is; with so few candidates and finalists that items are lost at every stage; and without a ranker."""
    stored = bundle.recommender()
    assert stored.ranker is not None
    narrow = [replace(proposer, depth=4) for proposer in stored.proposers]
    few = replace(stored, proposers=narrow, ranker=replace(stored.ranker, finalists=6))
    return {"wide": stored, "narrow": few, "no ranker": replace(stored, ranker=None)}


@dataclass(frozen=True)
class Asked:
    """One question, of which everything is drawn."""

    recommender: str
    model: str
    history: list[int]
    bought: list[int] | None
    item: int
    k: int
    exclude_seen: ExcludeSeen
    ruled: bool

    @property
    def options(self) -> dict[str, Any]:
        return {"exclude_seen": self.exclude_seen, "restrictions": RESTRICTIONS if self.ruled else {}}

    def fresh(self, bundle: Bundle, recommender: Recommender, without: Sequence[int]) -> Recommendations:
        """What a user gets who had never had to do with those items, told to the recommender from scratch."""
        query = told([item for item in self.history if item not in without], self.history)
        if self.bought is not None:
            bought = told([item for item in self.bought if item not in without], self.bought)
            query = replace(query, bought=bought.histories)
        rules = tuple(self.options["restrictions"].values())
        if self.model == FULL:
            return recommender.recommend(query, self.k, exclude_seen=self.exclude_seen, restrictions=rules)
        source = bundle.source(self.model)
        return recommender.recommend(query, self.k, exclude_seen=self.exclude_seen, restrictions=rules, by=source)


def told(items: list[int], whole: list[int]) -> Queries:
    """A query of the items, each at the time at which it stands in the whole history."""
    kept = [position for position, item in enumerate(whole) if item in items]
    times = 1000 * np.array(kept, np.int64)
    stars = np.array([position % 5 + 1 for position in kept], np.float32)
    taken = np.array([whole[position] for position in kept], np.int64)
    history = Histories.from_rows(1, np.zeros(len(kept), np.int64), taken, times, stars)
    return Queries(history, np.array([-1], np.int32), np.array([10**6]))


items = st.integers(0, N_ITEMS - 1)
questions = st.builds(
    Asked,
    recommender=st.sampled_from(["wide", "narrow", "no ranker"]),
    model=st.sampled_from([FULL, FULL, FULL, "transitions", "two_tower", "hybrid"]),
    history=st.lists(items, max_size=9),
    bought=st.none() | st.lists(items, max_size=3),
    item=items,
    k=st.sampled_from([1, 3, 10, 45, 80]),
    exclude_seen=st.sampled_from([True, True, False, "purchases"]),
    ruled=st.booleans(),
)
several = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def explained(bundle: Bundle, recommenders: dict[str, Recommender], asked: Asked, depth: Depth = "full") -> Evidence:
    query = told(asked.history, asked.history)
    if asked.bought is not None:
        query = replace(query, bought=told(asked.bought, asked.bought).histories)
    explainer = Explainer(recommenders[asked.recommender], bundle.source)
    return explainer.explain(query, asked.item, asked.k, model=asked.model, depth=depth, **asked.options)


def listed(lists: Recommendations) -> list[int]:
    return [item for item in lists.items[0].tolist() if item != NO_ITEM]


def close(left: float, right: float) -> bool:
    """But for the rounding of products of one row and of several."""
    return abs(left - right) <= 1e-4


@given(asked=questions)
@several
def test_every_rank_without_an_item_is_that_of_a_fresh_call(
    bundle: Bundle, recommenders: dict[str, Recommender], asked: Asked
) -> None:
    evidence = explained(bundle, recommenders, asked)
    assert sorted(share.item for share in evidence.history) == sorted(set(asked.history))
    for share in evidence.history:
        assert share.tried
        lists = asked.fresh(bundle, recommenders[asked.recommender], [share.item])
        personal = listed(lists)[: lists.personal[0]]
        if share.rank_without is not None and share.rank_without <= len(personal):
            own = lists.scores[0, share.rank_without - 1]
            assert share.score_without is not None
            assert close(share.score_without, own)
            if personal[share.rank_without - 1] != asked.item:  # it changed places with one of the same score
                assert close(lists.scores[0, personal.index(asked.item)], own)
        else:
            assert asked.item not in personal


@given(asked=questions)
@several
def test_without_the_counterfactual_the_item_is_not_listed_and_no_part_of_it_would_do(
    bundle: Bundle, recommenders: dict[str, Recommender], asked: Asked
) -> None:
    recommender = recommenders[asked.recommender]
    before = asked.fresh(bundle, recommender, [])
    if not before.personal[0]:
        return
    asked = replace(asked, item=listed(before)[asked.item % int(before.personal[0])])
    evidence = explained(bundle, recommenders, asked)
    assert evidence.standing.stage == Stage.LISTED
    found = evidence.counterfactual
    if not asked.history:  # popularity alone proposes to nobody
        assert found is None
        return
    assert found is not None
    distinct = sorted(set(asked.history))
    assert set(found.without) <= set(distinct)
    if found.without:
        after = asked.fresh(bundle, recommender, found.without)
        assert asked.item not in listed(after)
        new = [item for item in listed(after) if item not in listed(before)]
        others = [item for item in new if item not in found.without]
        assert found.replacement == next(iter(others or new), None)
    for size in range(1, len(found.without)):
        for part in combinations(found.without, size):
            assert asked.item in listed(asked.fresh(bundle, recommender, part))
    if len(found.without) != 1:
        for each in distinct:
            assert asked.item in listed(asked.fresh(bundle, recommender, [each]))


@given(asked=questions)
@settings(several, max_examples=60)
def test_the_same_question_has_the_same_answer(
    bundle: Bundle, recommenders: dict[str, Recommender], asked: Asked
) -> None:
    first, second = (explained(bundle, recommenders, asked) for _ in range(2))
    assert repr(first) == repr(second)  # NaN is not equal to itself


def test_of_a_long_history_the_latest_and_the_most_influential_items_are_tried(
    bundle: Bundle, recommenders: dict[str, Recommender]
) -> None:
    history = list(range(MOST_TRIED + 15))
    asked = Asked("wide", FULL, history, None, 55, 5, True, False)
    evidence = explained(bundle, recommenders, asked)
    tried = [share.item for share in evidence.history if share.tried]
    assert len(tried) == MOST_TRIED
    latest = set(history[-MOST_TRIED // 2 :])
    assert latest <= set(tried)
    shallow = explained(bundle, recommenders, asked, "cheap")
    influential = [share.item for share in shallow.history if share.item not in latest]
    assert set(tried) - latest == set(influential[: MOST_TRIED - len(latest)])
    untried = next(share for share in evidence.history if not share.tried)
    assert (untried.rank_without, untried.score_without) == (None, None)
