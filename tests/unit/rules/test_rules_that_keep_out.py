"""The rules that keep an item out of a list are those without which a rule set compiled anew lets it in."""

from __future__ import annotations

from recsys.core.queries import Queries
from recsys.explain.evidence import Stage
from recsys.explain.kept_out import kept_out_by
from recsys.explain.question import Question
from recsys.explain.stages import standing_of
from tests.support.rule_sets import SmallShop, rule

MOVING = [
    rule("more-mixed", "mmr", weight=0.7, priority=1),
    rule("late", "bury", "item.price > 20.0"),
    rule("late-too", "bury", "item.price > 30.0"),
    rule("mixed", "mmr", weight=0.5),
    rule("some", "promote", 'item.category == "Group 3"', share=0.2),
    rule("third", "pin", "item.popularity_rank > 60", slot=3),
    rule("two-each", "cap", by="brand", most=2),
]
NAMES = [one.id for one in MOVING]
HIDDEN = rule("hidden", "hide", 'item.brand == "Brand 5"')


def listed(shop: SmallShop, query: Queries, item: int, *without: str) -> bool:
    left = shop.compiled(HIDDEN, *(one for one in MOVING if one.id not in without)).bound()
    return item in shop.recommender.recommend(query, 10, policy=left).items[0].tolist()


def test_without_them_the_item_is_listed_and_none_can_be_spared(shop: SmallShop) -> None:
    policy, met = shop.compiled(HIDDEN, *MOVING).bound(), set()
    for user in range(len(shop.queries) - 1):
        query, question = shop.queries.select([user]), Question(shop.recommender, 10, policy=policy)
        trace = question.trace(query)
        for item in shop.recommender.recommend(query, 10).items[0].tolist():
            standing = standing_of(question, trace, item)
            found = kept_out_by(question, trace, item, standing)
            if standing.stage in (Stage.LISTED, Stage.FORBIDDEN):
                assert found == ()
                continue
            alone = tuple(name for name in NAMES if listed(shop, query, item, name))
            if alone and (standing.stage is Stage.ARRANGED or listed(shop, query, item, *NAMES)):
                assert found == alone
                met.add("alone")
            elif listed(shop, query, item, *NAMES):
                assert len(found) > 1
                assert listed(shop, query, item, *found)
                assert not any(listed(shop, query, item, *(set(found) - {one})) for one in found)
                met.add("together")
            else:
                assert found == ()
    assert met == {"alone", "together"}
