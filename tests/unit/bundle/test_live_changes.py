"""Changes one after the other, seen over the overlay before, make what all of them at once make."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import Attributes, Bundle, open_bundle
from recsys.bundle.overlay import LiveBundle
from recsys.core.item_changes import FieldValue, ItemChange
from recsys.core.queries import Queries
from recsys.sources.new_items import NewItems
from tests.support.bundles import make_bundle
from tests.support.live import N, everyone, features_of, lists_of, new_items, overlay

ATTRIBUTES = Attributes.of(
    {"stock": "number", "seller": "text"},
    {"stock": [row % 4 for row in range(N)], "seller": [f"seller{row % 3}" for row in range(N)]},
)
FIELDS: dict[str, st.SearchStrategy[FieldValue]] = {
    "title": st.none() | st.sampled_from(["A", "B"]),
    "brand": st.none() | st.sampled_from(["Brand 1", "Brand 2", "Mine"]),
    "categories": st.sampled_from([(), ("All",), ("All", "Group 1"), ("A", "B", "C"), ("All", "Group 2", "A")]),
    "price": st.none() | st.sampled_from([0.0, 1.0, 30.0]),
    "available": st.booleans(),
    "stock": st.none() | st.sampled_from([0.0, 2.0]),
    "seller": st.none() | st.sampled_from(["seller1", "me"]),
}
IDS = [*(f"item{row}" for row in range(12)), *(f"new{number}" for number in range(6))]


@st.composite
def statements(draw: st.DrawFn) -> tuple[str, dict[str, FieldValue], bool]:
    """Of an item, some of its fields, or that it is gone."""
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True, max_size=4))
    return draw(st.sampled_from(IDS)), {name: draw(FIELDS[name]) for name in names}, draw(st.integers(0, 4)) == 0


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), attributes=ATTRIBUTES)) as opened:
        yield opened


class Shop:
    """What has been said of items so far, as a store keeps it: the latest of each field, until the item is deleted."""

    def __init__(self) -> None:
        self.changes: dict[str, ItemChange] = {}

    def say(self, item_id: str, fields: dict[str, FieldValue], gone: bool) -> None:
        before = self.changes.get(item_id, ItemChange(item_id))
        version = before.version + 1
        kept = {} if gone or before.deleted else before.fields
        self.changes[item_id] = ItemChange(item_id, {} if gone else {**kept, **fields}, gone, version)

    def overlay(self, bundle: Bundle, before: LiveBundle | None = None) -> LiveBundle:
        return overlay(bundle, list(self.changes.values()), before)


def assert_same(one: LiveBundle, other: LiveBundle, queries: Queries) -> None:
    rows = np.arange(one.n_items)
    assert one.n_items == other.n_items
    assert one.catalogue.items(rows) == other.catalogue.items(rows)
    assert [one.attributes.of_item(row) for row in rows] == [other.attributes.of_item(row) for row in rows]
    assert [stock.mask.tolist() for stock in one.in_stock] == [stock.mask.tolist() for stock in other.in_stock]
    np.testing.assert_array_equal(one.item_embeddings, other.item_embeddings)
    items = np.random.default_rng(0).integers(0, one.n_items, (len(queries), 40)).astype(np.int32)
    expected = features_of(other, queries, items)
    for name, values in features_of(one, queries, items).items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)
    np.testing.assert_array_equal(lists_of(one, queries), lists_of(other, queries))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(statements(), max_size=5), min_size=1, max_size=4))
def test_in_batches_or_at_once(bundle: Bundle, batches: list[list[tuple[str, dict[str, FieldValue], bool]]]) -> None:
    shop, overlays = Shop(), list[LiveBundle]()
    for batch in batches:
        for statement in batch:
            shop.say(*statement)
        overlays.append(shop.overlay(bundle, overlays[-1] if overlays else None))
        lists_of(overlays[-1], everyone(bundle))
    assert_same(overlays[-1], shop.overlay(bundle), everyone(bundle))


def test_an_overlay_stays_as_it_is_while_others_follow(bundle: Bundle) -> None:
    shop, queries = Shop(), everyone(bundle)
    shop.say("new0", {"price": 2.0, "brand": "Mine"}, False)
    first = shop.overlay(bundle)
    before = lists_of(first, queries), first.catalogue.items([N]), first.item_embeddings.copy()
    for number in range(1, 6):
        shop.say(f"new{number}", {"price": 1.0, "brand": "Mine"}, False)
    shop.say("new0", {}, True)
    later = shop.overlay(bundle, first)
    assert lists_of(later, queries).max() > N
    np.testing.assert_array_equal(lists_of(first, queries), before[0])
    assert first.catalogue.items([N]) == before[1]
    np.testing.assert_array_equal(first.item_embeddings, before[2])
    assert np.shares_memory(first.item_embeddings, later.item_embeddings)


def test_a_new_item_whose_text_changes_has_another_vector_in_its_row(bundle: Bundle) -> None:
    changes = [ItemChange("new0"), ItemChange("new1")]
    given = new_items(bundle, changes)
    turned = NewItems(given.vectors[::-1].copy(), given.lenders, given.weights)
    first = LiveBundle(bundle, changes, given)
    before = first.item_embeddings
    later = LiveBundle(bundle, changes, turned, first)
    np.testing.assert_array_equal(later.item_embeddings[N:], turned.vectors)
    np.testing.assert_array_equal(before[N:], given.vectors)


def test_what_is_sold_out_changes_nothing_but_that(bundle: Bundle) -> None:
    shop = Shop()
    shop.say("new0", {"price": 2.0, "brand": "Mine"}, False)
    shop.say("item3", {"price": 2.0}, False)
    first = shop.overlay(bundle)
    shop.say("new0", {"stock": 0.0}, False)
    shop.say("item4", {"stock": 0.0}, False)
    later = shop.overlay(bundle, first)
    assert later.ranker is first.ranker
    assert later.two_tower() is first.two_tower()
    assert not later.in_stock[0].mask[[4, N]].any()
    shop.say("item3", {"price": 3.0}, False)
    assert shop.overlay(bundle, later).ranker is not first.ranker
