"""Cheap reasons, held against what every source says of its score on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.bundle import Bundle, open_bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.core.types import BoolArray, Float64Array
from recsys.explain.cheap import CheapReasons
from recsys.explain.fact import Kind
from recsys.explain.facts.from_sources import LEAST_LIKENESS
from recsys.pipeline.propose import Proposer
from recsys.pipeline.recommendations import Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.sources.base import Source
from recsys.sources.hybrid import Hybrid
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.two_tower.source import TwoTowerSource
from tests.support.bundles import MAX_HISTORY, START, make_bundle
from tests.support.toy_source import NextItem

N_ITEMS, N_USERS, K = 120, 40, 12
NOTHING = -1


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("cheap"), N_ITEMS, N_USERS))


@pytest.fixture(scope="module")
def recommender(bundle: Bundle) -> Recommender:
    return bundle.recommender()


def random_queries(seed: int) -> Queries:
    """Histories of 0 to 14 items, some more than once, of different weights; the first and the last have none."""
    random = np.random.default_rng(seed)
    sizes = random.integers(0, 15, N_USERS)
    sizes[[0, -1]] = 0
    rows = np.repeat(np.arange(N_USERS), sizes)
    items = random.integers(0, N_ITEMS, len(rows))
    items[3::4] = items[2::4][: len(items[3::4])]
    times, weights = START + 86_400 * np.arange(len(rows)), random.integers(1, 5, len(rows))
    histories = Histories.from_rows(N_USERS, rows, items, times, weights=weights)
    assert histories.lengths.max() > MAX_HISTORY
    return Queries(histories, np.full(N_USERS, -1, np.int32), np.full(N_USERS, START + 10**8))


def told(source: Source, query: Queries, item: int, hidden: BoolArray) -> tuple[float, dict[int, float]]:
    """The source's part by its own `why`, and the shares of items that may be named; a part of 0 where none may."""
    history = query.histories.items
    shares = source.why(query, np.array([[item]], np.int32)).by_position[0, 0]
    of_items = {int(one): float(shares[history == one].sum()) for one in set(history.tolist())}
    part = float(shares.sum())
    if isinstance(source, TwoTowerSource):
        assert source.match is not None
        text = source.item_embeddings[:, -source.match.dim :].astype(np.float64)
        read = history[-source.tower.max_history :]
        part -= float(source.match.weights(len(read)) @ (text[read] @ text.mean(axis=0)))
    named = {one: share for one, share in of_items.items() if share > 0 and one != item and not hidden[one]}
    if isinstance(source, ItemToItem) and source.similar_by == "content":
        first = source.neighbours[:, : max(10, N_ITEMS // 100)]
        named = {one: share for one, share in named.items() if item in first[one]}
    if named and isinstance(source, TwoTowerSource):
        best = max(named, key=lambda one: named[one])
        if text[item] @ text[best] < LEAST_LIKENESS * np.linalg.norm(text[item]) * np.linalg.norm(text[best]):
            named = {}
    return (part, named) if named else (0.0, {})


def of_the_user_alone(
    reasons: CheapReasons, query: Queries, item: int, parts: Float64Array, shares: list[dict[int, float]]
) -> bool:
    """Whether the largest part is one of behaviour that the user may be the only one to stand behind."""
    largest = int(parts.argmax())
    one = max(shares[largest], key=lambda other: shares[largest][other])
    supporters = reasons.sources[largest].supporters(one, item)
    return item in query.histories.items and supporters is not None and supporters <= 1


def assert_told(reasons: CheapReasons, queries: Queries, lists: Recommendations) -> int:
    """Every reason is the largest part that names an item, with the item of the largest share; how many name one."""
    found, named = reasons.of(queries, lists), 0
    assert found.items.shape == lists.items.shape
    for row in range(len(queries)):
        query = queries.select([row])
        for column, item in enumerate(lists.personal_items[row].tolist()):
            if item == NO_ITEM:
                assert found.sources[row, column] == found.positions[row, column] == NOTHING
                assert found.items[row, column] == NO_ITEM
                assert not found.taste[row, column]
                continue
            parts: Float64Array = np.zeros(len(reasons.sources))
            shares: list[dict[int, float]] = []
            for number, source in enumerate(reasons.sources):
                part, of_items = told(source, query, item, reasons.hidden)
                parts[number] = reasons.weights[source.name] * part
                shares.append(of_items)
            most = parts.max(initial=0)
            chosen = int(found.sources[row, column])
            if chosen == NOTHING:
                assert most <= 1e-6 or of_the_user_alone(reasons, query, item, parts, shares)
                continue
            named += 1
            assert found.parts[row, column] == pytest.approx(parts[chosen], rel=1e-4, abs=1e-5)
            assert parts[chosen] == pytest.approx(most, rel=1e-4, abs=1e-5)
            of_items, one = shares[chosen], int(found.items[row, column])
            assert of_items[one] == pytest.approx(max(of_items.values()), rel=1e-4, abs=1e-6)
            latest = np.flatnonzero(query.histories.items == one)[-1]
            assert found.positions[row, column] == latest
    return named


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_the_largest_part_names_the_item_of_the_largest_share(
    recommender: Recommender, seed: int, exclude_seen: bool
) -> None:
    queries = random_queries(seed)
    lists = recommender.recommend(queries, K, exclude_seen=exclude_seen)
    reasons = CheapReasons.of_recommender(recommender)
    assert {source.name for source in reasons.sources} == {
        "two_tower",
        "neighbours_bm25",
        "transitions",
        "content_encoder",
    }
    assert assert_told(reasons, queries, lists) > K * N_USERS / 2
    chosen = reasons.of(queries, lists).sources
    assert set(range(len(reasons.sources))) <= set(chosen.ravel().tolist())


@pytest.mark.parametrize("name", ["two_tower", "transitions", "content_encoder", "hybrid", "blend"])
def test_lists_of_one_source_are_explained_by_it(bundle: Bundle, recommender: Recommender, name: str) -> None:
    queries, source = random_queries(2), bundle.source(name)
    lists = recommender.recommend(queries, K, by=source)
    reasons = CheapReasons.of_source(source)
    assert [one.name for one in reasons.sources] == (list(source.members) if isinstance(source, Hybrid) else [name])
    assert assert_told(reasons, queries, lists) > K


def test_hidden_items_are_never_named(recommender: Recommender) -> None:
    queries, hidden = random_queries(0), np.arange(N_ITEMS) % 2 == 0
    lists = recommender.recommend(queries, K)
    reasons = CheapReasons.of_recommender(recommender, hidden)
    assert assert_told(reasons, queries, lists) > K
    named = reasons.of(queries, lists).items
    assert (named[named != NO_ITEM] % 2 == 1).all()


def test_kinds_follow_from_what_a_source_was_fitted_on(bundle: Bundle) -> None:
    kinds = {name: CheapReasons.of_source(bundle.source(name)).kinds[0] for name in bundle.sources}
    assert kinds["two_tower"] is kinds["content_encoder"] is Kind.SIMILAR_TEXT
    assert kinds["transitions"] is Kind.NEXT_PURCHASE
    assert kinds["neighbours_bm25"] is Kind.CO_PURCHASE
    assert kinds["bpr"] is Kind.TASTE
    assert kinds["popularity"] is None


def test_factors_are_a_taste_that_names_no_item(bundle: Bundle, recommender: Recommender) -> None:
    queries, source = random_queries(0), bundle.source("bpr")
    lists = recommender.recommend(queries, K, by=source)
    found = CheapReasons.of_source(source).of(queries, lists)
    assert (found.items == NO_ITEM).all()
    np.testing.assert_array_equal(found.taste, lists.personal_items != NO_ITEM)
    assert found.taste.any()


def test_a_two_tower_without_a_text_part_is_a_taste(recommender: Recommender) -> None:
    primary = recommender.primary
    assert isinstance(primary, TwoTowerSource)
    learned = TwoTowerSource(primary.tower, primary.item_embeddings, primary.index)
    plain = replace(recommender, ranker=None, proposers=[replace(recommender.proposers[0], source=learned)])
    queries = random_queries(0)
    lists = plain.recommend(queries, K)
    found = CheapReasons.of_recommender(plain).of(queries, lists)
    assert (found.items == NO_ITEM).all()
    np.testing.assert_array_equal(found.taste, lists.personal_items != NO_ITEM)


def test_popularity_is_no_reason_of_anyone(bundle: Bundle, recommender: Recommender) -> None:
    queries, source = random_queries(0), bundle.source("popularity")
    reasons = CheapReasons.of_source(source)
    found = reasons.of(queries, recommender.recommend(queries, K, by=source))
    assert not reasons.personal
    assert (found.items == NO_ITEM).all()
    assert not found.taste.any()


def test_a_borrowed_score_names_nothing(bundle: Bundle, recommender: Recommender) -> None:
    ranker = recommender.ranker
    assert ranker is not None
    new = int(ranker.scorer.loans.borrowers[0])
    queries = random_queries(0)
    items = np.full((N_USERS, 1), new, np.int32)
    scores = recommender.read(queries).scores(["transitions"], items, ranker.scorer.loans)[0, :, 0]
    assert (scores > 0).any()
    lists = recommender.recommend(queries, 1, by=bundle.source("transitions"))
    lists = replace(lists, items=items, popular=np.arange(items.shape[1])[None] >= np.ones((N_USERS, 1)))
    found = CheapReasons.of_source(bundle.source("transitions")).of(queries, lists)
    assert (found.items == NO_ITEM).all()


def test_the_worked_sums_of_two_neighbour_lists() -> None:
    # Item 3 is a neighbour of 0 and 1: by "bought" 0.5 and 0.25, by "viewed" 0.125 and 0.5.
    neighbours = np.array([[3], [3], [NO_ITEM], [NO_ITEM]], np.int32)

    def lists(name: str, similarities: list[float], support: list[int]) -> ItemToItem:
        shares = np.array([[one] for one in [*similarities, 0, 0]])
        behind = np.array([[one] for one in [*support, 0, 0]], np.uint16)
        return ItemToItem(name, neighbours, shares, decay=0.5, support=behind)

    sources = lists("bought", [0.5, 0.25], [3, 4]), lists("viewed", [0.125, 0.5], [5, 6])
    history = Histories.from_rows(1, np.zeros(3, np.int64), np.array([0, 1, 2]), np.arange(3))
    queries = Queries(history, np.array([-1], np.int32), np.zeros(1, np.int64))
    made = Hybrid({source.name: source for source in sources}, {"bought": 1.0, "viewed": 0.9})
    lists = Recommender([Proposer(made, 1)], made).recommend(queries, 1)
    found = CheapReasons.of_source(made).of(queries, lists)
    # Two steps back for item 0 and one for item 1. bought: 0.5 / 4 + 0.25 / 2 = 0.25; viewed: 0.125 / 4 + 0.5 / 2.
    assert found.parts.tolist() == [[pytest.approx(0.9 * 0.28125)]]
    assert found.items.tolist() == [[1]]
    assert found.positions.tolist() == [[1]]
    assert found.sources.tolist() == [[1]]
    assert found.counts.tolist() == [[6]]


def test_a_source_from_outside_is_asked_what_it_gives() -> None:
    class Followed(NextItem):
        similar_by = "behaviour"

        def supporters(self, item: int, other: int) -> int:
            return 7 if other == (item + 1) % N_ITEMS else 0

    source = Followed(N_ITEMS, 1, 2.0)
    source.name = "toy"
    queries = random_queries(3)
    lists = Recommender([Proposer(source, 1)], source).recommend(queries, 1)
    reasons = CheapReasons.of_source(source)
    assert reasons.kinds == (Kind.CO_PURCHASE,)
    assert not reasons.of_lists_alone  # it may look at the time
    unasked = NextItem(N_ITEMS, 1, 2.0)
    unasked.name = "unasked"
    assert CheapReasons.of_source(unasked).of_lists_alone
    assert assert_told(reasons, queries, lists) > N_USERS / 2
    found = reasons.of(queries, lists)
    assert set(found.counts[found.items != NO_ITEM].tolist()) == {7}
