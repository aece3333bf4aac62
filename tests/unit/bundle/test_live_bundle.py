"""A bundle seen with live items."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Attributes, Bundle, open_bundle
from recsys.bundle.overlay import LiveBundle, new_among
from recsys.core.item_changes import FieldValue, ItemChange
from recsys.core.queries import NO_ITEM, Queries
from recsys.sources.new_items import NewItems
from tests.support.bundles import make_bundle
from tests.support.live import (
    M,
    N,
    described,
    everyone,
    features_of,
    lists_of,
    new_items,
    of_whole,
    overlay,
    share_in_common,
    whole_and_part,
)

DIM = 8
STOCK = Attributes.of(
    {"stock": "number", "seller": "text", "used": "bool", "colours": "texts"},
    {
        "stock": [0 if row == 9 else 5 for row in range(N)],
        "seller": [f"seller{row % 3}" for row in range(N)],
        "used": [None if row % 2 else row % 4 == 0 for row in range(N)],
        "colours": [("red",) if row % 5 else None for row in range(N)],
    },
)
NEW = ItemChange(
    "neu", {"title": "New Thing", "brand": "Brand 3", "categories": ("All", "Group 3"), "price": 12.5, "seller": "you"}
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), attributes=STOCK)) as opened:
        yield opened


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bundle, LiveBundle]]:
    """A bundle that holds items nobody has chosen, and one that does not, seen with them as live items."""
    whole, part = whole_and_part(tmp_path_factory.mktemp("pair"))
    with whole, part:
        yield whole, LiveBundle(part, *of_whole(whole))


def test_items_of_the_bundle_keep_their_rows_and_new_ones_come_behind(bundle: Bundle) -> None:
    changes = [ItemChange("b"), ItemChange("item5", {"price": 1.0}), ItemChange("a", deleted=True)]
    assert [change.item_id for change in new_among(bundle.catalogue, changes)] == ["b", "a"]
    live = overlay(bundle, changes)
    assert live.n_items == N + 2
    assert live.catalogue.item_rows(["a", "b", "item5", "item6", "c"]) == {"b": N, "a": N + 1, "item5": 5, "item6": 6}
    assert live.catalogue.item_ids([N + 1, 3, N]) == ["a", "item3", "b"]
    assert live.item_embeddings.shape == (N + 2, DIM)
    assert (live.version, live.name, live.path) == (bundle.version, bundle.name, bundle.path)


def test_the_catalogue_says_what_changes_say(bundle: Bundle) -> None:
    changes = [
        ItemChange("item5", {"price": 3.0, "title": None, "stock": 2}),
        ItemChange("item6", {"stock": 1}),
        ItemChange("item7", {"categories": ["X", "Y"]}),
        ItemChange("item8", {"categories": None}),
        NEW,
    ]
    live, before = overlay(bundle, changes), bundle.catalogue
    five, six, seven, eight, new = live.catalogue.items([5, 6, 7, 8, N])
    assert (five.price, five.title, five.brand) == (3.0, None, before.items([5])[0].brand)
    assert six == before.items([6])[0]
    assert (seven.categories, eight.categories) == (("X", "Y"), ())
    assert (new.row, new.item_id, new.title, new.price, new.image) == (N, "neu", "New Thing", 12.5, None)
    assert live.catalogue.cards([5, 4, N]) == {
        5: ("item5", None, five.brand, 3.0),
        4: before.cards([4])[4],
        N: ("neu", "New Thing", "Brand 3", 12.5),
    }
    titles = list(live.catalogue.texts("title"))
    assert titles == [None if row == 5 else title for row, title in enumerate(before.texts("title"))] + ["New Thing"]
    facets = list(live.catalogue.facets())
    assert facets[N] == ("Brand 3", ("All", "Group 3"), 12.5)
    assert [facet for row, facet in enumerate(facets[:N]) if row not in (5, 7, 8)] == [
        facet for row, facet in enumerate(before.facets()) if row not in (5, 7, 8)
    ]
    with pytest.raises(KeyError):
        live.catalogue.items([N + 1])
    with pytest.raises(KeyError):
        live.catalogue.item_ids([N + 1])
    assert live.catalogue.user_rows(["user3"]) == {"user3": 3}
    assert live.catalogue.n_users == before.n_users


def test_attributes_follow_changes(bundle: Bundle) -> None:
    changes = [ItemChange("item5", {"seller": "me", "used": True, "colours": ("red", "blue"), "unheard": 1.0}), NEW]
    live = overlay(bundle, changes)
    assert live.attributes.of_item(5) == {"stock": 5, "seller": "me", "used": True, "colours": ["red", "blue"]}
    assert live.attributes.of_item(4) == bundle.attributes.of_item(4)
    assert live.attributes.of_item(N) == {"seller": "you"}
    assert bundle.attributes.of_item(5)["seller"] == "seller2"


def test_what_is_in_no_list(bundle: Bundle, tmp_path: Path) -> None:
    gone = [
        ItemChange("item1", deleted=True),
        ItemChange("item2", {"available": False, "stock": 3}),
        ItemChange("item3", {"stock": 0}),
        ItemChange("item4", {"stock": -1.0}),
        ItemChange("item5", {"stock": None}),
        ItemChange("item6", {"available": True}),
        ItemChange("item7", {"price": 1.0}),
        ItemChange("new1", deleted=True),
        ItemChange("new2", {"stock": 0}),
        ItemChange("new3"),
    ]
    (stock,) = overlay(bundle, gone).in_stock
    assert np.flatnonzero(~stock.mask).tolist() == [1, 2, 3, 4, 9, N, N + 1]
    assert not stock.selective
    for back in ({"stock": 7}, {"stock": None}):
        assert overlay(bundle, [ItemChange("item9", back)]).in_stock == ()
    (stock,) = overlay(bundle, [ItemChange("item9", {"available": True, "price": 2.0})]).in_stock
    assert np.flatnonzero(~stock.mask).tolist() == [9]
    with open_bundle(make_bundle(tmp_path)) as without_stock:
        (stock,) = overlay(without_stock, gone).in_stock
        assert np.flatnonzero(~stock.mask).tolist() == [1, 2, 3, 4, N, N + 1]


def test_what_the_bundle_calls_unavailable_can_come_back(tmp_path: Path) -> None:
    attributes = Attributes.of({"available": "bool"}, {"available": [row != 3 for row in range(N)]})
    with open_bundle(make_bundle(tmp_path, attributes=attributes)) as bundle:
        (stock,) = overlay(bundle, [ItemChange("item4", {"available": False}), ItemChange("new")]).in_stock
        assert np.flatnonzero(~stock.mask).tolist() == [3, 4]
        assert overlay(bundle, [ItemChange("item3", {"available": True})]).in_stock == ()


def test_no_list_of_any_model_holds_what_is_gone(bundle: Bundle) -> None:
    """Half of the catalogue is: also what fills lists up, and what strangers get."""
    gone = [ItemChange(f"item{row}", deleted=True) for row in range(0, N, 2)]
    live = overlay(bundle, [*gone, ItemChange("new1", deleted=True), ItemChange("new2")])
    queries, recommender = everyone(bundle), live.recommender()
    deciding = [None, *map(live.source, live.sources)]
    lists = [recommender.recommend(queries, 60, by=by, restrictions=live.in_stock) for by in deciding]
    for one in lists:
        listed = one.items[one.items != NO_ITEM]
        assert len(listed)
        assert not np.isin(listed, [*range(0, N, 2), N]).any()
    assert (lists[0].items != NO_ITEM).all(), "popular items fill the lists up"


def test_changes_that_say_nothing_change_no_list(bundle: Bundle) -> None:
    (record,) = bundle.catalogue.items([5])
    changes = [ItemChange("item5", {"price": record.price, "brand": record.brand, "categories": record.categories})]
    live, queries = overlay(bundle, changes), everyone(bundle)
    before = bundle.recommender().recommend(queries, 20, restrictions=bundle.in_stock)
    after = live.recommender().recommend(queries, 20, restrictions=live.in_stock)
    np.testing.assert_array_equal(after.items, before.items)
    np.testing.assert_array_equal(after.scores, before.scores)
    for name in bundle.sources:
        assert live.source(name) is bundle.source(name), "what does not change is shared"


def test_features_follow_changes_as_if_they_were_fitted_on_them(bundle: Bundle) -> None:
    """Prices, brands and categories of a bundle in which everything was said anew, wrong at first, are as they were."""
    wrong = [
        ItemChange(f"item{row}", {"price": None, "brand": f"odd {row % 7}", "categories": ("All", "None", "Odd", "X")})
        for row in range(0, N, 3)
    ]
    records = {record.item_id: record for record in bundle.catalogue.items(range(N))}
    queries, items = everyone(bundle), np.random.default_rng(0).integers(0, N, (50, 80)).astype(np.int32)
    true, false = features_of(bundle, queries, items), features_of(overlay(bundle, wrong), queries, items)
    for name in ("price_difference", "brand_share", "brand_of_last_item", "category_share", "category_of_last_item"):
        assert (true[name] != false[name]).any(), name
    right = [described(records[one.item_id]) for one in wrong]
    empty: dict[str, FieldValue] = {"price": None, "brand": None}
    right = [ItemChange(one.item_id, {**empty, **one.fields}) for one in right]
    again = features_of(overlay(bundle, right), queries, items)
    for name, values in true.items():
        np.testing.assert_array_equal(again[name], values, err_msg=name)


def test_features_of_changed_items_by_hand(bundle: Bundle) -> None:
    changes = [
        ItemChange("item1", {"price": 10.0, "brand": "Mine", "categories": ("A", "B")}),
        ItemChange("neu", {"price": 20.0, "brand": "Mine", "categories": ("B", "C")}),
        ItemChange("old", {"price": 0.0, "brand": "Brand 3", "categories": ("All", "Group 3")}),
    ]
    live = overlay(bundle, changes)
    histories = type(bundle.histories).from_rows(1, np.zeros(1, int), np.array([1]), np.array([1_500_000_000]))
    query = Queries(histories, np.array([NO_ITEM], np.int32), np.array([1_600_000_000]))
    found = features_of(live, query, np.array([[N, N + 1, 3]], np.int32))
    assert found["price_known"][0].tolist()[:2] == [1, 0]
    assert math.isclose(found["price_difference"][0, 0], math.log(2), rel_tol=1e-6)
    assert found["brand_share"][0].tolist() == [1, 0, 0]
    assert found["brand_of_last_item"][0].tolist() == [1, 0, 0]
    assert found["category_share"][0].tolist() == [0.5, 0, 0]
    of_three = type(histories).from_rows(1, np.zeros(1, int), np.array([3]), np.array([1_500_000_000]))
    found = features_of(live, Queries(of_three, query.users, query.now), np.array([[N, N + 1]], np.int32))
    assert found["brand_share"][0].tolist() == [0, 1]
    assert found["category_share"][0].tolist() == [0, 1]


def test_new_items_borrow_what_only_interactions_tell(bundle: Bundle) -> None:
    live = overlay(bundle, [NEW])
    assert live.ranker is not None
    assert bundle.ranker is not None
    lenders, weights = new_items(bundle, [NEW]).lenders[0], new_items(bundle, [NEW]).weights[0]
    counts = bundle.ranker.features.groups["popularity"].log_count
    assert math.isclose(live.ranker.features.groups["popularity"].log_count[N], weights @ counts[lenders], rel_tol=1e-6)
    assert live.ranker.scorer.loans.borrower_index[N] >= 0
    assert np.isnan(live.cycles[N])
    np.testing.assert_array_equal(live.cycles[:N], bundle.cycles)
    assert live.histories is bundle.histories
    assert live.rating_predictor is not None
    assert live.rating_predictor.statistics.item_counts[N] == 0


def test_an_item_of_which_nobody_knows_anything_is_safe(bundle: Bundle) -> None:
    """Neither text, nor lender, nor vector."""
    nothing = NewItems(np.zeros((1, DIM), np.float16), np.full((1, 0), NO_ITEM, np.int32), np.zeros((1, 0), np.float32))
    live = LiveBundle(bundle, [ItemChange("x")], nothing)
    lists = live.recommender().recommend(everyone(bundle, N), 20)
    assert (lists.items < N).all(), "it is in all histories"
    assert np.isfinite(lists.scores[lists.items != NO_ITEM]).all()


def test_a_live_item_scores_as_one_that_the_bundle_holds(pair: tuple[Bundle, LiveBundle]) -> None:
    whole, live = pair
    queries = everyone(live, N + 3, 11)
    items = np.random.default_rng(0).integers(0, N + M, (len(queries), 60)).astype(np.int32)
    items[:, :20] = N + np.arange(20)
    np.testing.assert_allclose(live.two_tower().score(queries), whole.two_tower().score(queries), atol=1e-3)
    assert live.ranker is not None
    assert whole.ranker is not None
    names = ("two_tower", "transitions", "bpr")  # lists of texts know all texts, and BM25 counts all items
    # Nobody borrows in one of them alone: the means of all texts, by which lenders are chosen, differ.
    for bundle in (whole, live):
        assert bundle.ranker is not None
        assert set(range(N, N + M)) <= set(bundle.ranker.scorer.loans.borrowers.tolist())
    scores = [
        bundle.ranker.scorer.read(queries).scores(names, items, bundle.ranker.scorer.loans)
        for bundle in (whole, live)
        if bundle.ranker is not None
    ]
    new = items >= N
    np.testing.assert_allclose(scores[1][:, new], scores[0][:, new], atol=1e-3, rtol=1e-4)
    assert np.abs(scores[0][:, new]).min(axis=1).max() > 0
    assert live.rating_predictor is not None
    assert whole.rating_predictor is not None
    vectors = live.two_tower().encode(queries)
    np.testing.assert_allclose(
        live.rating_predictor.predict(vectors, queries.histories, items),
        whole.rating_predictor.predict(vectors, queries.histories, items),
        atol=1e-3,
    )


def test_lists_with_live_items_are_nearly_those_of_a_bundle_that_holds_them(pair: tuple[Bundle, LiveBundle]) -> None:
    whole, live = pair
    queries = everyone(whole)
    expected, lists = lists_of(whole, queries), lists_of(live, queries)
    assert (expected >= N).sum() > len(queries) / 2, "such items are in lists"
    assert share_in_common(expected, lists) > 0.9
    of_new = [np.where(one >= N, one, NO_ITEM) for one in (expected, lists)]
    assert share_in_common(*of_new) > 0.6


def test_closing_an_overlay_closes_the_bundle_below(tmp_path: Path) -> None:
    path = make_bundle(tmp_path)
    below = open_bundle(path)
    live = overlay(below, [NEW])
    make_bundle(tmp_path, keep=1)
    assert below.path.exists(), "it is open"
    live.close()
    make_bundle(tmp_path, keep=1)
    assert not below.path.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([ItemChange("item1"), ItemChange("item1")], "different items"),
        ([ItemChange("a"), ItemChange("a")], "different items"),
    ],
)
def test_an_item_twice_is_refused(bundle: Bundle, changes: list[ItemChange], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        overlay(bundle, changes)


def test_vectors_that_do_not_belong_to_the_new_items_are_refused(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="1 new items, got 0"):
        LiveBundle(bundle, [NEW], NewItems.none(DIM))
    narrow = NewItems(np.zeros((1, 3), np.float16), np.zeros((1, 0), np.int32), np.zeros((1, 0), np.float32))
    with pytest.raises(ValueError, match="vectors of 8 numbers"):
        LiveBundle(bundle, [NEW], narrow).recommender()
    endless = NewItems(np.full((1, DIM), np.inf, np.float16), narrow.lenders, narrow.weights)
    with pytest.raises(ValueError, match="finite vectors"):
        LiveBundle(bundle, [NEW], endless).recommender()


def test_a_row_never_changes_its_item(bundle: Bundle) -> None:
    before = overlay(bundle, [ItemChange("a"), ItemChange("b")])
    for changes in ([ItemChange("b"), ItemChange("a")], [ItemChange("b")]):
        with pytest.raises(ValueError, match="in the order of before"):
            overlay(bundle, changes, before)
