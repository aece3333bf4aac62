"""A rule set through the whole pipeline: each action does to lists what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recsys.core.queries import Queries
from recsys.core.types import Int32Array
from recsys.pipeline.allow import Among
from recsys.pipeline.recommendations import Recommendations
from recsys.rules.policy import fault_of
from recsys.rules.rule import Rule
from tests.support.bundles import DAY
from tests.support.rule_sets import NOW, SmallShop, rule

USERS = [1, 4, 7]
STRANGER = 29


def one_of(*items: int) -> str:
    """Those items."""
    return "item.id in [" + ", ".join(f'"item{item}"' for item in items) + "]"


def lists(shop: SmallShop, *rules: Rule, user: int = 4, k: int = 10, **asked: object) -> Recommendations:
    """The list of one user."""
    policy = shop.compiled(*rules).bound(None, {}) if rules else None
    return shop.recommender.recommend(shop.queries.select([user]), k, policy=policy, **asked)


def items(shop: SmallShop, *rules: Rule, **asked: object) -> list[int]:
    return [item for item in lists(shop, *rules, **asked).items[0].tolist() if item >= 0]


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest) -> int:
    made: int = request.param
    return made


def ranked(shop: SmallShop, user: int) -> list[int]:
    """All finalists of a user in their order."""
    trace = shop.recommender.trace(shop.queries.select([user]), 10)
    assert trace.ranked is not None
    return [item for item in trace.ranked.in_order.items[0].tolist() if item >= 0]


def test_hide_takes_items_out(shop: SmallShop, user: int) -> None:
    order = ranked(shop, user)
    hidden = order[0], order[3]
    made = items(shop, rule("r", "hide", one_of(*hidden)), user=user)
    assert made == [item for item in order if item not in hidden][:10]


def test_hide_holds_for_popular_items_and_leaves_shorter_lists_than_asked_for(shop: SmallShop) -> None:
    popular = items(shop, user=STRANGER)
    assert items(shop, rule("r", "hide", one_of(popular[0])), user=STRANGER)[:9] == popular[1:]
    made = lists(shop, rule("all-but-two", "hide", f"!({one_of(popular[0], popular[5])})"), user=STRANGER)
    assert made.items[0].tolist() == [popular[0], popular[5], *[-1] * 8]
    assert made.moves is not None
    assert made.moves.shortened_by.tolist() == [[True]]


def test_where_rules_leave_little_of_what_is_proposed_sources_are_asked_for_more(shop: SmallShop) -> None:
    trace = shop.recommender.trace(shop.queries.select([4]), 10)
    proposed = {item for part in trace.proposals.values() for item in part[0].tolist() if item >= 0}
    assert 10 < len(proposed) < 100
    made = lists(shop, rule("r", "hide", one_of(*proposed)))
    assert made.personal.tolist() == [10]
    assert not set(made.items[0].tolist()) & proposed
    few = list(proposed)[: len(proposed) // 4]
    narrowed = shop.recommender.trace(
        shop.queries.select([4]), 10, policy=shop.compiled(rule("r", "hide", one_of(*few))).bound()
    )
    found = {item for part in narrowed.proposals.values() for item in part[0].tolist() if item >= 0}
    assert found == proposed - set(few)


def test_require_leaves_nothing_else(shop: SmallShop, user: int) -> None:
    order = ranked(shop, user)
    kept = order[2], order[5], order[8]
    assert sorted(items(shop, rule("r", "require", one_of(*kept)), user=user)) == sorted(kept)
    two = rule("a", "require", one_of(*kept)), rule("b", "require", one_of(order[5], order[1]))
    assert items(shop, *two, user=user) == [order[5]]


def test_boost_and_bury_move_items_by_units(shop: SmallShop, user: int) -> None:
    order = ranked(shop, user)
    assert items(shop, rule("r", "bury", one_of(order[0])), user=user) == order[1:11]
    trace = shop.recommender.trace(shop.queries.select([user]), 10)
    assert trace.ranked is not None
    scores = trace.ranked.in_order.scores[0].astype(np.float64)
    scores = scores[np.isfinite(scores)]
    utilities = (scores - scores.mean()) / scores.std()
    utilities[15] += 1.5
    expected = [order[place] for place in np.argsort(-utilities, kind="stable")[:10]]
    made = lists(shop, rule("r", "boost", one_of(order[15]), by=1.5), user=user)
    assert made.items[0].tolist() == expected
    assert made.moves is not None
    if order[15] in expected:
        place = expected.index(order[15])
        assert made.moves.ranks_before[0, place] == 16
        assert made.moves.moved_by[0, place].tolist() == [True]


def test_pin_puts_an_item_into_its_slot(shop: SmallShop, user: int) -> None:
    order = ranked(shop, user)
    others = [item for item in order if item != order[20]]
    made = items(shop, rule("r", "pin", one_of(order[20]), slot=3), user=user)
    assert made == [*others[:2], order[20], *others[2:9]]
    assert items(shop, rule("r", "pin", one_of(order[20]), slot=11), user=user) == order[:10]


def test_pin_finds_items_that_nobody_proposes(shop: SmallShop) -> None:
    for user in (4, STRANGER):
        proposed = set(items(shop, user=user, k=100))
        unknown = next(item for item in range(119, 0, -1) if item not in proposed)
        assert items(shop, rule("r", "pin", one_of(unknown), slot=1), user=user)[0] == unknown


def test_promote_gives_every_beginning_its_share(shop: SmallShop, user: int) -> None:
    order = ranked(shop, user)
    chosen = order[12], order[16], order[22]
    made = items(shop, rule("r", "promote", one_of(*chosen), share=0.2), user=user)
    others = [item for item in order if item not in chosen]
    assert made == [*others[:4], chosen[0], *others[4:8], chosen[1]]


def test_cap_lets_so_many_of_a_group_in(shop: SmallShop, user: int) -> None:
    expected: list[int] = []
    for item in ranked(shop, user):
        brand = shop.things[item].brand
        if brand is None or [shop.things[other].brand for other in expected].count(brand) < 2:
            expected.append(item)
    assert items(shop, rule("r", "cap", by="brand", most=2), user=user)[: len(expected)] == expected[:10]


def test_prices_change_scores_by_the_formulas(shop: SmallShop, user: int) -> None:
    order = ranked(shop, user)
    trace = shop.recommender.trace(shop.queries.select([user]), 10)
    assert trace.ranked is not None
    scores = trace.ranked.in_order.scores[0].astype(np.float64)
    scores = scores[np.isfinite(scores)]
    utilities = (scores - scores.mean()) / scores.std()
    prices = np.array([shop.things[item].price or np.nan for item in order])
    ratios = np.log(prices / shop.person(user, {}).mean_price)
    dearer = utilities + np.nan_to_num(5.0 * 0.2 * np.clip(ratios, 0, np.log(2.0)))
    cheaper = utilities - np.nan_to_num(0.8 * np.maximum(0, ratios - np.log(1.5)))
    for made, expected in (
        (rule("r", "upsell", factor=5.0, weight=0.2, most=2.0), dearer),
        (rule("r", "price_fit", weight=0.8, tolerance=1.5), cheaper),
    ):
        best = np.argsort(-expected, kind="stable")[:10]
        assert items(shop, made, user=user) == [order[place] for place in best]


def test_variety_and_calibration_answer_for_what_they_move(shop: SmallShop, user: int) -> None:
    plain = items(shop, user=user)
    for made in (rule("r", "mmr", weight=0.7), rule("r", "calibrate", by="category", weight=0.99)):
        changed = lists(shop, made, user=user)
        assert changed.items[0].tolist() != plain
        assert changed.moves is not None
        assert changed.moves.moved_by.any()


def test_repurchase_holds_back_what_is_not_due_and_offers_what_is(shop: SmallShop) -> None:
    person = shop.person(4, {})
    history = set(person.items)
    assert not history & set(items(shop))
    soon, late = rule("r", "repurchase", from_share=0.1), rule("r", "repurchase", from_share=10, default_days=3650)
    assert history & set(items(shop, soon, k=40))
    days = {item: (person.now - time) / DAY for item, time in zip(person.items, person.times, strict=True)}
    due = {item for item in history if days[item] >= 10 * shop.bundle.cycles[item]}  # of those without, none
    assert 0 < len(due) < len(history)
    assert history <= set(items(shop, exclude_seen=False, k=120))
    assert history & set(items(shop, late, exclude_seen=False, k=120)) == due


@pytest.mark.parametrize("others", [(), (rule("cap", "cap", by="brand", most=3),)])
def test_what_is_offered_again_names_the_rule(shop: SmallShop, others: tuple[Rule, ...]) -> None:
    policy = shop.compiled(rule("again", "repurchase", from_share=0.1), *others).bound()
    lists = shop.recommender.recommend(shop.queries.select([4, 7, 29]), 40, policy=policy)
    assert lists.moves is not None
    again = lists.moves.moved_by[:, :, lists.moves.rules.index("again")]
    for row, user in enumerate((4, 7, 29)):
        bought = shop.person(user, {}).items
        assert again[row].tolist() == [item in bought for item in lists.items[row].tolist()]
    assert again.any()


def test_a_knob_at_zero_is_off_and_excludes_none(shop: SmallShop) -> None:
    zero = [
        rule("a", "mmr", weight=0, priority=9),
        rule("b", "calibrate", weight=0, priority=9),
        rule("c", "price_fit", weight=0, priority=9),
        rule("d", "upsell", factor=0, priority=9),
        rule("e", "upsell", weight=0, priority=9),
    ]
    assert shop.compiled(*zero).bound(None, {}) is None
    weak = rule("z", "mmr", weight=0.7)
    assert items(shop, *zero, weak) == items(shop, weak)


def test_the_highest_priority_wins_then_the_first_id(shop: SmallShop) -> None:
    order = ranked(shop, 4)
    pins = [
        rule("b", "pin", one_of(order[20]), slot=1),
        rule("a", "pin", one_of(order[21]), slot=1),
        rule("c", "pin", one_of(order[22]), slot=1, priority=-1),
    ]
    assert items(shop, *pins)[:2] == [order[21], order[0]]
    assert items(shop, *pins[::2], rule("d", "pin", one_of(order[23]), slot=1, priority=5))[0] == order[23]


def test_rules_begin_and_end_without_being_compiled_again(shop: SmallShop) -> None:
    begin = datetime.fromtimestamp(NOW, UTC)
    timed = rule("r", "hide", "item.price > 0", valid_from=begin, valid_to=begin + timedelta(hours=1))
    bound = shop.compiled(timed).bound(None, {})
    assert bound is not None
    queries = shop.queries.select([4, 4, 4, 4])
    at = replace(queries, now=np.array([NOW - 1, NOW, NOW + 3599, NOW + 3600]))
    assert bound.active(at)[:, 0].tolist() == [False, True, True, False]
    assert bound.plan(at.select([0, 3]), 10) is None


def test_rules_are_for_their_scenario_and_context(shop: SmallShop) -> None:
    compiled = shop.compiled(
        rule("home", "hide", "item.price > 0", scenario="home"),
        rule("germany", "bury", "item.price > 0", when='context.country == "DE"'),
    )

    def names(scenario: str | None, context: dict[str, str | float | bool]) -> list[str]:
        bound = compiled.bound(scenario, context)
        assert bound is not None
        active = bound.active(shop.queries.select([4]))[0]
        return [name for name, acts in zip(bound.names, active.tolist(), strict=True) if acts]

    assert names("home", {"country": "DE"}) == ["germany", "home"]
    assert names("home", {"country": "FR"}) == ["home"]
    assert names("elsewhere", {"country": "DE"}) == ["germany"]
    assert names(None, {"country": True}) == []
    assert compiled.bound("home", {"country": "DE", "unread": 1.0}) is compiled.bound("home", {"country": "DE"})
    assert compiled.bound("x") is compiled.bound("y")
    assert compiled.bound("home", {"country": True}) is not compiled.bound("home", {"country": 1.0})


def test_what_rules_read_of_a_request(shop: SmallShop) -> None:
    plain = rule("a", "hide", "item.price > 3")
    of_context = rule("b", "hide", "item.price > 3", when='context.country == "DE"')
    of_user = rule("c", "hide", "item.price > 3", when='user.id in ["user1"]')
    compiled = shop.compiled(plain, of_context, of_user, rule("d", "repurchase"))
    assert compiled.reads_user_id
    assert compiled.reads_purchases
    assert [one.id for one in compiled.for_anyone.rules] == ["a", "b", "d"]
    assert not compiled.for_anyone.reads_user_id
    bound = shop.compiled(of_user).bound()
    assert bound is not None
    named = replace(shop.queries.select([1, 1, 4]), ids=("user1", None, "user4"))
    assert bound.active(named)[:, 0].tolist() == [True, False, False]


def test_what_a_bundle_cannot_follow_is_off_and_named(shop: SmallShop) -> None:
    field = rule("field", "hide", 'item.price > 3 && item.colour == "red"')
    group = rule("group", "cap", by="seller", most=1)
    user = rule("user", "bury", "item.price > 3", when='user.segment == 3 && context.x == "y"')
    off = rule("off", "hide", "item.nothing == 1", enabled=False)
    good = rule("good", "hide", "item.price > 3")
    compiled = shop.compiled(field, group, user, off, good)
    assert [one.id for one in compiled.rules] == ["good"]
    assert list(compiled.faults) == ["field", "group", "user"]
    fault = fault_of(field, shop.base)
    assert fault is not None
    assert (fault.part, fault.position, fault.line, fault.column) == ("where", 18, 1, 19)
    assert "item.price" in fault.fields
    group_fault = compiled.faults["group"]
    assert (group_fault.part, group_fault.position) == ("action.by", None)
    assert group_fault.fields == ("brand", "category", "top_category")
    assert compiled.faults["user"].part == "when"
    assert fault_of(good, shop.base) is None


def test_forbidding_names_the_rules(shop: SmallShop) -> None:
    history = shop.person(4, {}).items
    bound = shop.compiled(
        rule("hides", "hide", one_of(1, 2)),
        rule("holds", "repurchase", from_share=10, default_days=3650),
        rule("requires", "require", one_of(2, 3, history[0])),
        rule("strangers", "hide", one_of(3), when="user.new"),
    ).bound()
    assert bound is not None
    asked: Int32Array = np.array([[1, 2, 3, history[0], -1]] * 2, np.int32)
    forbidding = bound.forbidding(shop.queries.select([4, STRANGER]), asked)
    named = [[{bound.names[r] for r in np.flatnonzero(item)} for item in row] for row in forbidding]
    assert named[0] == [{"hides", "requires"}, {"hides"}, set(), {"holds"}, set()]
    assert named[1] == [{"hides", "requires"}, {"hides"}, {"strangers"}, set(), set()]


def test_what_moves_items_and_what_is_left_without_it(shop: SmallShop) -> None:
    rules = [
        rule("hidden", "hide", one_of(1)),
        rule("mix", "mmr", weight=0.5, priority=2),
        rule("other-mix", "mmr", weight=0.1, priority=1),
        rule("never", "bury", one_of(2), when="false"),
        rule("again", "repurchase"),
    ]
    policy, query = shop.compiled(*rules).bound(), shop.queries.select([4])
    assert policy is not None
    moving = dict(zip(policy.names, policy.moving(query)[0].tolist(), strict=True))
    assert moving == {"mix": True, "other-mix": True, "again": True, "hidden": False, "never": False}
    left = policy.without(["mix", "never"])
    assert left is not None
    assert left.names == ("other-mix", "again", "hidden")
    alone = shop.compiled(*(rules[number] for number in (0, 2, 4))).bound()
    lists = [shop.recommender.recommend(query, 10, policy=one).items.tolist() for one in (left, alone)]
    assert lists[0] == lists[1]
    assert policy.without(policy.names) is None


def test_items_of_the_day_for_queries_of_several_days(shop: SmallShop) -> None:
    order = ranked(shop, 4)
    first = shop.things[order[0]].first
    assert first is not None
    start = -(-first // DAY) * DAY  # from the midnight after its first interaction on, it is known how old it is
    limit = (start - first) / DAY + 1.5
    aged = rule("r", "bury", f"{one_of(order[0])} && item.age > {limit}")
    bound = shop.compiled(aged).bound()
    queries = shop.queries.select([4, 4])
    young_and_old = replace(queries, now=np.array([start + DAY + 5, start + 2 * DAY + 5]))
    made = shop.recommender.recommend(young_and_old, 10, policy=bound)
    plain = shop.recommender.recommend(young_and_old, 10)
    assert made.items[0].tolist() == plain.items[0].tolist()
    assert order[0] not in made.items[1]


def test_a_plan_of_nobody(shop: SmallShop) -> None:
    bound = shop.compiled(rule("r", "pin", one_of(3), slot=1), rule("c", "cap", by="brand", most=1)).bound()
    assert bound is not None
    nobody: Queries = shop.queries.select(np.array([], np.int64))
    assert bound.plan(nobody, 10) is None


def test_rules_invite_what_the_filters_of_a_request_leave(shop: SmallShop) -> None:
    policy = shop.compiled(rule("p", "pin", "true", slot=1)).bound(None, {})
    assert policy is not None
    queries = shop.queries.select([*USERS, STRANGER])
    free = policy.plan(queries, 10)
    assert free is not None
    mask = np.ones(len(shop.things), np.bool_)
    mask[free.invited] = False
    filtered = policy.plan(queries, 10, filters=[Among(mask)])
    assert filtered is not None
    assert (filtered.invited >= 0).sum() == (free.invited >= 0).sum() > 0
    assert mask[filtered.invited].all()
