"""Facts: true by hand and by an oracle, standing for contributions, personal only where they may be."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import Bundle, ItemRecord, open_bundle
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM, Queries
from recsys.explain.actions import Actions
from recsys.explain.evidence import (
    Borrowed,
    Contribution,
    Contributions,
    Evidence,
    HistoryShare,
    SourceOpinion,
    Stage,
    Standing,
)
from recsys.explain.explainer import Explainer
from recsys.explain.fact import Fact, Kind
from recsys.explain.facts import FactBase, Past, facts_of, from_sources, item_facts
from recsys.explain.sensitive import SENSITIVE_CATEGORIES, SensitiveNames
from recsys.pipeline.recommender import Recommender
from recsys.sources.item_to_item.source import ItemToItem
from tests.support import bundles
from tests.support.bundles import make_bundle
from tests.support.fact_bases import fact_base
from tests.support.fact_oracle import KINDS_OF_A_LIST, falsehoods
from tests.support.serving import query_of

N_ITEMS, N_USERS = 120, 40
WEIGHTS = {
    "two_tower_gap": 1.0,
    "transitions_share": 3.0,
    "neighbours_bm25_share": 1.0,
    "content_encoder_share": 0.5,
    "bpr_share": 0.5,
    "log_count": 0.4,
    "trend": 0.7,
    "price_distance": -1.0,
    "brand_share": 1.0,
    "category_share": 1.0,
    "predicted_rating": 0.5,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    """Its ranker makes something of every feature."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundles, "RANKER_WEIGHTS", WEIGHTS)
        yield open_bundle(make_bundle(tmp_path_factory.mktemp("facts"), n_items=N_ITEMS, n_users=N_USERS, seed=3))


@pytest.fixture(scope="module")
def recommender(bundle: Bundle) -> Recommender:
    return bundle.recommender()


@pytest.fixture(scope="module")
def explainer(bundle: Bundle, recommender: Recommender) -> Explainer:
    return Explainer(recommender, bundle.source)


@pytest.fixture(scope="module")
def base(bundle: Bundle) -> FactBase:
    return fact_base(bundle)


