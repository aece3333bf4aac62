"""How rules arrange a list: values by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM
from recsys.rules.arranging import ArrangingRule, ArrangingRules
from recsys.rules.arranging.kernels import arrange_lists
from recsys.rules.arranging.table import rule_table
from tests.support.arranging import Shop, action, divergence, utilities

# Mean 0, a standard deviation of 2: utilities of 1.5, .5, 0, -.5 and -1.5.
SCORES = [3.0, 1.0, 0.0, -1.0, -3.0]


def only(*items: int, of: int = 5) -> list[bool]:
    return [item in items for item in range(of)]


def test_a_boost_is_in_standard_deviations_of_the_ranked_scores() -> None:
    assert Shop(SCORES, [(action("boost", by=0.74), only(2), None)]).list_of(3) == [0, 2, 1]
    assert Shop(SCORES, [(action("boost", by=0.24), only(2), None)]).list_of(3) == [0, 1, 2]
    assert Shop(SCORES, [(action("boost", by=1.51), only(2), None)]).list_of(3) == [2, 0, 1]


def test_boosts_add_up_to_three_units_and_no_more() -> None:
    two = [(action("boost", by=1.0), only(4), None), (action("boost", by=1.0), only(3, 4), None)]
    # 1.5, .5, 0, .5, .5: the one that the ranker puts first is first.
    assert Shop(SCORES, two).list_of(5) == [0, 1, 3, 4, 2]
    far = [
        10.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
    ]  # the first one stands sqrt(10) units above the others
    gap = math.sqrt(10) + 1 / math.sqrt(10)
    assert gap > 3
    many = [(action("boost", by=3.0), only(1, of=11), None), (action("boost", by=3.0), only(1, of=11), None)]
    assert Shop(far, many).list_of(2) == [0, 1]


def test_what_is_buried_stands_last_whatever_its_boost() -> None:
    rules = [(action("bury"), only(0, 1), None), (action("boost", by=3), only(1), None)]
    shop = Shop(SCORES, rules)
    assert shop.list_of(5) == [2, 3, 4, 1, 0]
    assert shop.movers(5) == [set(), set(), set(), {0, 1}, {0}]


def test_equal_scores_have_a_unit_of_one_and_the_rankers_order() -> None:
    assert Shop([5.0, 5.0, 5.0], [(action("boost", by=0.01), only(2, of=3), None)]).list_of(3) == [2, 0, 1]
    assert Shop([0.1] * 3, [(action("boost", by=0.01), only(0, of=3), None)]).list_of(3) == [0, 1, 2]
    assert Shop([7.0], [(action("boost", by=1), None, None)]).list_of(3) == [0]


def test_popular_items_stand_below_the_ranked_ones_by_parts_of_a_unit() -> None:
    # Ranked: 1 and -1. Popular: -1 - 1/2 and -1 - 2/2, whatever their popularity.
    scores = [2.0, 0.0, 900.0, 800.0]
    for by, expected in ((0.49, [0, 1, 2, 3]), (0.51, [0, 2, 1, 3])):
        assert Shop(scores, [(action("boost", by=by), only(2, of=4), None)], popular=2).list_of(4) == expected
    # Where nothing is ranked they stand below 0.
    assert Shop([9.0, 8.0], [(action("boost", by=0.49), only(1, of=2), None)], popular=2).list_of(2) == [0, 1]
    assert Shop([9.0, 8.0], [(action("boost", by=0.51), only(1, of=2), None)], popular=2).list_of(2) == [1, 0]


def test_upsell_and_price_fit_follow_the_logarithm_of_the_price() -> None:
    prices = [10.0, 10.0, 13.0, 40.0, math.nan]
    # log 1.3 = .262, log 1.5 = .405 at most.
    upsell = [(action("upsell", factor=1, weight=2, most=1.5), None, None)]
    shop = Shop(SCORES, upsell, prices=prices, mean_price=10)
    assert shop.list_of(5) == [0, 2, 1, 3, 4]  # 1.5, .5, .525, .31, -1.5
    assert shop.movers(5) == [set(), {0}, set(), {0}, set()]
    fit = [(action("price_fit", weight=1, tolerance=2), None, None)]
    # log(4 / 2) = .693 off the fourth: -1.193; 2.5 times that puts it last.
    assert Shop(SCORES, fit, prices=prices, mean_price=10).list_of(5) == [0, 1, 2, 3, 4]
    more = [(action("price_fit", weight=2.5, tolerance=2), None, None)]
    shop = Shop(SCORES, more, prices=prices, mean_price=10)
    assert shop.list_of(5) == [0, 1, 2, 4, 3]
    assert shop.movers(5) == [set(), set(), set(), set(), {0}]


@pytest.mark.parametrize("mean_price", [math.nan, 0.0])
def test_without_a_mean_price_prices_change_nothing(mean_price: float) -> None:
    rules = [(action("upsell", factor=100, weight=100), None, None), (action("price_fit", weight=100), None, None)]
    shop = Shop(SCORES, rules, prices=[1, 2, 3, 4, 5], mean_price=mean_price)
    assert shop.list_of(5) == [0, 1, 2, 3, 4]
    assert not shop.arranged(5).moved_by.any()


def test_of_two_rules_that_exclude_each_other_the_first_acts() -> None:
    rules = [
        (action("upsell", factor=1, weight=10), only(4), None),
        (action("upsell", factor=1, weight=10), only(3), None),
    ]
    shop = Shop(SCORES, rules, prices=[10, 10, 10, 15, 15], mean_price=10)
    assert shop.list_of(2) == [4, 0]
    assert shop.movers(2) == [{0}, set()]


def test_a_pin_takes_its_slot_and_the_others_move_down() -> None:
    shop = Shop(SCORES, [(action("pin", slot=2), only(3, 4), None)])
    assert shop.list_of(4) == [0, 3, 1, 2]
    assert shop.movers(4) == [set(), {0}, set(), set()]


def test_of_pins_the_first_rule_has_the_slot_and_an_item_is_pinned_once() -> None:
    rules = [
        (action("pin", slot=3), only(4), None),
        (action("pin", slot=3), only(3), None),
        (action("pin", slot=1), only(4, 2), None),
        (action("pin", slot=9), only(1), None),
    ]
    shop = Shop(SCORES, rules)
    assert shop.list_of(5) == [2, 0, 4, 1, 3]
    assert shop.movers(5) == [{2}, set(), {0}, set(), set()]


def test_pins_behind_the_end_of_a_list_move_up_to_it() -> None:
    brands = [0, 0, 0, 0, 1]
    rules = [
        (action("cap", most=1), None, brands),
        (action("pin", slot=4), only(4), None),
        (action("pin", slot=5), only(3), None),
    ]
    shop = Shop(SCORES, rules)
    # The item of brand 0 that is pinned counts from the beginning: no other one has room.
    assert shop.list_of(5) == [4, 3]
    assert shop.arranged(5).kept_out.tolist() == [[True, False, False]]
    assert Shop(SCORES[:2], [(action("pin", slot=9), only(0, of=2), None)]).list_of(9) == [1, 0]


def test_caps_are_kept_though_the_list_gets_shorter() -> None:
    rules = [(action("cap", most=2), None, [7, 7, 7, 3, 7]), (action("cap", most=1), None, [-1] * 5)]
    shop = Shop(SCORES, rules)
    assert shop.list_of(2) == [0, 1]
    assert shop.movers(2) == [set(), set()]
    assert shop.list_of(4) == [0, 1, 3]
    assert shop.movers(4) == [set(), set(), {0}]
    assert shop.arranged(4).kept_out.tolist() == [[True, False]]
    assert shop.arranged(3).kept_out.tolist() == [[False, False]]


def test_a_cap_counts_the_items_that_it_acts_on() -> None:
    rules = [(action("cap", most=1), only(0, 2, 3), [1] * 5)]
    assert Shop(SCORES, rules).list_of(5) == [0, 1, 4]


def test_a_cap_of_windows_holds_in_each_of_them_also_before_pins() -> None:
    brands = [1, 1, 2, 1, 2]
    shop = Shop(SCORES, [(action("cap", most=1, window=2), None, brands)])
    assert shop.list_of(4) == [0, 2, 1, 4]
    assert shop.movers(4) == [set(), {0}, {0}, {0}]
    assert shop.list_of(5) == [0, 2, 1, 4, 3]
    pinned = [(action("cap", most=1, window=2), None, brands), (action("pin", slot=2), only(3), None)]
    assert Shop(SCORES, pinned).list_of(4) == [2, 3, 4, 0]


def test_a_window_looks_ahead_for_the_group_that_is_hardest_to_place() -> None:
    # By score: b, a, b, a and then only a is left. The three of brand a need the slots 1, 3 and 5.
    shop = Shop(SCORES, [(action("cap", most=1, window=2), None, [2, 1, 2, 1, 1])])
    assert shop.list_of(5) == [1, 0, 3, 2, 4]
    assert shop.movers(5)[0] == {0}
    assert not shop.arranged(5).kept_out.any()


def test_every_beginning_has_its_share_of_promoted_items() -> None:
    scores = [float(-place) for place in range(10)]
    shop = Shop(scores, [(action("promote", share=0.4), only(7, 8, 9, of=10), None)])
    # floor(.4 n): one from 3 on, two from 5 on, three from 8 on.
    assert shop.list_of(8) == [0, 1, 7, 2, 8, 3, 4, 9]
    assert shop.movers(8) == [set(), set(), {0}, set(), {0}, set(), set(), {0}]
    first = Shop(scores, [(action("promote", share=0.4), only(0, 1, 2, of=10), None)])
    assert first.list_of(8) == list(range(8))
    assert not first.arranged(8).moved_by.any()


def test_shares_are_exact_where_binary_numbers_are_not() -> None:
    scores = [float(-place) for place in range(200)]
    shop = Shop(scores, [(action("promote", share=0.29), [place >= 100 for place in range(200)], None)])
    assert sum(item >= 100 for item in shop.list_of(100)) == 29


def test_promotion_takes_what_there_is_and_caps_win() -> None:
    few = Shop(SCORES, [(action("promote", share=1), only(4), None)])
    assert few.list_of(3) == [4, 0, 1]
    rules = [(action("promote", share=1), only(3, 4), None), (action("cap", most=1), None, [0, 1, 2, 5, 5])]
    assert Shop(SCORES, rules).list_of(3) == [3, 0, 1]


def test_a_promotion_makes_up_before_a_pin_takes_the_slot() -> None:
    rules = [(action("promote", share=0.5), only(3, 4), None), (action("pin", slot=2), only(2), None)]
    # The first two slots need one of 3 and 4, and the second is taken.
    assert Shop(SCORES, rules).list_of(4) == [3, 2, 0, 4]


def test_two_promotions_find_room_for_both() -> None:
    rules = [(action("promote", share=0.5), only(3), None), (action("promote", share=0.5), only(4), None)]
    assert Shop(SCORES, rules).list_of(4) == [3, 4, 0, 1]


def test_a_promoted_item_that_is_pinned_ahead_counts() -> None:
    shop = Shop(SCORES, [(action("promote", share=0.5), only(3, 4), None), (action("pin", slot=2), only(3), None)])
    assert shop.list_of(3) == [0, 3, 1]
    assert shop.movers(3) == [set(), {1}, set()]


def test_where_two_promotions_have_one_slot_the_first_gets_it() -> None:
    rules = [(action("promote", share=1), only(4), None), (action("promote", share=1), only(3), None)]
    assert Shop(SCORES, rules).list_of(3) == [4, 3, 0]


def test_a_promotion_moves_nothing_that_would_stand_there_anyway() -> None:
    shop = Shop(SCORES, [(action("promote", share=1), only(0, 1, 2, 3, 4), None)])
    assert shop.list_of(5) == [0, 1, 2, 3, 4]
    assert not shop.arranged(5).moved_by.any()


def test_variety_brings_up_nothing_that_is_buried() -> None:
    rules = [(action("mmr", weight=1), None, None), (action("bury"), only(2, of=3), None)]
    assert Shop([1.0, 0.5, 0.0], rules, vectors=[[1, 0], [1, 0], [0, 1]]).list_of(3) == [0, 1, 2]


def test_of_two_rules_of_variety_the_one_that_moved_an_item_is_named() -> None:
    rules = [(action("mmr", weight=1), None, None), (action("calibrate", weight=0.1), None, [1, 1, 1])]
    shop = Shop([1.0, 0.5, 0.0], rules, vectors=[[1, 0], [1, 0], [0, 1]], history=[0])
    assert shop.list_of(3) == [0, 2, 1]
    assert shop.movers(3) == [set(), {0}, {0}]


@pytest.mark.parametrize(("weight", "expected"), [(0.2, [0, 1, 2]), (0.3, [0, 2, 1])])
def test_divergence_weighs_as_much_as_the_mean_utility_of_a_list(weight: float, expected: list[int]) -> None:
    # Half of the history is of either group; two items of one of them differ by .425 of the greatest divergence.
    # Utilities of -.22 and -1.10: .8 * .88 / 3 is more than .2 * 2 * .425, and .7 * .88 / 3 less than .3 * 2 * .425.
    shop = Shop([1.2, -0.2, -1.0], [(action("calibrate", weight=weight), None, [1, 1, 2])], history=[0, 2])
    assert divergence(shop, [0, 1], 0) / math.log(100) == pytest.approx(0.425, abs=5e-4)
    assert shop.list_of(3) == expected


def test_the_example_of_the_docs() -> None:
    """That of "How a list is arranged", docs/rules.md."""
    scores, brands = [2.0, 1.6, 1.2, 1.0, 0.6, 0.2, -0.6], [1, 1, 1, 2, 2, 3, 3]
    pin, promotion, cap, boost = range(4)
    rules = [
        (action("pin", slot=2), only(6, of=7), None),
        (action("promote", share=0.25), only(4, 5, of=7), None),
        (action("cap", most=2), None, brands),
        (action("boost", by=0.5), only(5, of=7), None),
    ]
    shop = Shop(scores, rules)
    worth, _ = utilities(shop)
    assert [round(value, 2) for value in worth] == [1.41, 0.91, 0.42, 0.18, -0.32, -0.31, -1.79]
    assert ["ABCDEFG"[item] for item in shop.list_of(5)] == ["A", "G", "B", "F", "D"]
    assert shop.movers(5) == [set(), {pin}, set(), {cap, promotion, boost}, {cap}]


def test_mmr_by_hand() -> None:
    # Directions at 0, 0, 90 and 60 degrees. Utilities of 3, 1, -1, -3: sqrt(5) to a unit.
    root = math.sqrt(3)
    vectors = [[1, 0], [5, 0], [0, 2], [1, root]]
    scores = [3.0, 1.0, -1.0, -3.0]
    shop = Shop(scores, [(action("mmr", weight=0.5), None, None)], vectors=vectors)
    # Utilities / 3: .447, .149, -.149, -.447. Slot 2: .149 - 1, -.149 - 0, -.447 - .5. Slot 3: .149 - 1, -.447 - .866.
    assert shop.list_of(4) == [0, 2, 1, 3]
    assert shop.movers(4) == [set(), {0}, {0}, set()]
    assert Shop(scores, [(action("mmr", weight=0.2), None, None)], vectors=vectors).list_of(4) == [0, 1, 2, 3]
    # Nothing but variety: cosines of 1, 0 and .5; then of 1 and .866.
    assert Shop(scores, [(action("mmr", weight=1), None, None)], vectors=vectors).list_of(4) == [0, 2, 3, 1]
    assert Shop(scores, [(action("mmr", weight=0), None, None)], vectors=vectors).list_of(4) == [0, 1, 2, 3]


def test_mmr_takes_nothing_off_items_that_it_does_not_act_on() -> None:
    vectors, alike = [[1, 0], [1, 0], [1, 0], [0, 1]], [3.0, 1.0, 0.9, -3.0]
    shop = Shop(alike, [(action("mmr", weight=0.9), only(0, 1, of=4), None)], vectors=vectors)
    # Items 1 and 2 are both like the first one; the rule is about the former alone.
    assert shop.list_of(4) == [0, 2, 3, 1]
    assert shop.movers(4) == [set(), {0}, {0}, {0}]


def test_an_item_without_direction_is_like_none() -> None:
    shop = Shop([1.0, 0.5, 0.0], [(action("mmr", weight=1), None, None)], vectors=[[1, 0], [1, 0], [0, 0]])
    assert shop.list_of(3) == [0, 2, 1]


def test_stecks_divergence_by_hand() -> None:
    # History: 3/4 of group 1 and 1/4 of group 2; a list of one item of group 1.
    shop = Shop([0.0, 0.0], [(action("calibrate", weight=1), None, [1, 2])], history=[0, 0, 0, 1])
    smoothed = 0.99 * 1 + 0.01 * 0.75
    by_hand = 0.75 * math.log(0.75 / smoothed) + 0.25 * math.log(0.25 / (0.01 * 0.25))
    assert divergence(shop, [0], 0) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.9374, abs=1e-4)


def test_a_calibrated_list_has_the_historys_mix() -> None:
    groups = [1] * 6 + [2] * 3 + [3] * 3
    history = [0, 1, 2, 6]  # 3/4 of group 1, 1/4 of group 2
    scores = [float(-place) for place in range(12)]
    mixes = []
    for weight in (0.0, 0.6, 1.0):
        listed = Shop(scores, [(action("calibrate", weight=weight), None, groups)], history=history).list_of(8)
        mixes.append([sum(groups[item] == group for item in listed) for group in (1, 2, 3)])
    assert mixes == [[6, 2, 0], [6, 2, 0], [6, 2, 0]]
    reverse = [float(-place) for place in range(12)]
    groups = groups[::-1]
    mixes = []
    for weight in (0.0, 1.0):
        listed = Shop(reverse, [(action("calibrate", weight=weight), None, groups)], history=[11, 10, 9, 3]).list_of(8)
        mixes.append([sum(groups[item] == group for item in listed) for group in (1, 2, 3)])
    assert mixes == [[2, 3, 3], [6, 2, 0]]


def test_items_of_the_latest_group_lose_when_the_list_is_chosen() -> None:
    # Items 0 and 1 are of the group of the latest item of the history, 2 and 3 of the other one; a unit is 1.118.
    def listed(**numbers: Any) -> list[int]:
        rule = action("calibrate", weight=0.01, **numbers), None, [1, 1, 2, 2]
        return Shop([3.0, 2.0, 1.0, 0.0], [rule], history=[2, 0]).list_of(3)

    assert listed() == [0, 1, 2]
    assert listed(latest=1) == [0, 2, 1]
    assert listed(latest=3) == [2, 3, 0]
    assert listed(latest=3, order="score") == [0, 2, 3]


def test_the_latest_item_is_the_last_one_with_a_group() -> None:
    rule = action("calibrate", weight=0.01, latest=3), None, [1, 1, 2, 2, -1]
    assert Shop([3.0, 2.0, 1.0, 0.0], [rule], history=[2, 0, 4]).list_of(2) == [2, 3]


def test_a_history_without_groups_calibrates_nothing() -> None:
    shop = Shop(SCORES, [(action("calibrate", weight=1), None, [-1, 1, 2, 3, 4])], history=[0])
    assert shop.list_of(5) == [0, 1, 2, 3, 4]
    assert not shop.arranged(5).moved_by.any()


def test_rules_act_for_the_queries_that_they_are_for() -> None:
    shop = Shop(SCORES, [])
    rules = [
        ArrangingRule(4, action("boost", by=3), np.array(only(3))),
        ArrangingRule(1, action("bury"), np.array(only(0))),
    ]
    ready = ArrangingRules.of(rules, 6, np.ones(5, np.float32))
    arrangement = ready.arrangement(np.array([[True, False], [False, False], [False, True]]), np.full(3, np.nan))
    assert arrangement is not None
    arranged = arrangement.choose(shop.queries(3), shop.pool(3, 7), 6)
    assert arranged.columns.tolist() == [[3, 0, 1, 2, 4, -1], [0, 1, 2, 3, 4, -1], [1, 2, 3, 4, 0, -1]]
    assert np.argwhere(arranged.moved_by).tolist() == [[0, 0, 4], [2, 4, 1]]
    assert arranged.kept_out.shape == (3, 6)
    assert ready.arrangement(np.zeros((3, 2), np.bool_), np.full(3, np.nan)) is None


def test_loops_are_compiled_once_whether_arrays_come_from_files_or_not() -> None:
    shop = Shop(SCORES, [])
    queries, pool, active, means = shop.queries(1), shop.pool(1, 7), np.ones((1, 1), np.bool_), np.full(1, np.nan)
    rules = [ArrangingRule(0, action("mmr", weight=0.5))]
    for writeable in (True, False):
        vectors, prices = np.ones((5, 2), np.float16), np.ones(5, np.float32)
        arrays = [vectors, prices, pool.items, pool.scores, queries.histories.items, queries.histories.indptr, active]
        for array in arrays:
            array.flags.writeable = writeable
        arrangement = ArrangingRules.of(rules, 1, prices, vectors).arrangement(active, means)
        assert arrangement is not None
        assert arrangement.choose(queries, pool, 2).columns.tolist() == [[0, 1]]
    assert len(getattr(arrange_lists, "signatures", ["in plain Python"])) == 1


def test_a_table_holds_a_bit_for_each_rule_and_groups_of_all_items_once() -> None:
    brands, some = np.array([4, 5, 4], np.int32), np.array([True, False, True])
    rules = [ArrangingRule(place, action("boost", by=1), np.arange(3) == place % 3) for place in range(9)]
    rules += [ArrangingRule(9 + place, action("cap", most=1), some if place else None, brands) for place in range(2)]
    rules += [ArrangingRule(11, action("cap", most=2, window=3), None, brands)]
    table = rule_table(rules, 3)
    bits = np.unpackbits(table.members, axis=1, bitorder="little").astype(bool)
    assert bits.shape == (3, 16)
    for place, rule in enumerate(rules):
        assert bits[:, place].tolist() == [rule.items is None or bool(rule.items[item]) for item in range(3)]
    assert not bits[:, 12:].any()
    assert table.grouping.tolist() == [-1] * 9 + [0, 1, 0]
    assert table.groups.tolist() == [[4, 4], [5, -1], [4, 4]]


def test_an_empty_pool_gives_an_empty_list() -> None:
    arranged = Shop([], [(action("cap", most=1), None, [1]), (action("pin", slot=1), [True], None)]).arranged(3)
    assert arranged.columns.tolist() == [[NO_ITEM] * 3]
    assert not arranged.kept_out.any()


def test_arrays_that_do_not_fit_are_refused() -> None:
    prices = np.ones(3, np.float32)
    with pytest.raises(ValueError, match="each of 3 items"):
        ArrangingRules.of([ArrangingRule(0, action("bury"), np.ones(2, np.bool_))], 1, prices)
    with pytest.raises(ValueError, match="needs groups"):
        ArrangingRules.of([ArrangingRule(0, action("cap", most=1))], 1, prices)
    with pytest.raises(ValueError, match="need a vector"):
        ArrangingRules.of([ArrangingRule(0, action("mmr", weight=0.5))], 1, prices)
