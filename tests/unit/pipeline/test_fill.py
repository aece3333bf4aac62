"""Popular items behind what sources propose: once, in one place, under the same rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline import allow
from recsys.pipeline.allow import Among, Restriction
from recsys.pipeline.recommender import Recommender
from tests.support.bundles import make_bundle
from tests.unit.pipeline.conftest import N_ITEMS, N_USERS


def by_popularity(bundle: Bundle) -> list[int]:
    """All items from the most popular one; the bundle's source says what comes first among equals."""
    nobody = Queries(bundle.histories.select([-1]), np.array([NO_ITEM], np.int32), np.zeros(1, int))
    order = bundle.source("popularity").propose(nobody, bundle.n_items).items[0].tolist()
    counts = np.bincount(bundle.histories.items, minlength=bundle.n_items)
    assert (np.diff(counts[order]) <= 0).all()
    return order


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("allowed", [np.ones(N_ITEMS, bool), np.arange(N_ITEMS) % 5 == 0, np.arange(N_ITEMS) % 41 == 7])
def test_a_source_that_runs_out_is_followed_by_the_most_popular_that_are_left(
    bundle: Bundle, recommender: Recommender, queries: Queries, allowed: np.ndarray, exclude_seen: bool
) -> None:
    source, k = bundle.source("transitions"), 40
    lists = recommender.recommend(queries, k, exclude_seen=exclude_seen, restrictions=[Among(allowed)], by=source)
    counts, short = np.bincount(bundle.histories.items, minlength=N_ITEMS), 0
    best = source.propose(queries, N_ITEMS, exclude_seen=exclude_seen)
    for user in range(N_USERS):
        own = [item for item in best.items[user].tolist() if item != NO_ITEM and allowed[item]][:k]
        seen = queries.histories.select([user]).items.tolist() if exclude_seen else []
        others = [item for item in by_popularity(bundle) if allowed[item] and item not in own and item not in seen]
        expected = [*own, *others][:k]
        assert lists.items[user].tolist() == expected + [NO_ITEM] * (k - len(expected))
        assert lists.personal[user] == len(own)
        filled = slice(len(own), len(expected))
        np.testing.assert_array_equal(lists.scores[user, filled], counts[expected[filled]])
        assert np.isnan(lists.retrieval_scores[user]).sum() == len(expected), "the two-tower was not asked"
        assert lists.proposed[user, :, 0].tolist() == [True] * len(own) + [False] * (k - len(own))
        assert (lists.scores[user, len(expected) :] == -np.inf).all()
        short += len(own) < min(len(expected), k)
    assert short > 5
    assert (lists.ranked_by, lists.sources, lists.ratings) == ("transitions", ("transitions",), None)


def test_one_source_alone_is_in_its_own_order(bundle: Bundle, recommender: Recommender, queries: Queries) -> None:
    lists = recommender.recommend(queries, 10, by=bundle.two_tower())
    best = bundle.two_tower().propose(queries, 10)
    own = lists.personal > 0
    np.testing.assert_array_equal(lists.items[own], best.items[own])
    np.testing.assert_array_equal(lists.retrieval_scores[own], lists.scores[own])
    assert set(lists.seconds) == {"query_tower", "ann", "ranking"}


def test_the_ranked_list_is_filled_up_too(
    recommender: Recommender, queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allow, "_SELECTIVE_DEPTH", 1)
    recommender = replace(recommender, proposers=[replace(one, depth=1) for one in recommender.proposers])
    lists = recommender.recommend(queries, 10, restrictions=[Among(np.arange(N_ITEMS) % 2 == 0)])
    assert (lists.items != NO_ITEM).all()
    known = np.flatnonzero(lists.personal)
    assert len(known) > 5
    assert (lists.personal < 10).any()
    assert (lists.items % 2 == 0).all()
    for user in known:
        personal = lists.personal[user]
        assert lists.proposed[user, :personal].any(axis=1).all()
        assert not lists.proposed[user, personal:].any()
        assert np.isfinite(lists.ratings[user, :personal]).all()
        assert np.isnan(lists.ratings[user, personal:]).all()
        assert len(set(lists.items[user].tolist())) == 10
        assert not np.isin(lists.items[user], queries.histories.select([user]).items).any()


@dataclass
class SameParityAsUser(Restriction):
    """A rule of its own for each query."""

    def allows(self, queries: Queries, items: np.ndarray) -> np.ndarray:
        return items % 2 == queries.users[:, None] % 2


def test_a_rule_may_differ_from_query_to_query(recommender: Recommender, queries: Queries) -> None:
    lists = recommender.recommend(queries, 50, restrictions=[SameParityAsUser(), Among(np.arange(N_ITEMS) > 9)])
    for user in range(N_USERS):
        listed = lists.items[user][lists.items[user] != NO_ITEM]
        assert len(listed)
        assert (listed % 2 == user % 2).all()
        assert (listed > 9).all()
        seen = queries.histories.select([user]).items
        left = np.setdiff1d(np.arange(10 + user % 2, N_ITEMS, 2), seen)
        assert len(listed) == min(50, len(left)), "as many as there are"
    assert (lists.personal < 50).any()


def test_nothing_is_allowed(recommender: Recommender, queries: Queries) -> None:
    lists = recommender.recommend(queries, 5, restrictions=[Among(np.zeros(N_ITEMS, bool))])
    assert (lists.items == NO_ITEM).all()
    assert (lists.scores == -np.inf).all()
    assert lists.fallback.all()


def test_a_catalogue_smaller_than_the_list(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, 20, 5)) as bundle:
        queries = Queries(bundle.histories.select([0, 4]), np.array([0, 4], np.int32), np.zeros(2, int))
        lists = bundle.recommender().recommend(queries, 50)
    seen = len(queries.histories.select([0]).items)
    assert (lists.items != NO_ITEM).sum(axis=1).tolist() == [20 - seen, 20]
    assert lists.items[1, :20].tolist() == by_popularity(bundle)