@pytest.fixture
def supported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four users stand behind any two items, which are described alike, too."""
    monkeypatch.setattr(from_sources, "described_alike", lambda *_: True)
    monkeypatch.setattr(ItemToItem, "supporters", lambda lists, *_: None if lists.support is None else 4)


def past_of(bundle: Bundle, query: Queries) -> Past:
    return Past.of(query.histories, Actions.of(bundle).of_history(query.histories))


@given(st.integers(0, N_USERS - 2), st.integers(0, N_ITEMS - 1), st.integers(0, 9), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_fact_is_true(
    bundle: Bundle, recommender: Recommender, explainer: Explainer, base: FactBase, user: int, item: int, place: int,
    listed: bool,
) -> None:  # fmt: skip
    query = query_of(bundle, user)
    if listed:
        item = int(recommender.recommend(query, 10).items[0, place])
    evidence = explainer.explain(query, item, 10, depth="cheap")
    facts = facts_of(evidence, base, past_of(bundle, query))
    assert falsehoods(facts, bundle, query, evidence) == []
    assert [fact.id for fact in facts] == [f"f{n}" for n in range(1, len(facts) + 1)]
    strengths = [fact.strength for fact in facts if fact.kind is not Kind.RULE]
    assert strengths == sorted(strengths, reverse=True)
    assert all((fact.polarity == "for") == (fact.strength > 0) for fact in facts if fact.kind is not Kind.RULE)


def test_the_kinds_that_were_looked_at_are_all_there_are(
    bundle: Bundle, recommender: Recommender, explainer: Explainer, base: FactBase
) -> None:
    """So that the test above looks at every kind, and at reasons of every kind but rules."""
    found, reasons = set(), set()
    for user in range(N_USERS - 1):
        query = query_of(bundle, user)
        listed = recommender.recommend(query, 10).items[0].tolist()
        for item in (*listed, int(query.histories.items[0])):
            evidence = explainer.explain(query, item, 10, depth="cheap")
            facts = facts_of(evidence, base, past_of(bundle, query))
            assert falsehoods(facts, bundle, query, evidence) == []
            found |= {fact.kind for fact in facts}
            reasons |= {fact.kind for fact in facts if fact.polarity == "for" and fact.strength > 0}
    assert found == KINDS_OF_A_LIST
    assert reasons == KINDS_OF_A_LIST - {Kind.RULE}


@pytest.mark.parametrize("model", ["two_tower", "hybrid", "transitions", "neighbours_bm25", "content_encoder", "bpr"])
def test_facts_of_a_source_alone_are_true(bundle: Bundle, explainer: Explainer, base: FactBase, model: str) -> None:
    for user in range(0, N_USERS - 1, 4):
        query = query_of(bundle, user)
        for item in explainer.recommender.recommend(query, 5, by=bundle.source(model)).items[0].tolist():
            if item == NO_ITEM:
                continue
            evidence = explainer.explain(query, item, 5, model=model, depth="cheap")
            facts = facts_of(evidence, base, past_of(bundle, query))
            assert falsehoods(facts, bundle, query, evidence) == []
            if evidence.standing.stage is Stage.LISTED:
                assert {fact.kind for fact in facts} <= _kinds(model)


def _kinds(model: str) -> set[Kind]:
    kinds = {
        "two_tower": {Kind.TASTE, Kind.SIMILAR_TEXT},
        "transitions": {Kind.NEXT_PURCHASE, Kind.CO_PURCHASE},
        "neighbours_bm25": {Kind.CO_PURCHASE},
        "content_encoder": {Kind.SIMILAR_TEXT},
    }
    return kinds.get(model, {Kind.TASTE})


@pytest.mark.parametrize(
    ("transitions", "bm25", "expected"),
    [
        (3, 5, [(Kind.NEXT_PURCHASE, 3, 0.6), (Kind.CO_PURCHASE, 5, 0.4)]),
        (3, 0, [(Kind.NEXT_PURCHASE, 3, 0.6)]),
        (0, 0, [(Kind.CO_PURCHASE, 1, 0.6)]),
        (0, 1, [(Kind.CO_PURCHASE, 1, 1.0)]),
        (0, 5, [(Kind.CO_PURCHASE, 5, 1.0)]),
        (None, 2, [(Kind.CO_PURCHASE, 2, 0.4)]),
        (None, None, []),
    ],
)
def test_what_is_said_of_behaviour_is_what_users_did(
    base: FactBase,
    monkeypatch: pytest.MonkeyPatch,
    transitions: int | None,
    bm25: int | None,
    expected: list[tuple[Kind, int, float]],
) -> None:
    """Of the 0.6 and 0.4 that both sources contribute; what both say of one item is one fact."""
    supporters = {"transitions": transitions, "neighbours_bm25": bm25}
    monkeypatch.setattr(ItemToItem, "supporters", lambda lists, *_: supporters[lists.name])
    evidence = evidence_of(
        50,
        {"transitions": 0.6, "neighbours_bm25": 0.4},
        sources=(opinion("transitions"), opinion("neighbours_bm25")),
        history=(share(3, transitions=2.0, neighbours_bm25=1.0),),
    )
    facts = facts_of(evidence, base, past(3))
    assert [(fact.kind, fact.count, fact.strength) for fact in facts] == [
        (kind, count, pytest.approx(strength)) for kind, count, strength in expected
    ]


def test_popular_items_claim_nothing_personal(bundle: Bundle, explainer: Explainer, base: FactBase) -> None:
    nobody = query_of(bundle, N_USERS - 1)
    for item in explainer.recommender.recommend(nobody, 5).items[0].tolist():
        evidence = explainer.explain(nobody, item, 5)
        (fact,) = facts_of(evidence, base, past_of(bundle, nobody))
        assert (fact.kind, fact.personal, fact.polarity) == (Kind.POPULARITY, False, "for")
        assert fact.strength == evidence.standing.score
        assert falsehoods([fact], bundle, nobody, evidence) == []


def evidence_of(item: int, groups: dict[str, float], **more: object) -> Evidence:
    """Evidence of an item in a list, made by hand."""
    parts = tuple(Contribution(group, value) for group, value in groups.items())
    contributions = Contributions(1.0, None, 0.0, parts, 0.0)
    evidence = Evidence(item, "full", 10, Standing(Stage.LISTED, 1, 1.0), contributions, (), (), (), None, {})
    return replace(evidence, **more)  # type: ignore[arg-type]


def opinion(source: str, score: float = 1.0, **more: object) -> SourceOpinion:
    return replace(SourceOpinion(source, score, 1.0, 1, 20, True, 0.0), **more)  # type: ignore[arg-type]


def share(item: int, **shares: float) -> HistoryShare:
    return HistoryShare(item, (0,), shares, sum(shares.values()))


def told(facts: tuple[Fact, ...], kind: Kind) -> list[Fact]:
    return [fact for fact in facts if fact.kind is kind]


def past(*items: int, actions: tuple[str | None, ...] | None = None) -> Past:
    return Past(items, (None,) * len(items) if actions is None else actions)


@pytest.mark.usefixtures("supported")
def test_a_sources_contribution_is_shared_out_by_hand(base: FactBase) -> None:
    """Of transitions' 0.9 the item 3 with 2 of 3 parts gets 0.6; bm25 and the rest of its score halve 0.4."""
    evidence = evidence_of(
        50,
        {"transitions": 0.9, "neighbours_bm25": 0.4, "content_encoder": -0.5},
        sources=(opinion("transitions"), opinion("neighbours_bm25", rest=2.0), opinion("content_encoder")),
        history=(
            share(3, transitions=2.0, neighbours_bm25=2.0, content_encoder=1.0),
            share(5, transitions=1.0, content_encoder=0.0),
        ),
    )
    facts = facts_of(evidence, base, past(3, 5, 3, actions=("view", "purchase", "rating")))
    following = [(fact.history_item, fact.action, fact.value, fact.polarity) for fact in facts]
    assert following == [
        (3, "rating", "Thing 3, size 3", "for"),
        (5, "purchase", "Thing 5, size 5", "for"),
        (3, "rating", "Thing 3, size 3", "for"),
        (3, "rating", "Thing 3, size 3", "against"),
    ]
    assert [fact.kind for fact in facts] == [
        Kind.NEXT_PURCHASE,
        Kind.NEXT_PURCHASE,
        Kind.CO_PURCHASE,
        Kind.SIMILAR_TEXT,
    ]
    assert [fact.strength for fact in facts] == pytest.approx([0.6, 0.3, 0.2, -0.5])


