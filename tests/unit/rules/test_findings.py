"""Rules that do nothing, contradict each other, or ask for what cannot be had are named."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM
from recsys.pipeline.allow import Allowed
from recsys.rules.findings import Case, Finding, below_share, findings
from recsys.rules.rule import Rule
from tests.support.rule_sets import NOW, SCENARIOS, SmallShop, random_rules, rule

MOMENT = datetime.fromtimestamp(NOW, UTC)
BRAND = 'item.brand == "Brand 3"'
OTHER = 'item.brand == "Brand 6"'
K = 10


def found(shop: SmallShop, *rules: Rule, scenario: str | None = None, k: int = K) -> list[Finding]:
    queries = shop.queries.select([1, 4, 7, 29])
    return list(findings(Case(rules, shop.compiled(*rules), queries, k, scenario, {})))


def told(shop: SmallShop, *rules: Rule, **asked: object) -> list[tuple[str, tuple[str, ...], bool]]:
    return [(one.problem, one.rules, one.of_sample) for one in found(shop, *rules, **asked)]


def test_sound_rules_have_no_findings(shop: SmallShop) -> None:
    sound = (
        rule("a", "hide", BRAND),
        rule("b", "pin", OTHER, slot=1),
        rule("c", "promote", OTHER, share=0.2),
        rule("d", "cap", by="brand", most=2),
        rule("e", "boost", 'item.brand == "Brand 7"', by=1),
        rule("f", "bury", 'item.brand == "Brand 5"'),
        rule("g", "mmr", weight=0.2),
        rule("h", "upsell"),
    )
    assert told(shop, *sound) == []


@pytest.mark.parametrize(
    ("dead", "word"),
    [
        (rule("r", "hide", BRAND, enabled=False), "switched off"),
        (rule("r", "mmr", weight=0), "weight of 0"),
        (rule("r", "hide", BRAND, valid_to=MOMENT), "valid until"),
        (rule("r", "pin", BRAND, slot=11), "no slot 11"),
        (rule("r", "boost", 'item.brand == "Nobody"', by=1), "no item"),
    ],
)
def test_what_does_nothing_is_dead(shop: SmallShop, dead: Rule, word: str) -> None:
    (finding,) = found(shop, dead)
    assert (finding.problem, finding.rules, finding.of_sample) == ("dead", ("r",), False)
    assert word in finding.message


def test_what_is_not_valid_yet_is_not_dead(shop: SmallShop) -> None:
    assert told(shop, rule("r", "hide", BRAND, valid_from=MOMENT + timedelta(days=1))) == []


def test_a_condition_that_nobody_of_the_sample_meets_is_dead_as_far_as_known(shop: SmallShop) -> None:
    nobody = rule("r", "hide", BRAND, when="user.interactions > 1000")
    assert told(shop, nobody) == [("dead", ("r",), True)]
    elsewhere = rule("r", "hide", BRAND, when="user.interactions > 1000", scenario="cart")
    assert told(shop, elsewhere, scenario="home") == []
    assert told(shop, elsewhere, scenario="cart") == [("dead", ("r",), True)]


def test_what_another_rule_always_excludes_is_dead(shop: SmallShop) -> None:
    winner = rule("a", "mmr", weight=0.5)
    assert told(shop, winner, rule("b", "mmr", weight=0.2)) == [("dead", ("b", "a"), False)]
    assert told(shop, winner, rule("b", "mmr", weight=0.2, priority=1)) == [("dead", ("a", "b"), False)]
    assert told(shop, rule("a", "mmr", weight=0.5, when="user.new"), rule("b", "mmr", weight=0.2)) == []
    until = rule("a", "mmr", weight=0.5, valid_to=MOMENT + timedelta(days=1))
    assert told(shop, until, rule("b", "mmr", weight=0.2)) == []
    assert told(shop, rule("a", "mmr", weight=0.5, scenario="cart"), rule("b", "mmr", weight=0.2)) == []
    assert told(shop, winner, rule("b", "calibrate", weight=0.2)) == []


def test_a_fault_is_told(shop: SmallShop) -> None:
    (finding,) = found(shop, rule("r", "hide", "item.colour == 3"))
    assert (finding.problem, finding.rules) == ("fault", ("r",))
    assert "item.colour" in finding.message
    assert "where" in finding.remedy


@pytest.mark.parametrize(("kind", "more"), [("pin", {"slot": 1}), ("promote", {"share": 0.2}), ("boost", {"by": 1})])
def test_hidden_items_cannot_be_put_forward(shop: SmallShop, kind: str, more: dict[str, float]) -> None:
    hide, forward = rule("h", "hide", 'item.brand in ["Brand 3", "Brand 5"]'), rule("f", kind, BRAND, **more)

    def contradictions(hide: Rule) -> list[Finding]:
        return [one for one in found(shop, hide, forward) if one.problem == "contradiction"]

    (finding,) = contradictions(hide)
    count = sum(thing.brand == "Brand 3" for thing in shop.things)
    assert (finding.problem, finding.rules) == ("contradiction", ("h", "f"))
    assert f"all {count} items" in finding.message
    rows = [f'"item{thing.row}"' for thing in shop.things if thing.brand == "Brand 3"]
    half = -(-count // 2)
    (part,) = contradictions(rule("h", "hide", f"item.id in [{', '.join(rows[:half])}]"))
    assert f"{half} of {count} items" in part.message
    assert contradictions(rule("h", "hide", f"item.id in [{', '.join(rows[: half - 1])}]")) == []


def test_rules_that_never_meet_do_not_contradict(shop: SmallShop) -> None:
    pin = rule("p", "pin", BRAND, slot=1, scenario="home", valid_from=MOMENT)
    for never in (
        rule("h", "hide", BRAND, scenario="cart"),
        rule("h", "hide", BRAND, valid_to=MOMENT, valid_from=MOMENT - timedelta(days=1)),
        rule("h", "hide", OTHER),
    ):
        assert not [one for one in found(shop, pin, never) if one.problem == "contradiction"]


def test_conditions_of_both_are_looked_at_in_the_sample(shop: SmallShop) -> None:
    hide = rule("h", "hide", BRAND, when="user.new")
    apart = rule("p", "pin", BRAND, slot=1, when="user.interactions > 0")
    both = rule("p", "pin", BRAND, slot=1, when="user.interactions < 1000")
    assert told(shop, hide, apart) == []
    assert told(shop, hide, both) == [("contradiction", ("h", "p"), True)]


def test_requirements_that_no_item_meets(shop: SmallShop) -> None:
    one, other = rule("a", "require", BRAND), rule("b", "require", OTHER)
    assert ("contradiction", ("a", "b"), False) in told(shop, one, other)
    assert ("unsatisfiable", ("a", "b"), False) in told(shop, one, other)
    assert ("contradiction", ("h", "a"), False) in told(shop, rule("h", "hide", "has(item.brand)"), one)
    assert ("contradiction", ("a", "p"), False) in told(shop, one, rule("p", "pin", OTHER, slot=1))


def test_boost_and_bury(shop: SmallShop) -> None:
    both = rule("a", "boost", BRAND, by=1), rule("b", "bury", "item.price > 0")
    assert told(shop, *both) == [("contradiction", ("a", "b"), False)]


def test_two_pins_of_one_slot(shop: SmallShop) -> None:
    one, other = rule("a", "pin", BRAND, slot=1), rule("b", "pin", OTHER, slot=1)
    assert told(shop, one, other) == [("contradiction", ("a", "b"), False)]
    assert told(shop, one, rule("b", "pin", OTHER, slot=2)) == []


def test_two_pins_of_one_item(shop: SmallShop) -> None:
    alone, both = 'item.id == "item0"', 'item.id in ["item0", "item1"]'
    one, other = rule("b", "pin", alone, slot=1), rule("a", "pin", alone, slot=3, priority=1)
    assert told(shop, one, other) == [("contradiction", ("a", "b"), False)]
    assert told(shop, one, rule("a", "pin", both, slot=3)) == []
    assert told(shop, one, rule("a", "pin", 'item.id == "item1"', slot=3)) == []
    assert told(shop, one, other, k=2) == [("dead", ("a",), False)]


def test_pins_beyond_a_cap(shop: SmallShop) -> None:
    pins = [rule(f"p{slot}", "pin", BRAND, slot=slot) for slot in (1, 2, 6)]
    assert told(shop, *pins, rule("c", "cap", by="brand", most=2)) == [
        ("contradiction", ("c", "p1", "p2", "p6"), False)
    ]
    assert told(shop, *pins, rule("c", "cap", by="brand", most=2, window=5)) == []
    assert told(shop, *pins, rule("c", "cap", by="brand", most=1, window=5)) == [
        ("contradiction", ("c", "p1", "p2"), False)
    ]


def test_too_few_items_are_left(shop: SmallShop) -> None:
    few = rule("r", "require", 'item.id in ["item1", "item2"]')
    assert told(shop, few) == [("unsatisfiable", ("r",), False)]
    assert told(shop, few, k=2) == []
    some = rule("r", "require", 'item.id in ["item1", "item2"]', when="user.new")
    assert told(shop, some) == [("unsatisfiable", ("r",), True)]


def test_promotions_of_more_than_there_is(shop: SmallShop) -> None:
    shares = rule("a", "promote", BRAND, share=0.6), rule("b", "promote", OTHER, share=0.5)
    assert ("unsatisfiable", ("a", "b"), False) in told(shop, *shares)
    count = sum(thing.brand == "Brand 3" for thing in shop.things)
    assert told(shop, rule("a", "promote", BRAND, share=1), k=count + 1) == [("unsatisfiable", ("a",), False)]
    assert told(shop, rule("a", "promote", BRAND, share=1), k=count) == []


def test_caps_that_leave_lists_short(shop: SmallShop) -> None:
    assert told(shop, rule("c", "cap", by="top_category", most=9)) == [("unsatisfiable", ("c",), False)]
    assert told(shop, rule("c", "cap", by="top_category", most=5, window=5)) == []
    groups = Counter(thing.category for thing in shop.things)
    assert told(shop, rule("c", "cap", by="category", most=1), k=len(groups)) == []
    assert told(shop, rule("c", "cap", by="category", most=1), k=len(groups) + 1) == [("unsatisfiable", ("c",), False)]
    against = rule("c", "cap", by="brand", most=2), rule("p", "promote", BRAND, share=0.5)
    assert told(shop, *against) == [("unsatisfiable", ("c", "p"), False)]


def test_findings_about_a_rule_are_those_that_name_it(shop: SmallShop) -> None:
    queries, told_about = shop.queries.select([1, 4, 7, 29]), Counter[str]()
    for seed in range(60):
        random = np.random.default_rng(seed)
        rules = random_rules(random, most=30).written
        compiled, scenario = shop.compiled(*rules), SCENARIOS[seed % 3]
        everything = findings(Case(rules, compiled, queries, K, scenario, {}))
        for asked in rules:
            about = findings(Case(rules, compiled, queries, K, scenario, {}, about=asked.id))
            assert about == tuple(one for one in everything if asked.id in one.rules)
            told_about.update(one.problem for one in about)
    assert min(told_about[problem] for problem in ("dead", "contradiction", "unsatisfiable")) > 100


def test_only_pairs_with_a_rule_are_looked_at_for_it(shop: SmallShop) -> None:
    pins = [rule(f"p{slot}", "pin", BRAND, slot=slot) for slot in range(1, 6)]
    case = Case(pins, shop.compiled(*pins), shop.queries, K, None, {}, about="p3")
    looked_at = [{case.rule(one).id, case.rule(other).id} for one, other, _ in case.pairs(case.columns)]
    assert looked_at == [{"p1", "p3"}, {"p2", "p3"}, {"p3", "p4"}, {"p3", "p5"}]


def test_lists_below_a_share_are_counted_where_the_rule_acts(shop: SmallShop) -> None:
    promotion = rule("p", "promote", BRAND, share=0.2, when="user.interactions > 0")
    queries, (one, other, *_) = shop.queries.select([1, 4, 29]), (t.row for t in shop.things if t.brand == "Brand 3")
    case = Case([promotion], shop.compiled(promotion), queries, K, None, {})
    lists = np.full((3, K), NO_ITEM, np.int32)
    lists[0, [2, 7]] = one, other  # two of ten are a fifth
    lists[1, 0] = other

    def below(*others: Finding) -> list[Finding]:
        return list(below_share(case, lists, Allowed, others))

    (finding,) = below()
    assert (finding.problem, finding.rules, finding.of_sample) == ("unsatisfiable", ("p",), True)
    assert "1 of 2 lists hold fewer than 2 of its items among 10; too few of its items were at hand" in finding.message
    assert below(Finding("contradiction", ("h", "p"), "", "")) == [finding]
    assert below(Finding("unsatisfiable", ("c", "p"), "", "")) == []
    lists[1, 1] = one
    assert below() == []
