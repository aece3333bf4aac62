from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.bundle import open_bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.evidence import Contributions
from recsys.explain.source_contributions import by_source, by_source_sum
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.popularity.source import Popularity
from tests.support.bundles import make_bundle
from tests.support.fixed_scores import FixedScores
from tests.support.rankers import ITEM, PRIMARY, REFERENCE, random_pair, random_ranker

LISTS = ItemToItem(
    "lists",
    np.array([[1, 2], [2, 3], [NO_ITEM, NO_ITEM], [NO_ITEM, NO_ITEM]], np.int32),
    np.array([[1, 0.5], [0.25, 2], [0, 0], [0, 0]]),
    decay=0.5,
)


def query(*items: int) -> Queries:
    history = Histories.from_rows(1, np.zeros(len(items), np.int64), np.array(items), np.arange(len(items)))
    return Queries(history, np.zeros(1, np.int32), np.zeros(1, np.int64))


def by_group(found: Contributions | None) -> dict[str, float]:
    assert found is not None
    return {one.group: one.value for one in found.groups}


def test_of_neighbour_lists_by_hand_all_is_the_histories() -> None:
    found = by_source(LISTS, query(0, 1), 3, 2)  # 3: 2 from item 1; 2: .25 from item 1, .5 * .5 from item 0
    assert found is not None
    assert (found.score, found.reference, found.reference_score) == (2, 2, 0.5)
    assert by_group(found) == {"history": 1.5, "lists": 0}
    alone = by_source(LISTS, query(0, 1), 3, None)
    assert alone is not None
    assert (alone.reference, alone.reference_score) == (None, 0)
    assert by_group(alone) == {"history": 2, "lists": 0}


def test_of_popularity_nothing_is_the_histories() -> None:
    assert by_group(by_source(Popularity(np.array([3, 1, 2], np.float32)), query(0), 2, 1)) == {
        "popularity": 1,
        "history": 0,
    }


def test_of_a_hybrid_by_hand() -> None:
    minus = FixedScores(np.array([[-3, -1, -np.inf, 4]], np.float32), "minus")
    hybrid = Hybrid({"lists": LISTS, "minus": minus}, {"lists": 2, "minus": 1})
    found = by_source(hybrid, query(0, 1), 3, 1)  # floors are 0 and -3
    assert by_group(found) == {"lists": 2 * 2 - 2 * 0.5, "minus": 7 - 2}
    assert found is not None
    assert (found.score, found.reference_score, found.additivity_error) == (11, 3, 0)


def test_an_item_without_a_score_has_no_contributions_and_is_no_reference() -> None:
    assert by_source(LISTS, query(0, 1), 0, 2) is None
    # It is compared with a score of 0 then.
    assert by_source(LISTS, query(0, 1), 2, 0) == by_source(LISTS, query(0, 1), 2, None)


def test_every_source_of_a_bundle_adds_up(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, 120, 30)) as bundle:
        for name in bundle.sources:
            source = bundle.source(name)
            for user in range(5):
                one = Queries(
                    bundle.histories.select(np.array([user])), np.array([user], np.int32), np.zeros(1, np.int64)
                )
                proposed = source.propose(one, 5)
                best = proposed.items[0].tolist()
                for reference in (best[-1], None):
                    found = by_source(source, one, best[0], None if reference == NO_ITEM else reference)
                    assert found is not None
                    assert found.additivity_error < 1e-5 * max(1, found.score)
                    assert found.score == proposed.scores[0, 0]
                    assert found.reference_score == (0 if found.reference is None else proposed.scores[0, -1])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_source_sums_differ_by_weight_times_score(seed: int) -> None:
    random = np.random.default_rng(seed)
    weights = {PRIMARY: 0.5, "transitions": 2.0, "ease": 1.5, "popularity": 0.25, "recent_popularity": 0.125}
    headings = {PRIMARY: 1, "transitions": 1, "bpr": 1, "popularity": 2, "price": 1}
    ranker = random_ranker(random, headings, {**weights, "bpr": 0.0})
    candidates = random_pair(random, ranker).ranked.candidates
    found = by_source_sum(ranker, candidates, 0, ITEM, REFERENCE)
    gaps = dict(
        zip(candidates.sources, candidates.scores[:, 0, ITEM] - candidates.scores[:, 0, REFERENCE], strict=True)
    )
    expected = {
        PRIMARY: 0.5 * gaps[PRIMARY],
        "transitions": 2 * gaps["transitions"],
        "ease": 1.5 * gaps["ease"],
        "popularity": 0.25 * gaps["popularity"] + 0.125 * gaps["recent_popularity"],
    }
    assert by_group(found) == pytest.approx(expected, abs=1e-6)
    assert (found.score, found.reference_score) == tuple(candidates.sums[0])
    assert found.additivity_error < 1e-5


def test_only_candidates_have_a_source_sum() -> None:
    random = np.random.default_rng(0)
    ranker = random_ranker(random, {PRIMARY: 1}, {PRIMARY: 1.0})
    with pytest.raises(ValueError, match="a candidate of query 0, got item 7"):
        by_source_sum(ranker, random_pair(random, ranker).ranked.candidates, 0, 7, REFERENCE)