@pytest.mark.usefixtures("supported")
def test_borrowed_scores_say_nothing_of_what_was_chosen(base: FactBase) -> None:
    evidence = evidence_of(
        50,
        {"transitions": 0.9},
        sources=(opinion("transitions"),),
        history=(share(3, transitions=2.0),),
    )
    assert len(facts_of(evidence, base, past(3))) == 1
    assert facts_of(replace(evidence, borrowed=(Borrowed("transitions", {4: 1.0}),)), base, past(3)) == ()


def test_taste_needs_a_good_rank(base: FactBase) -> None:
    def facts(rank: int | None) -> tuple[Fact, ...]:
        evidence = evidence_of(50, {"two_tower": 0.8}, sources=(opinion("two_tower", rank=rank, rest=3.0),))
        return facts_of(replace(evidence, history=(share(3, two_tower=1.0),)), base, past(3))

    (taste,) = told(facts(10), Kind.TASTE)
    assert (taste.value, taste.unit, taste.personal, taste.history_item) == (10, "rank", True, None)
    assert taste.strength == pytest.approx(0.6)
    assert told(facts(11), Kind.TASTE) == []
    both = evidence_of(50, {"two_tower": 0.8, "bpr": 0.2}, history=(share(3, bpr=1.0),))
    opinions = opinion("two_tower", rank=7, rest=1.0), opinion("bpr", rank=4)
    (taste,) = facts_of(replace(both, sources=opinions), base, past(3))
    assert (taste.value, taste.strength) == (4, pytest.approx(1.0))
    assert told(facts(None), Kind.TASTE) == []


