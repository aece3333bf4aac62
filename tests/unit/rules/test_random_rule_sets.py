"""Whatever rules a shop thinks of: lists keep to them as far as anything can."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM
from recsys.rules.inviting import MOST_OF_RULE
from tests.support.bundles import DAY
from tests.support.rule_sets import SCENARIOS, Known, Meant, Person, SmallShop, Thing, random_rules

USERS = [0, 1, 2, 7, 12, 29]  # the last one has no history
CONTEXTS = ({}, {"country": "DE"}, {"country": "FR", "basket": 70.0}, {"basket": "many"})


def test_some_hundred_rule_sets(shop: SmallShop) -> None:
    for seed in range(400):
        keep_their_word(shop, seed)


@pytest.mark.slow
def test_ten_thousand_rule_sets(shop: SmallShop) -> None:
    for seed in range(400, 10_400):
        keep_their_word(shop, seed)


def keep_their_word(shop: SmallShop, seed: int) -> None:
    """Lists by one random rule set are as it says."""
    random = np.random.default_rng(seed)
    meant = random_rules(random)
    k = int(random.choice([1, 3, 10, 25]))
    scenario, context = SCENARIOS[random.integers(3)], CONTEXTS[random.integers(4)]
    compiled = shop.compiled(*meant.written)
    assert not compiled.faults
    queries = shop.queries.select(USERS)
    lists = shop.recommender.recommend(queries, k, policy=compiled.bound(scenario, context))
    for row, user in enumerate(USERS):
        person = shop.person(user, context)
        acting = meant.acting(person, scenario)
        listed = [item for item in lists.items[row].tolist() if item != NO_ITEM]
        case = f"seed {seed}, user {user}: {[known.rule.as_json() for known in acting]}, {listed}"
        assert (lists.items[row, len(listed) :] == NO_ITEM).all(), case
        assert len(set(listed)) == len(listed) <= k, case
        allowed = [thing for thing in shop.things if permitted(shop, thing, person, acting)]
        assert set(listed) <= {thing.row for thing in allowed}, case
        pinned = pins(shop, lists.moves, row, listed, acting, person)
        keeps_caps(shop, listed, pinned, acting, person, case)
        if not any(known.rule.action.type == "repurchase" for known in acting):
            if len(listed) == k:
                keeps_pins(shop, listed, allowed, acting, person, case)
            keeps_promotion(shop, listed, allowed, acting, person, case)
        if len(listed) < k:
            assert shortened(lists.moves, row), case
            assert not [one for one in allowed if fits(shop, one, listed, acting, person)], case


def permitted(shop: SmallShop, thing: Thing, person: Person, acting: list[Known]) -> bool:
    """Whether nothing hides an item: what was bought a long enough time ago may come again where a rule says so."""
    due = False
    for known in acting:
        on, action = known.on(thing, person.now), known.rule.action
        if (action.type == "hide" and on) or (action.type == "require" and not on):
            return False
        if action.type == "repurchase" and on and thing.row in person.items:
            bought = max(t for item, t in zip(person.items, person.times, strict=True) if item == thing.row)
            cycle = shop.bundle.cycles[thing.row]
            days = action.default_days if np.isnan(cycle) else float(cycle)
            if person.now - bought < action.from_share * days * DAY:
                return False
            due = True
    return due or thing.row not in person.items


def pins(shop: SmallShop, moves, row: int, listed: list[int], acting: list[Known], person: Person) -> set[int]:
    """The items that were pinned; where a list has gaps before their slots, they move up."""
    pinned = set()
    for known in acting:
        if known.rule.action.type == "pin" and moves is not None:
            for place in np.flatnonzero(moves.moved_by[row, :, moves.rules.index(known.rule.id)]).tolist():
                assert known.on(shop.things[listed[place]], person.now), known.rule
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
    shop: SmallShop, listed: list[int], pinned: set[int], acting: list[Known], person: Person, case: str
) -> None:
    for known in acting:
        if known.rule.action.type == "cap":
            for window in windows(listed, known):
                counts = Counter(group(shop.things[item], known, person) for item in window)
                free = Counter(group(shop.things[item], known, person) for item in window if item not in pinned)
                for name, count in counts.items():
                    assert name is None or count <= known.rule.action.most or not free[name], (case, known.rule)


def keeps_pins(
    shop: SmallShop, listed: list[int], allowed: list[Thing], acting: list[Known], person: Person, case: str
) -> None:
    """An item stands in each slot for which there is one, whatever its score."""
    pins = [known for known in acting if known.rule.action.type == "pin"]
    for known in pins:
        slot = known.rule.action.slot
        if slot <= len(listed) and sum(known.on(thing, person.now) for thing in allowed) >= len(pins):
            assert known.on(shop.things[listed[slot - 1]], person.now), (case, known.rule)


def keeps_promotion(
    shop: SmallShop, listed: list[int], allowed: list[Thing], acting: list[Known], person: Person, case: str
) -> None:
    """A promotion that neither others, caps nor pins hold back has its share of every beginning of a list."""
    promotions = [known for known in acting if known.rule.action.type == "promote"]
    if len(promotions) != 1 or any(known.rule.action.type in {"cap", "pin"} for known in acting):
        return
    (known,) = promotions
    there = sum(known.on(thing, person.now) for thing in allowed)
    for end in range(1, len(listed) + 1):
        count = sum(known.on(shop.things[item], person.now) for item in listed[:end])
        assert count >= min(int(known.rule.action.share * end + 1e-9), there, MOST_OF_RULE), (case, known.rule, end)


def fits(shop: SmallShop, thing: Thing, listed: list[int], acting: list[Known], person: Person) -> bool:
    """Whether an item could stand behind the others of a list."""
    if thing.row in listed:
        return False
    for known in acting:
        name = group(thing, known, person) if known.rule.action.type == "cap" else None
        if name is not None:
            last = [*listed, thing.row][-(known.rule.action.window or len(listed) + 1) :]
            counts = Counter(group(shop.things[item], known, person) for item in last)
            if counts[name] > known.rule.action.most:
                return False
    return True


def shortened(moves, row: int) -> bool:
    return moves is not None and bool(moves.shortened_by[row].any())


def test_whatever_is_asked_beside_it(shop: SmallShop) -> None:
    threaded = shop.bundle.recommender(threads=2)
    for seed in range(60):
        meant = random_rules(np.random.default_rng(90_000 + seed), most=12)
        bound = shop.compiled(*meant.written).bound("home", CONTEXTS[1])
        together = shop.recommender.recommend(shop.queries, 10, policy=bound)
        parted = threaded.recommend(shop.queries, 10, policy=bound)
        np.testing.assert_array_equal(together.items, parted.items, err_msg=str(seed))
        for user in (0, 3, 29):
            alone = shop.recommender.recommend(shop.queries.select([user]), 10, policy=bound)
            np.testing.assert_array_equal(alone.items[0], together.items[user], err_msg=f"{seed}, {user}")


def test_without_a_rule_that_acts_nothing_is_different(shop: SmallShop) -> None:
    plain = shop.recommender.recommend(shop.queries, 10)
    for seed in range(60):
        meant: Meant = random_rules(np.random.default_rng(91_000 + seed))
        bound = shop.compiled(*meant.written).bound("cart", {})
        lists = shop.recommender.recommend(shop.queries, 10, policy=bound)
        for user in range(len(shop.queries)):
            if not meant.acting(shop.person(user, {}), "cart"):
                assert lists.items[user].tobytes() == plain.items[user].tobytes(), (seed, user)
                assert lists.scores[user].tobytes() == plain.scores[user].tobytes(), (seed, user)
