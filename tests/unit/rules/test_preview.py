"""What a preview says of rules, by lists that were made without each of them."""

from __future__ import annotations

import numpy as np

from recsys.rules.preview import Part, preview
from tests.support.rule_sets import SmallShop, rule

USERS = [1, 4, 29]


def test_each_rules_part(shop: SmallShop) -> None:
    plain = shop.recommender.recommend(shop.queries.select(USERS), 10).items
    first, stranger = plain[0, 0], plain[2]
    rules = [
        rule("bury", "bury", f'item.id == "item{first}"', when="user.interactions > 0"),
        rule("pin", "pin", f'item.id == "item{stranger[4]}"', slot=1, when="user.new"),
        rule("never", "hide", "item.price > 0", when='context.country == "DE"'),
        rule("off", "hide", "item.price > 0", enabled=False),
        rule("cart", "hide", "item.price > 0", scenario="cart"),
    ]
    made = preview(shop.recommender, rules, shop.base, shop.queries.select(USERS), 10)
    np.testing.assert_array_equal(made.before.items, plain)
    assert made.after.items[2].tolist() == [stranger[4], *stranger[:4], *stranger[5:]]
    assert [one.rule for one in made.parts] == ["bury", "never", "pin"]
    bury, never, pin = made.parts
    # Of the first ten the first one went, and the eleventh came; of those nine that stay each came up by one rank.
    with_first = sum(first in row for row in plain.tolist()[:2])
    assert (bury.active, bury.lists_changed) == (2, with_first)
    assert (bury.items_in, bury.items_out) == (with_first, with_first)
    assert never == Part("never", 0, 0, 0, 0, 0.0)
    # The fifth went to the first place, by four ranks, those before it down by one: 8 of 30 items in all.
    assert (pin.active, pin.lists_changed, pin.items_in, pin.items_out) == (1, 1, 0, 0)
    assert pin.rank_change == 8 / 30
    assert {one.rules for one in made.findings} == {("never",), ("off",)}


def test_without_rules_both_lists_are_the_same(shop: SmallShop) -> None:
    made = preview(shop.recommender, [], shop.base, shop.queries.select(USERS), 5)
    assert made.before is made.after
    assert made.parts == made.findings == ()