def test_brand_and_category_by_hand(bundle: Bundle, base: FactBase) -> None:
    """Items 1, 11, 21 ... are of Brand 1 and Group 1; those of a row divisible by four have no brand."""
    evidence = evidence_of(1, {"brand": 0.25, "category": 0.5})
    facts = facts_of(evidence, base, past(11, 7, 21, 11, actions=("view", None, "purchase", "click")))
    (category,), (brand,) = told(facts, Kind.SHARED_CATEGORY), told(facts, Kind.SHARED_BRAND)
    assert (brand.value, brand.history_item, brand.action, brand.count, brand.strength) == (
        *("Brand 1", 11, "click", 2),
        0.25,
    )
    # Group 1 has 12 of 120 items, a tenth; "All" has all of them.
    assert (category.value, category.history_item, category.count, category.strength) == ("Group 1", 11, 2, 0.5)
    assert told(facts_of(evidence, base, past(7, 8)), Kind.SHARED_CATEGORY) == []
    assert told(facts_of(evidence_of(2, {"brand": 1.0}), base, past(12)), Kind.SHARED_BRAND) == []
    assert bundle.catalogue.items([12])[0].brand is None


def test_of_a_history_that_is_not_looked_at_as_a_whole_no_number_is_told(base: FactBase) -> None:
    """Of Brand 1 are 8 items beside item 1: those of rows 11, 21, ... that four does not divide."""
    evidence, others = evidence_of(1, {"brand": 0.25}), [row for row in range(N_ITEMS) if row % 10 != 1]
    sharing = [row for row in range(11, N_ITEMS, 10) if base.catalogue.items([row])[0].brand]

    def count(n_others: int) -> int:
        (brand,) = told(facts_of(evidence, base, past(*others[:n_others], *sharing)), Kind.SHARED_BRAND)
        assert brand.history_item == sharing[-1]
        return brand.count

    assert count(100 - len(sharing)) == len(sharing) > 1
    assert count(101 - len(sharing)) == 1


class Shelf:
    """A catalogue of a few items, of which the others have nothing."""

    def __init__(self, *records: ItemRecord) -> None:
        self.records = {record.row: record for record in records}

    def items(self, rows: tuple[int, ...]) -> list[ItemRecord]:
        return [self.records.get(row, ItemRecord(row, f"item{row}")) for row in rows]


