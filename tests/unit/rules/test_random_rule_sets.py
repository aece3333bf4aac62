"""Whatever rules a shop thinks of: lists keep to them as far as anything can."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from recsys.bundle import open_bundle
from recsys.core.queries import NO_ITEM
from recsys.pipeline.recommender import Recommender
from recsys.rules.base import RuleBase
from recsys.rules.policy import CompiledRules
from tests.support.bundles import DAY, make_bundle
from tests.support.rule_sets import SCENARIOS, Known, Meant, Person, SmallShop, Thing, random_rules

USERS = [0, 1, 2, 7, 12, 29]  # the last one has no history
CONTEXTS = ({}, {"country": "DE"}, {"country": "FR", "basket": 70.0}, {"basket": "many"})
Shop = tuple[SmallShop, RuleBase, Recommender]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    bundle = open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), 120, 30))
    return SmallShop.of(bundle), RuleBase.of(bundle), bundle.recommender()


def test_some_hundred_rule_sets(shop: Shop) -> None:
    for seed in range(400):
        keep_their_word(shop, seed)


@pytest.mark.slow
def test_ten_thousand_rule_sets(shop: Shop) -> None:
    for seed in range(400, 10_400):
        keep_their_word(shop, seed)


def keep_their_word(shop: Shop, seed: int) -> None:
    """Lists by one random rule set are as it says."""
    small, base, recommender = shop
    random = np.random.default_rng(seed)
    meant = random_rules(random)
    k = int(random.choice([1, 3, 10, 25]))
    scenario, context = SCENARIOS[random.integers(3)], CONTEXTS[random.integers(4)]
    compiled = CompiledRules.compile([known.rule for known in meant.rules], base)
    assert not compiled.faults
    queries = small.queries.select(USERS)
    lists = recommender.recommend(queries, k, policy=compiled.bound(scenario, context))
    for row, user in enumerate(USERS):
        person = small.person(user, context)
        acting = meant.acting(person, scenario)
        listed = [item for item in lists.items[row].tolist() if item != NO_ITEM]
        case = f"seed {seed}, user {user}: {[known.rule.as_json() for known in acting]}, {listed}"
        assert (lists.items[row, len(listed) :] == NO_ITEM).all(), case
        assert len(set(listed)) == len(listed) <= k, case
        allowed = [thing for thing in small.things if permitted(thing, person, acting)]
        assert set(listed) <= {thing.row for thing in allowed}, case
        pinned = pins(small, lists.moves, row, listed, acting, person)
        keeps_caps(small, listed, pinned, acting, person, case)
        if not any(known.rule.action.type == "repurchase" for known in acting):
            if len(listed) == k:
                keeps_pins(small, listed, allowed, acting, person, case)
            keeps_promotion(small, listed, allowed, acting, person, case)
        if len(listed) < k:
            assert shortened(lists.moves, row), case
            assert not [one for one in allowed if fits(small, one, listed, acting, person)], case


def permitted(thing: Thing, person: Person, acting: list[Known]) -> bool:
    """Whether nothing hides an item: what was bought a long enough time ago may come again where a rule says so."""
    due = False
    for known in acting:
        on, action = known.on(thing, person.now), known.rule.action
        if (action.type == "hide" and on) or (action.type == "require" and not on):
            return False
        if action.type == "repurchase" and on and thing.row in person.items:
            bought = max(t for item, t in zip(person.items, person.times, strict=True) if item == thing.row)
            if person.now - bought < action.from_share * action.default_days * DAY:
                return False
            due = True
    return due or thing.row not in person.items


def pins(small: SmallShop, moves, row: int, listed: list[int], acting: list[Known], person: Person) -> set[int]:
    """The items that were pinned; where a list has gaps before their slots, they move up."""
    pinned = set()
    for known in acting:
        if known.rule.action.type == "pin" and moves is not None:
            for place in np.flatnonzero(moves.moved_by[row, :, moves.rules.index(known.rule.id)]).tolist():
                assert known.on(small.things[listed[place]], person.now), known.rule
                pinned.add(listed[place])
    return pinned


def group(thing: Thing, known: Known, person: Person) -> str | None:
    """An item's group by a cap; None: it is not counted."""
    if not known.on(thing, person.now):
        return None
    return {"brand": thing.brand, "category": thing.category, "top_category": "All"}[known.rule.action.by]


