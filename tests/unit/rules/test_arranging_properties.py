"""Any rules on any small pool: lists keep what rules promise, and each choice is the best by a second opinion."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.types import BoolArray
from tests.support.arranging import Shop, action, calibration_loss, keeps_caps, likeness, utilities, worth_of

ITEMS = 9
TOLERANCE = 1e-5  # cosines are computed in single precision

masks = st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS)
some = st.one_of(st.none(), masks)
codes = st.lists(st.integers(-1, 2), min_size=ITEMS, max_size=ITEMS)
shares = st.sampled_from([0.1, 0.25, 0.29, 0.3, 0.5, 0.75, 1.0])
weights = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])


def ruled(made: st.SearchStrategy[Any], items: Any, groups: Any = None) -> st.SearchStrategy[Any]:
    return st.tuples(made, items, st.none() if groups is None else groups)


boosts = ruled(st.builds(lambda by: action("boost", by=by), st.sampled_from([0.3, 1.0, 3.0])), masks)
buries = ruled(st.just(action("bury")), masks)
upsells = ruled(st.builds(lambda weight: action("upsell", factor=1, weight=weight), weights), some)
price_fits = ruled(st.builds(lambda weight: action("price_fit", weight=weight, tolerance=1.2), weights), some)
pins = ruled(st.builds(lambda slot: action("pin", slot=slot), st.integers(1, 10)), masks)
promotions = ruled(st.builds(lambda share: action("promote", share=share), shares), masks)
caps = ruled(st.builds(lambda most: action("cap", most=most), st.integers(1, 3)), some, codes)
windows = ruled(
    st.builds(lambda most, window: action("cap", most=most, window=window), st.integers(1, 2), st.integers(2, 5)),
    some,
    codes,
)
mmrs = ruled(st.builds(lambda weight: action("mmr", weight=weight), weights), some)
latest = st.sampled_from([0.0, 0.5, 1.5])
calibrations = ruled(
    st.builds(lambda weight, least: action("calibrate", weight=weight, latest=least), weights, latest), some, codes
)
without_windows = st.one_of(boosts, buries, upsells, price_fits, pins, promotions, caps, mmrs, calibrations)
anything = st.one_of(without_windows, windows)


@st.composite
def shops(draw: st.DrawFn, rules: st.SearchStrategy[Any]) -> Shop:
    ranked = draw(st.lists(st.integers(0, 40), max_size=ITEMS))
    scores = [score / 4 for score in sorted(ranked, reverse=True)]
    popular = draw(st.integers(0, ITEMS - len(scores)))
    seed = draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    prices = st.sampled_from([math.nan, 1.0, 8.0, 10.0, 13.0, 30.0])
    return Shop(
        [*scores, *[100.0] * popular],
        draw(st.lists(rules, min_size=1, max_size=5)),
        popular,
        draw(st.lists(prices, min_size=ITEMS, max_size=ITEMS)),
        draw(st.sampled_from([math.nan, 10.0])),
        rng.normal(size=(ITEMS, 3)).tolist(),
        draw(st.lists(st.integers(0, ITEMS - 1), max_size=6)),
        ITEMS,
    )


def placed_pins(shop: Shop, k: int) -> dict[int, int]:
    """By slot, the item that is pinned to it while the list is long enough."""
    worth, buried = utilities(shop)
    order = sorted(range(len(shop.scores)), key=lambda item: (buried[item], -np.float32(worth[item]), item))
    placed: dict[int, int] = {}
    for made, items, _ in shop.rules:
        if made.type != "pin" or made.slot > k or made.slot - 1 in placed:
            continue
        best = next((item for item in order if (items is None or items[item]) and item not in placed.values()), None)
        if best is not None:
            placed[made.slot - 1] = best
    return placed


@settings(max_examples=200, deadline=None)
@given(shops(anything), st.integers(1, 10))
def test_lists_are_sound_whatever_the_rules(shop: Shop, k: int) -> None:
    arranged = shop.arranged(k, copies=2)
    first, second = arranged.columns.tolist()
    assert first == second
    listed = [column for column in first if column >= 0]
    assert first == listed + [-1] * (k - len(listed))
    assert len(set(listed)) == len(listed) <= k
    assert all(column < len(shop.scores) for column in listed)
    assert not arranged.moved_by[0, len(listed) :].any()
    pinned = placed_pins(shop, k)
    for slot, item in pinned.items():
        assert item in listed
        assert listed.index(item) == slot or (len(listed) < k and listed.index(item) < slot)
    capped = any(made.type == "cap" for made, _, _ in shop.rules)
    if not capped:
        assert len(listed) == min(k, len(shop.scores))
    elif keeps_caps(shop, [item if item in pinned.values() else None for item in listed]):
        assert keeps_caps(shop, list(listed))
    left = [item for item in range(len(shop.scores)) if item not in listed]
    assert arranged.kept_out[0].any() == (len(listed) < k and bool(left))
    if len(listed) < k:
        # Nothing that is left out could stand behind the list.
        assert not any(fits_behind(shop, listed, item) for item in left)
    for index in np.flatnonzero(arranged.kept_out[0]):
        assert shop.rules[index][0].type == "cap"


@settings(max_examples=200, deadline=None)
@given(shops(anything), st.integers(1, 5), st.integers(5, 10))
def test_a_list_goes_on_behind_what_was_shown(shop: Shop, shown: int, k: int) -> None:
    before = [column for column in shop.arranged(shown).columns[0].tolist() if column >= 0]
    arranged = shop.arranged(k, after=before)
    listed = [column for column in arranged.columns[0].tolist() if column >= 0]
    assert listed[: len(before)] == before
    assert len(set(listed)) == len(listed) <= k
    of_pins = [index for index, (made, _, _) in enumerate(shop.rules) if made.type == "pin"]
    slots = np.flatnonzero(arranged.moved_by[0][:, of_pins].any(axis=1)).tolist()
    fixed = {*before, *[listed[slot] for slot in slots]}  # which stay whatever caps say
    if keeps_caps(shop, [item if item in fixed else None for item in listed]):
        assert keeps_caps(shop, list(listed))
    if len(listed) < k:
        left = [item for item in range(len(shop.scores)) if item not in listed]
        assert not any(fits_behind(shop, listed, item) for item in left)


def fits_behind(shop: Shop, listed: list[int], item: int) -> bool:
    """Whether caps let an item stand behind a list: the last window with it holds no more of its group than it may."""
    for made, items, groups in shop.rules:
        if made.type != "cap" or groups[item] < 0 or not (items is None or items[item]):
            continue
        longer = [*listed, item]
        last = longer[-(made.window or len(longer)) :]
        if sum(groups[other] == groups[item] and (items is None or items[other]) for other in last) > made.most:
            return False
    return True


@settings(max_examples=300, deadline=None)
@given(shops(anything), st.integers(1, 10))
def test_each_choice_is_the_best_one(shop: Shop, k: int) -> None:
    arranged = shop.arranged(k)
    listed = [column for column in arranged.columns[0].tolist() if column >= 0]
    worth, buried = utilities(shop)
    pins = {listed.index(item): item for item in placed_pins(shop, k).values()}
    looks_ahead = any(made.type == "cap" and made.window for made, _, _ in shop.rules)
    for slot, chosen in enumerate(listed):
        if slot in pins:
            continue
        before = listed[:slot]
        open_list: list[int | None] = [*before, *[pins.get(place) for place in range(slot, k)]]
        fitting = [
            item
            for item in range(len(shop.scores))
            if item not in before and item not in pins.values() and fits(shop, open_list, slot, item)
        ]
        assert chosen in fitting
        if looks_ahead:
            continue
        wanted = demanded(shop, open_list, slot, fitting)
        candidates = [item for item in fitting if item in wanted] or fitting
        assert chosen in candidates
        candidates = [item for item in candidates if not buried[item]] or candidates
        assert chosen in candidates
        best = max(worth_of(shop, item, before, worth[item]) for item in candidates)
        assert worth_of(shop, chosen, before, worth[chosen]) >= best - TOLERANCE
        check_why(shop, arranged.moved_by[0, slot], chosen, before, fitting, candidates, worth, buried)


def check_why(
    shop: Shop,
    movers: BoolArray,
    chosen: int,
    before: list[int],
    fitting: list[int],
    candidates: list[int],
    worth: list[float],
    buried: list[bool],
) -> None:
    """The rules that are named moved the item; of those that follow from the slot alone none is missing."""
    for index, (made, items, _) in enumerate(shop.rules):
        acts_on = items is None or items[chosen]
        if made.type in {"boost", "bury"}:
            assert movers[index] == acts_on
        elif made.type == "pin":
            assert not movers[index]
        elif made.type == "promote":
            better = [item for item in fitting if item not in candidates]
            assert not movers[index] or (acts_on and better)
        elif made.type == "mmr" and made.weight > 0:
            first = sorted(candidates, key=lambda item: (buried[item], -np.float32(worth[item]), item))[0]
            acting = next(place for place, rule in enumerate(shop.rules) if rule[0].type == "mmr")
            if chosen != first and acting == index:
                ours, theirs = (likeness(shop, item, before, index) for item in (chosen, first))
                assert movers[index] or theirs <= ours + TOLERANCE
        elif made.type == "calibrate" and made.weight > 0:
            first = sorted(candidates, key=lambda item: (buried[item], -np.float32(worth[item]), item))[0]
            acting = next(place for place, rule in enumerate(shop.rules) if rule[0].type == "calibrate")
            if chosen != first and acting == index:
                ours, theirs = (calibration_loss(shop, item, before, index) for item in (chosen, first))
                assert movers[index] or theirs <= ours + TOLERANCE


@settings(max_examples=300, deadline=None)
@given(shops(anything), calibrations, st.integers(1, 10))
def test_what_was_chosen_may_stand_in_the_order_of_the_scores(shop: Shop, calibration: Any, k: int) -> None:
    made, items, groups = calibration
    shop.rules = [calibration, *shop.rules]
    chosen, chosen_movers, kept_out = shop.list_of(k), shop.movers(k), shop.arranged(k).kept_out.tolist()
    shop.rules = [(made.model_copy(update={"order": "score"}), items, groups), *shop.rules[1:]]
    listed, movers = shop.list_of(k), shop.movers(k)
    if made.weight == 0 or any(other.type == "cap" and other.window for other, _, _ in shop.rules):
        assert (listed, movers) == (chosen, chosen_movers)
        return
    assert sorted(listed) == sorted(chosen)
    assert shop.arranged(k).kept_out.tolist() == kept_out
    for item, before in zip(chosen, chosen_movers, strict=True):
        assert before <= movers[listed.index(item)]
    worth, buried = utilities(shop)
    pins = {listed.index(item): item for item in placed_pins(shop, k).values()}
    for slot, item in enumerate(listed):
        if slot in pins:
            continue
        left = [other for other in listed[slot:] if other not in pins.values()]
        open_list: list[int | None] = [*listed[:slot], *[pins.get(place) for place in range(slot, k)]]
        wanted = demanded(shop, open_list, slot, left)
        left = [other for other in left if other in wanted] or left
        assert item == min(left, key=lambda other: (buried[other], -np.float32(worth[other]), other))


def fits(shop: Shop, open_list: list[int | None], slot: int, item: int) -> bool:
    """Whether no cap forbids an item in an open slot: none of its windows holds too many of its group then."""
    for made, items, groups in shop.rules:
        if made.type != "cap" or groups[item] < 0 or not (items is None or items[item]):
            continue
        window = made.window or len(open_list)
        taken = [
            other is not None and groups[other] == groups[item] and (items is None or items[other])
            for other in open_list
        ]
        taken[slot] = True
        for start in range(max(0, slot - window + 1), slot + 1):
            if sum(taken[start : start + window]) > made.most:
                return False
    return True


def demanded(shop: Shop, open_list: list[int | None], slot: int, fitting: list[int]) -> set[int]:
    """The items of the promotions that the slot is for; none where it is for anything."""
    of_rules = [
        (made.share, {item for item in range(ITEMS) if items[item]})
        for made, items, _ in shop.rules
        if made.type == "promote"
    ]
    for end in range(slot + 1, len(open_list) + 1):
        free = sum(item is None for item in open_list[slot:end])
        total, wanted = 0, set()
        for share, ours in of_rules:
            has = sum(item in ours for item in open_list[:end])
            lacking = max(0, min(math.floor(share * end + 1e-9) - has, free, len(ours & set(fitting))))
            if lacking and total < free:
                wanted |= ours
            total += lacking
        if total >= free > 0:
            return wanted
    return set()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(promotions, pins), min_size=1, max_size=3), st.integers(2, 5), st.integers(2, 5))
def test_shares_are_met_wherever_a_list_can_meet_them(rules: list[Any], size: int, k: int) -> None:
    """All lists are tried; promotions of common items may ask for more than they need, and are left out."""
    seen: set[int] = set()
    kept = []
    for made, items, _ in rules:
        ours = {item for item in range(ITEMS) if items[item]}
        if made.type == "promote" and ours & seen:
            continue
        seen |= ours if made.type == "promote" else set()
        kept.append((made, items, None))
    shop = Shop([float(-place) for place in range(size)], kept, items=ITEMS)
    pinned, listed = placed_pins(shop, k), shop.list_of(k)
    if any(slot >= len(listed) for slot in pinned):
        return
    satisfiable = any(
        meets_shares(shop, list(other)) and all(other[slot] == item for slot, item in pinned.items())
        for other in permutations(range(size), len(listed))
    )
    if satisfiable:
        assert meets_shares(shop, listed)


def meets_shares(shop: Shop, listed: list[int]) -> bool:
    return all(
        sum(items[item] for item in listed[:end]) >= math.floor(made.share * end + 1e-9)
        for made, items, _ in shop.rules
        if made.type == "promote" and items is not None
        for end in range(1, len(listed) + 1)
    )


@settings(max_examples=150, deadline=None)
@given(shops(caps), st.integers(1, 6))
def test_a_single_cap_leaves_lists_as_long_as_they_can_be(shop: Shop, k: int) -> None:
    shop.rules = shop.rules[:1]
    longest = max(
        length
        for length in range(min(k, len(shop.scores)) + 1)
        if any(keeps_caps(shop, list(other)) for other in some_lists(shop, length))
    )
    assert len(shop.list_of(k)) == longest


def some_lists(shop: Shop, length: int) -> list[tuple[int, ...]]:
    """The list of so many items that takes from each group as evenly as possible; order does not matter to a cap."""
    _, items, groups = shop.rules[0]
    taken: dict[int, int] = {}
    rank = []
    for item in range(len(shop.scores)):
        code = groups[item] if (items is None or items[item]) and groups[item] >= 0 else -1 - item
        taken[code] = taken.get(code, 0) + 1
        rank.append((taken[code], item))
    return [tuple(item for _, item in sorted(rank)[:length])]


@settings(max_examples=100, deadline=None)
@given(shops(windows), st.integers(1, 10))
def test_where_nothing_scarce_is_left_windows_cost_no_item(shop: Shop, k: int) -> None:
    """With as many items of no group behind them as a list holds, no list is short."""
    scores = [float(place) for place in range(ITEMS, -k, -1)]
    more = Shop(scores, shop.rules, items=len(scores))
    assert len(more.list_of(k)) == k


@settings(max_examples=100, deadline=None)
@given(shops(st.one_of(mmrs, calibrations, upsells, price_fits)), st.integers(1, 10))
def test_rules_of_no_weight_leave_the_rankers_order(shop: Shop, k: int) -> None:
    kinds = {
        "mmr": action("mmr", weight=0),
        "calibrate": action("calibrate", weight=0),
        "upsell": action("upsell", weight=0),
        "price_fit": action("price_fit", weight=0),
    }
    shop.rules = [(kinds[made.type], items, groups) for made, items, groups in shop.rules]
    assert shop.list_of(k) == list(range(min(k, len(shop.scores))))
    assert not shop.arranged(k).moved_by.any()