def test_of_shared_categories_the_rarest_is_told(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hair has 12 of 120 items, just specific enough; Combs and Brushes have 3; Combs stands last."""
    path = ("Beauty", "Brushes", "Combs", "Hair")
    sizes = {"Beauty": 120, "Hair": 12, "Brushes": 3, "Combs": 3, "Care": 13}
    categories = {name: np.arange(size, dtype=np.int32) for name, size in sizes.items()}
    base = FactBase.of(bundle, SensitiveNames(), np.full(N_ITEMS, np.nan, np.float32), categories)

    def fact(*of_history: str) -> Fact | None:
        shelf = Shelf(ItemRecord(1, "a", categories=(*path, "Care")), ItemRecord(2, "b", categories=of_history))
        monkeypatch.setattr(bundle, "catalogue", shelf)
        facts = facts_of(evidence_of(1, {"category": 1.0}), base, past(2))
        return facts[0] if facts else None

    def told_category(*of_history: str) -> object:
        found = fact(*of_history)
        return None if found is None else found.value

    assert told_category(*path) == "Combs"
    assert told_category("Beauty", "Hair", "Brushes") == "Brushes"
    assert told_category("Beauty", "Hair") == "Hair"
    assert told_category("Beauty", "Care") is None


@pytest.mark.parametrize("blank", ["", "  ", "\u202e", "-", "\u200b…"])
def test_what_has_no_name_is_not_told(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    categories = {blank: np.array([1, 2], np.int32), "Combs": np.array([1], np.int32)}
    base = FactBase.of(bundle, SensitiveNames(), np.full(N_ITEMS, np.nan, np.float32), categories)
    records = [ItemRecord(row, f"item{row}", brand=blank, categories=(blank,), price=-1.0) for row in (1, 2)]
    monkeypatch.setattr(bundle, "catalogue", Shelf(*records))
    assert facts_of(evidence_of(1, {"brand": 1.0, "category": 1.0}), base, past(2)) == ()
    named = {fact.kind for fact in item_facts(base, 1)}
    assert not named & {Kind.BRAND, Kind.CATEGORY, Kind.PRICE}
    monkeypatch.setattr(bundle, "catalogue", Shelf(replace(records[0], categories=("Combs", blank))))
    assert [fact.value for fact in item_facts(base, 1) if fact.kind is Kind.CATEGORY] == ["Combs"]


def test_price_near_the_habit_by_hand(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices 10, two steps back, and 20: the habit is the exponential of (0.64 ln 10 + ln 20) / 1.64, about 15.26."""
    given = {1: 10.0, 2: 20.0, 3: 18.3, 4: 18.5, 5: 11.75, 6: 15.0}
    prices = np.full(N_ITEMS, np.nan, np.float32)
    prices[list(given)] = list(given.values())
    base = FactBase.of(bundle, SensitiveNames(), prices, {})
    shelf = Shelf(*(ItemRecord(row, f"item{row}", price=price) for row, price in given.items()))
    monkeypatch.setattr(bundle, "catalogue", shelf)

    def facts(item: int, value: float = 0.5, reference: int | None = None) -> tuple[Fact, ...]:
        evidence = evidence_of(item, {"price": value})
        assert evidence.contributions is not None
        contributions = replace(evidence.contributions, reference=reference)
        return facts_of(replace(evidence, contributions=contributions), base, past(1, 50, 2))

    (near,) = facts(3)
    assert (near.kind, near.value, near.unit, near.personal, near.strength) == (
        *(Kind.PRICE_NEAR_HABIT, 18.3, "price", True),
        0.5,
    )
    assert facts(5) == ()  # 11.75 is less than 15.26 / 1.25
    assert facts(6) == ()  # near the habit, and near no price of the history
    assert len(facts(4, reference=5)) == 1
    assert facts(4, reference=3) == ()  # 18.3 is nearer
    (against,) = facts(5, -0.5)
    assert (against.polarity, against.value) == ("against", 11.75)
    assert facts(60, -0.5) == ()  # of unknown price


def test_ratings_by_hand(bundle: Bundle, base: FactBase) -> None:
    rated = [item for item in range(N_ITEMS) if base.rating_count(item) >= 5]
    best = max(rated, key=base.mean_rating)
    worst = min(rated, key=base.mean_rating)
    assert base.mean_rating(best) > base.usual_rating > base.mean_rating(worst)
    (fact,) = facts_of(evidence_of(best, {"rating": 0.5}), base, past())
    assert (fact.kind, fact.count, fact.personal) == (Kind.AVERAGE_RATING, base.rating_count(best), False)
    assert facts_of(evidence_of(worst, {"rating": 0.5}), base, past()) == ()
    (against,) = facts_of(evidence_of(worst, {"rating": -0.5}), base, past())
    assert against.polarity == "against"
    predicted = evidence_of(worst, {"rating": 0.5}, features={"predicted_rating": 0.75})
    (fact,) = facts_of(predicted, base, past())
    assert bundle.rating_predictor is not None
    assert fact.value == pytest.approx(bundle.rating_predictor.statistics.global_mean + 0.75)
    (high,) = facts_of(replace(predicted, features={"predicted_rating": 99.0}), base, past())
    assert high.value == 5.0
    assert facts_of(replace(predicted, features={"predicted_rating": -0.1}), base, past()) == ()


def test_no_rating_is_predicted_where_there_are_none(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, n_items=40, n_users=10, ratings=False)) as bundle:
        base = fact_base(bundle)
        evidence = evidence_of(1, {"rating": 0.5}, features={"predicted_rating": 0.75})
        assert told(facts_of(evidence, base, past()), Kind.PREDICTED_RATING) == []


def test_trend_and_popularity_against_the_reference(base: FactBase) -> None:
    """Of two popular items, and of two on the rise, the one that is behind has no reason in that."""
    assert base.trends is not None
    popular = sorted(range(N_ITEMS), key=base.popularity_rank)
    first, later = popular[0], next(item for item in popular if 1 < base.popularity_rank(item) <= 10)
    rising = np.flatnonzero(base.trends >= np.log(1.3)).tolist()
    most, less = max(rising, key=base.trends.item), min(rising, key=base.trends.item)

    def kinds(item: int, reference: int) -> set[Kind]:
        evidence = evidence_of(item, {"popularity": 1.0})
        assert evidence.contributions is not None
        contributions = replace(evidence.contributions, reference=reference)
        return {fact.kind for fact in facts_of(replace(evidence, contributions=contributions), base, past())}

    assert Kind.POPULARITY in kinds(first, later)
    assert Kind.POPULARITY not in kinds(later, first)
    assert Kind.TREND in kinds(most, less)
    assert Kind.TREND not in kinds(less, most)


