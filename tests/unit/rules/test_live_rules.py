"""Rules over live items: new ones, and others than the bundle says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pytest

from recsys.bundle import Attributes, open_bundle
from recsys.bundle.overlay import LiveBundle
from recsys.core.item_changes import ItemChange
from recsys.rules.base import RuleBase
from recsys.rules.item_columns import ItemColumns
from recsys.rules.rule import Rule
from tests.support.bundles import make_bundle
from tests.support.live import overlay
from tests.support.rule_sets import SmallShop, rule
from tests.unit.rules.test_random_rule_sets import keep_their_word

N, N_USERS, USER = 100, 30, 4
ATTRIBUTES = Attributes.of({"stock": "number", "seller": "text"}, {"stock": [5] * N, "seller": ["we"] * N})
CHANGES = [
    *(
        ItemChange(
            f"item{row}", {"brand": f"Brand {row % 3}", "price": float(row), "categories": ("All", f"Group {row % 4}")}
        )
        for row in range(0, N, 9)
    ),
    *(
        ItemChange(
            f"new{number}",
            {
                "title": f"Thing 1{number}",
                "brand": f"Brand {number % 5}" if number % 4 else None,
                "categories": ("All", f"Group {number % 6}"),
                "price": 7.0 * number if number % 3 else None,
                "seller": "me",
            },
        )
        for number in range(12)
    ),
    ItemChange("item50", {"stock": 0, "seller": "me"}),
]


class LiveShop(SmallShop):
    """A shop whose rules share what did not change with those of the bundle below."""

    bundle: LiveBundle

    @cached_property
    def base(self) -> RuleBase:
        return RuleBase.of(self.bundle, RuleBase.of(self.bundle.base))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveBundle]:
    with open_bundle(make_bundle(tmp_path_factory.mktemp("live"), N, N_USERS, attributes=ATTRIBUTES)) as bundle:
        yield overlay(bundle, CHANGES)


@pytest.fixture(scope="module")
def shop(live: LiveBundle) -> SmallShop:
    return LiveShop.of(live)


def items(shop: SmallShop, *rules: Rule, k: int = 10) -> list[int]:
    policy = shop.compiled(*rules).bound(None, {}) if rules else None
    lists = shop.recommender.recommend(shop.queries.select([USER]), k, policy=policy, restrictions=shop.bundle.in_stock)
    return [item for item in lists.items[0].tolist() if item >= 0]


def test_fields_are_those_of_the_catalogue_as_it_is_now(shop: SmallShop, live: LiveBundle) -> None:
    shared, anew = shop.base.items, ItemColumns(live)
    assert type(shared) is not type(anew)
    for field in ("id", "title", "brand", "category", "top_category", "seller"):
        one, other = shared.texts(field), anew.texts(field)
        assert [None if code < 0 else one.names[code] for code in one.codes] == [
            None if code < 0 else other.names[code] for code in other.codes
        ], field
    for field in ("price", "popularity", "popularity_rank", "stock"):
        np.testing.assert_array_equal(shared.numbers(field), anew.numbers(field), err_msg=field)
    np.testing.assert_array_equal(shared.first_interactions, anew.first_interactions)
    one, other = shared.text_lists("categories"), anew.text_lists("categories")
    assert one.names[one.codes].tolist() == other.names[other.codes].tolist()
    np.testing.assert_array_equal(one.indptr, other.indptr)
    np.testing.assert_array_equal(shop.base.cycles, live.cycles)


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 400), marks=pytest.mark.slow)], ids=str)
def test_random_rule_sets_are_kept(shop: SmallShop, seeds: range) -> None:
    for seed in seeds:
        keep_their_word(shop, seed)


def test_a_live_item_is_hidden_pinned_boosted_and_required(shop: SmallShop) -> None:
    plain = items(shop)
    assert items(shop, rule("r", "pin", 'item.id == "new5"', slot=1))[0] == N + 5
    assert N + 5 not in items(shop, rule("r", "hide", 'item.id == "new5"'), k=N + 12)
    assert N + 5 in items(shop, rule("r", "require", 'item.seller == "me"'), k=12)
    assert set(items(shop, rule("r", "require", 'item.seller == "me"'), k=20)) <= set(range(N, N + 12))
    boosted = items(shop, rule("r", "boost", 'item.seller == "me"', by=3.0))
    assert boosted[0] >= N
    assert boosted != plain


def test_a_cap_counts_by_the_brand_that_items_have_now(shop: SmallShop, live: LiveBundle) -> None:
    capped = items(shop, rule("r", "cap", by="brand", most=1), k=6)
    brands = [record.brand for record in live.catalogue.items(capped) if record.brand]
    assert len(set(brands)) == len(brands)


def test_what_is_sold_out_cannot_be_pinned(shop: SmallShop) -> None:
    assert 50 not in items(shop, rule("r", "pin", 'item.id == "item50"', slot=1))
