"""What a preview says of rules, by lists that were made without each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.pipeline.allow import Among
from recsys.rules.findings import Finding
from recsys.rules.preview import Part, preview
from recsys.rules.rule import Rule
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
    made = preview(shop.recommender, rules, shop.compiled(*rules), shop.queries.select(USERS), 10)
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
    made = preview(shop.recommender, [], shop.compiled(), shop.queries.select(USERS), 5)
    assert made.before is made.after
    assert made.parts == made.findings == ()


def below(shop: SmallShop, *rules: Rule, users: Sequence[int] = USERS, **asked: Any) -> list[Finding]:
    made = preview(shop.recommender, rules, shop.compiled(*rules), shop.queries.select(users), 10, **asked)
    return [one for one in made.findings if one.message.startswith("below its share")]


def test_a_promotion_of_what_was_seen_is_below_its_share(shop: SmallShop) -> None:
    seen = set(shop.person(1, {}).items)
    unseen = next(row for row in range(120) if row not in {*seen, *shop.person(4, {}).items})
    names = ", ".join(f'"item{row}"' for row in [*sorted(seen)[:3], unseen])
    promotion = rule("p", "promote", f"item.id in [{names}]", share=0.2)
    (finding,) = below(shop, promotion, users=[1, 29])
    assert (finding.problem, finding.rules, finding.of_sample) == ("unsatisfiable", ("p",), True)
    assert "1 of 2 lists hold fewer than 2 of its items among 10" in finding.message
    assert "beside those seen" in finding.message
    assert below(shop, promotion, users=[1, 29], exclude_seen=False) == []
    assert below(shop, promotion, users=[29]) == []


def test_a_filter_leaves_a_promotion_below_its_share(shop: SmallShop) -> None:
    promotion = rule("p", "promote", 'item.brand == "Brand 3"', share=0.2)
    others = np.array([thing.brand != "Brand 3" for thing in shop.things])
    assert below(shop, promotion) == []
    (finding,) = below(shop, promotion, restrictions=[Among(others)])
    assert "3 of 3 lists" in finding.message
    assert "filtered out" in finding.message


def test_promotions_that_share_what_a_cap_lets_in_are_below_their_shares(shop: SmallShop) -> None:
    rows = [f'"item{thing.row}"' for thing in shop.things if thing.brand == "Brand 3"]
    one, other = (", ".join(part) for part in (rows[::2], rows[1::2]))
    rules = [
        rule("a", "promote", f"item.id in [{one}]", share=0.2),
        rule("b", "promote", f"item.id in [{other}]", share=0.2),
        rule("c", "cap", by="brand", most=2),
    ]
    found = below(shop, *rules, users=[29])
    assert found
    assert all("caps let no more" in finding.message for finding in found)
    assert below(shop, *rules[:2], users=[29]) == []


def test_what_is_known_of_the_whole_catalogue_is_not_told_twice(shop: SmallShop) -> None:
    assert below(shop, rule("p", "promote", 'item.id == "item1"', share=0.2)) == []
    assert below(shop, rule("p", "promote", 'item.id == "nothing"', share=0.2)) == []