def test_nothing_in_the_worse_half_of_a_small_shop_is_popular_or_fits(tmp_path: Path) -> None:
    with open_bundle(make_bundle(tmp_path, n_items=8, n_users=30)) as bundle:
        base = fact_base(bundle)
        counts = np.bincount(bundle.histories.items, minlength=8).tolist()
        popular = {item for item in range(8) if sum(count > counts[item] for count in counts) < 4}
        for item in range(8):
            evidence = evidence_of(item, {"popularity": 1.0})
            assert bool(told(facts_of(evidence, base, past()), Kind.POPULARITY)) is (item in popular)
            assert bool(told(item_facts(base, item), Kind.POPULARITY)) is (item in popular)
        for rank in range(1, 9):
            evidence = evidence_of(5, {"two_tower": 0.8}, sources=(opinion("two_tower", rank=rank, rest=3.0),))
            assert bool(told(facts_of(evidence, base, past(3)), Kind.TASTE)) is (rank <= 4)


def test_what_nobody_chose_is_not_popular(bundle: Bundle, base: FactBase) -> None:
    """Three items were ever chosen: all others share rank 4, which is among the first ten."""
    quiet = FactBase(bundle, base.sensitive_names, base.prices, base.sensitive, base.category_sizes)
    quiet.__dict__["popularity"] = np.array([3, 2, 1] + [0] * (N_ITEMS - 3), np.float32)
    for item, popular in enumerate([True] * 3 + [False] * 3):
        facts = facts_of(evidence_of(item, {"popularity": 1.0}), quiet, past())
        assert bool(told(facts, Kind.POPULARITY)) is popular


@pytest.mark.usefixtures("supported")
def test_a_filler_with_a_history_is_popular_and_nothing_else(base: FactBase) -> None:
    """Where filters leave too little, sources may know the popular item as well: that is not why it is there."""
    evidence = evidence_of(
        50,
        {},
        standing=Standing(Stage.FILLED, 3, 7.0),
        contributions=None,
        sources=(opinion("transitions"), opinion("two_tower", rest=3.0)),
        history=(share(3, transitions=2.0),),
    )
    (fact,) = facts_of(evidence, base, past(3))
    assert (fact.kind, fact.strength) == (Kind.POPULARITY, base.popularity[50])


@pytest.mark.usefixtures("supported")
def test_an_item_that_is_chosen_again_is_not_compared_with_itself(base: FactBase) -> None:
    evidence = evidence_of(
        1,
        {"brand": 1.0, "category": 1.0, "transitions": 1.0},
        sources=(opinion("transitions"),),
        history=(share(1, transitions=2.0),),
    )
    assert facts_of(evidence, base, past(1)) == ()
    assert {fact.count for fact in facts_of(evidence, base, past(1, 11))} == {1}


@pytest.mark.parametrize(
    ("supporters", "chosen", "told_of"), [(1, False, 1), (1, True, None), (4, False, 4), (4, True, 1)]
)
def test_the_user_is_no_customer_to_be_told_of(
    base: FactBase, monkeypatch: pytest.MonkeyPatch, supporters: int, chosen: bool, told_of: int | None
) -> None:
    """Who chose both items before is one of those who did."""
    monkeypatch.setattr(ItemToItem, "supporters", lambda *_: supporters)
    evidence = evidence_of(
        50, {"transitions": 1.0}, sources=(opinion("transitions"),), history=(share(3, transitions=2.0),)
    )
    facts = facts_of(evidence, base, past(50, 3) if chosen else past(3))
    assert [fact.count for fact in facts] == ([] if told_of is None else [told_of])


def test_rules_are_told_and_are_no_reason(base: FactBase) -> None:
    facts = facts_of(evidence_of(1, {}), base, past(), ["brand"])
    assert [(fact.kind, fact.value, fact.polarity, fact.strength) for fact in facts] == [
        (Kind.RULE, "brand", "for", 0.0)
    ]
    forbidden = Evidence(
        1, "full", 10, Standing(Stage.FORBIDDEN, forbidden_by=("seen", "brand")), None, (), (), (), None, {}
    )
    facts = facts_of(forbidden, base, past(), ["brand", "max_price"])
    assert [(fact.value, fact.polarity) for fact in facts] == [
        ("max_price", "for"),
        ("seen", "against"),
        ("brand", "against"),
    ]