def windows(listed: list[int], known: Known) -> list[list[int]]:
    """The parts of a list that a cap looks at."""
    width = known.rule.action.window or len(listed) or 1
    return [listed[start : start + width] for start in range(max(1, len(listed) - width + 1))]


def keeps_caps(
    small: SmallShop, listed: list[int], pinned: set[int], acting: list[Known], person: Person, case: str
) -> None:
    for known in acting:
        if known.rule.action.type == "cap":
            for window in windows(listed, known):
                counts = Counter(group(small.things[item], known, person) for item in window)
                free = Counter(group(small.things[item], known, person) for item in window if item not in pinned)
                for name, count in counts.items():
                    assert name is None or count <= known.rule.action.most or not free[name], (case, known.rule)


def keeps_pins(
    small: SmallShop, listed: list[int], allowed: list[Thing], acting: list[Known], person: Person, case: str
) -> None:
    """An item stands in each slot for which there is one, whatever its score."""
    pins = [known for known in acting if known.rule.action.type == "pin"]
    for known in pins:
        slot = known.rule.action.slot
        if slot <= len(listed) and sum(known.on(thing, person.now) for thing in allowed) >= len(pins):
            assert known.on(small.things[listed[slot - 1]], person.now), (case, known.rule)


def keeps_promotion(
    small: SmallShop, listed: list[int], allowed: list[Thing], acting: list[Known], person: Person, case: str
) -> None:
    """A promotion that neither others, caps nor pins hold back has its share of every beginning of a list."""
    promotions = [known for known in acting if known.rule.action.type == "promote"]
    if len(promotions) != 1 or any(known.rule.action.type in {"cap", "pin"} for known in acting):
        return
    (known,) = promotions
    there = sum(known.on(thing, person.now) for thing in allowed)
    for end in range(1, len(listed) + 1):
        count = sum(known.on(small.things[item], person.now) for item in listed[:end])
        assert count >= min(int(known.rule.action.share * end + 1e-9), there), (case, known.rule, end)


def fits(small: SmallShop, thing: Thing, listed: list[int], acting: list[Known], person: Person) -> bool:
    """Whether an item could stand behind the others of a list."""
    if thing.row in listed:
        return False
    for known in acting:
        name = group(thing, known, person) if known.rule.action.type == "cap" else None
        if name is not None:
            last = [*listed, thing.row][-(known.rule.action.window or len(listed) + 1) :]
            counts = Counter(group(small.things[item], known, person) for item in last)
            if counts[name] > known.rule.action.most:
                return False
    return True


def shortened(moves, row: int) -> bool:
    return moves is not None and bool(moves.shortened_by[row].any())


def test_whatever_is_asked_beside_it(shop: Shop) -> None:
    small, base, recommender = shop
    threaded = small.bundle.recommender(threads=2)
    for seed in range(60):
        meant = random_rules(np.random.default_rng(90_000 + seed), most=12)
        bound = CompiledRules.compile([known.rule for known in meant.rules], base).bound("home", CONTEXTS[1])
        together = recommender.recommend(small.queries, 10, policy=bound)
        parted = threaded.recommend(small.queries, 10, policy=bound)
        np.testing.assert_array_equal(together.items, parted.items, err_msg=str(seed))
        for user in (0, 3, 29):
            alone = recommender.recommend(small.queries.select([user]), 10, policy=bound)
            np.testing.assert_array_equal(alone.items[0], together.items[user], err_msg=f"{seed}, {user}")


def test_without_a_rule_that_acts_nothing_is_different(shop: Shop) -> None:
    small, base, recommender = shop
    plain = recommender.recommend(small.queries, 10)
    for seed in range(60):
        meant: Meant = random_rules(np.random.default_rng(91_000 + seed))
        bound = CompiledRules.compile([known.rule for known in meant.rules], base).bound("cart", {})
        lists = recommender.recommend(small.queries, 10, policy=bound)
        for user in range(len(small.queries)):
            if not meant.acting(small.person(user, {}), "cart"):
                assert lists.items[user].tobytes() == plain.items[user].tobytes(), (seed, user)
                assert lists.scores[user].tobytes() == plain.scores[user].tobytes(), (seed, user)