@pytest.mark.usefixtures("supported")
def test_what_is_sensitive_is_withheld(bundle: Bundle) -> None:
    base = fact_base(bundle, SensitiveNames(("group 3",)))
    assert np.flatnonzero(base.sensitive).tolist() == list(range(3, N_ITEMS, 10))
    evidence = evidence_of(
        13,
        {"transitions": 1.0, "category": 0.5, "brand": 0.25},
        sources=(opinion("transitions"),),
        history=(share(3, transitions=2.0), share(5, transitions=1.0)),
    )
    facts = facts_of(evidence, base, past(3, 5, actions=("purchase", "view")))
    assert [(fact.kind, fact.value, fact.history_item, fact.action, fact.sensitive) for fact in facts] == [
        (Kind.NEXT_PURCHASE, "", None, None, True),
        (Kind.SHARED_CATEGORY, "", None, None, True),
        (Kind.NEXT_PURCHASE, "Thing 5, size 5", 5, "view", False),
        (Kind.SHARED_BRAND, "", None, None, True),
    ]
    assert [fact.strength for fact in facts] == pytest.approx([2 / 3, 0.5, 1 / 3, 0.25])


def test_a_brand_is_told_by_what_is_not_sensitive(bundle: Bundle) -> None:
    base = fact_base(bundle, SensitiveNames(()))
    sensitive = np.zeros(N_ITEMS, bool)
    sensitive[21] = True
    base = replace(base, sensitive=sensitive)
    (fact,) = facts_of(evidence_of(1, {"brand": 1.0}), base, past(11, 21))
    assert (fact.value, fact.history_item, fact.count, fact.sensitive) == ("Brand 1", 11, 1, False)


@pytest.mark.parametrize(
    ("category", "sensitive"),
    [
        ("Sexual Wellness", True),
        ("Health & Household > SEXUAL  wellness", True),
        ("Mature", True),
        ("Premature Babies", False),
        ("Toy Weapons & Armour", True),
        ("Beauty", False),
        ("Hair Loss Products", True),
        ("", False),
    ],
)
def test_sensitive_names(category: str, sensitive: bool) -> None:
    assert SensitiveNames().match(category) is sensitive
    assert not SensitiveNames(()).match(category)
    assert not SensitiveNames(("", " - ")).match(category)


def test_each_default_finds_itself() -> None:
    assert all(map(SensitiveNames().match, SENSITIVE_CATEGORIES))


@given(st.lists(st.text(max_size=8), max_size=3), st.text(max_size=20))
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_a_name(names: list[str], category: str) -> None:
    found = SensitiveNames(tuple(names)).match(category)
    assert found in (True, False)
    assert not found or names


def test_what_is_true_of_an_item_for_everyone(bundle: Bundle, base: FactBase) -> None:
    facts = item_facts(base, 1)
    assert [(fact.id, fact.kind, fact.value) for fact in facts][:3] == [
        ("f1", Kind.BRAND, "Brand 1"),
        ("f2", Kind.CATEGORY, "Group 1"),
        ("f3", Kind.PRICE, bundle.catalogue.items([1])[0].price),
    ]
    nobody = query_of(bundle, N_USERS - 1)
    told_kinds = set()
    for item in range(N_ITEMS):
        facts = item_facts(base, item)
        told_kinds |= {fact.kind for fact in facts}
        assert all(fact.polarity == "for" and fact.strength == 1 and not fact.personal for fact in facts)
        of_everyone = [fact for fact in facts if fact.kind in KINDS_OF_A_LIST]
        assert falsehoods(of_everyone, bundle, nobody, evidence_of(item, {})) == []
    assert told_kinds == {
        *(Kind.BRAND, Kind.CATEGORY, Kind.PRICE),
        *(Kind.AVERAGE_RATING, Kind.POPULARITY, Kind.TREND),
    }
    hidden = item_facts(fact_base(bundle, SensitiveNames(("Group 1",))), 1)
    assert [(fact.value, fact.sensitive) for fact in hidden if fact.kind is Kind.CATEGORY] == [("", True)]


def test_a_past_knows_the_last_action() -> None:
    assert past(3, 5, 3, actions=("view", None, "purchase")).last_action(3) == "purchase"
    history = Histories.from_rows(1, np.zeros(2, int), np.array([4, 2]), np.zeros(2, int))
    assert Past.of(history) == Past((4, 2), (None, None))
