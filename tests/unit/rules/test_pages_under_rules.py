"""Pages of lists, whatever the rules, the filters and the model: each item once, in one order, and none is missing."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM, Queries
from recsys.pipeline.allow import PURCHASES, Among
from recsys.pipeline.pages import LENGTHS, Listing, page
from recsys.pipeline.recommendations import Recommendations
from tests.support.rule_sets import SCENARIOS, Person, SmallShop, random_rules, rule
from tests.unit.rules.test_random_rule_sets import CONTEXTS, group, pins, windows

USERS = [0, 1, 2, 7, 12, 29]  # the last one has no history
N_ITEMS = 120
NUMBERS = ("items", "scores", "retrieval_scores", "ratings", "proposed", "popular")


def listing_of(shop: SmallShop, queries: Queries, **wanted: Any) -> Listing:
    recommend = partial(shop.recommender.recommend, **wanted)
    return lambda k, first: recommend(queries, k, first=first)


def test_pages_are_slices_of_one_sequence(shop: SmallShop) -> None:
    for seed in range(1000, 1030):
        are_slices_of_one_sequence(shop, seed)


@pytest.mark.slow
def test_pages_under_hundreds_of_rule_sets(shop: SmallShop) -> None:
    for seed in range(1030, 1250):
        are_slices_of_one_sequence(shop, seed)


def are_slices_of_one_sequence(shop: SmallShop, seed: int) -> None:
    random = np.random.default_rng(seed)
    meant = random_rules(random)
    scenario, context = SCENARIOS[random.integers(3)], CONTEXTS[random.integers(4)]
    policy = None if seed % 4 == 0 else shop.compiled(*meant.written).bound(scenario, context)
    k = int(random.choice([7, 15, 33, 100]))
    queries = shop.queries.select(USERS)
    models = [None, None, None, shop.recommender.primary, shop.recommender.popularity]
    listing = listing_of(
        shop,
        queries,
        policy=policy,
        by=models[random.integers(len(models))],
        exclude_seen=[True, False, PURCHASES][random.integers(3)],
        restrictions=() if random.random() < 0.5 else (Among(random.random(N_ITEMS) < random.choice([0.1, 0.6])),),
    )
    settled = shop.recommender.settled if seed % 2 else 0
    pages = [page(listing, k, offset, settled) for offset in range(0, N_ITEMS + 2 * k, k)]
    the_first_is_the_list(pages[0], listing(k, None))
    odd = int(random.integers(1, N_ITEMS))
    between, all_items = page(listing, k, odd, settled), listing(LENGTHS[-1], None).items
    for row, user in enumerate(USERS):
        rows = [made.items[row].tolist() for made in pages]
        shown = [item for items in rows for item in items if item != NO_ITEM]
        case = f"seed {seed}, user {user}, k {k}"
        assert len(set(shown)) == len(shown), case
        in_places = [item for items in rows for item in items]
        assert between.items[row].tolist() == in_places[odd : odd + k], case
        assert in_places == [*shown, *[NO_ITEM] * (len(in_places) - len(shown))], case
        person = shop.person(user, context)
        acting = [] if policy is None else meant.acting(person, scenario)
        if any(known.rule.action.type == "cap" for known in acting):
            pinned = {item for made in pages for item in pins_of(shop, made, row, acting, person)}
            keep_caps(shop, shown, pinned, acting, person, case)
        else:
            assert set(shown) == {item for item in all_items[row].tolist() if item != NO_ITEM}, case


def test_lists_of_the_same_finalists_begin_alike(shop: SmallShop) -> None:
    """What most clients mean by a page, and what an explanation speaks of: the end of the longer list."""
    settled = shop.recommender.settled
    assert settled >= 20
    listing = listing_of(shop, shop.queries.select(USERS))
    for k, offset in ((4, 4), (5, 15), (10, 10), (3, 2)):
        made, longer = page(listing, k, offset, settled), listing(offset + k, None)
        for name in NUMBERS:
            np.testing.assert_array_equal(getattr(made, name), getattr(longer, name)[:, offset:], err_msg=name)


def test_rules_of_whole_lists_hold_from_page_to_page(shop: SmallShop) -> None:
    """Lists that are put in order once they are chosen begin otherwise the longer they are."""
    rules = [
        rule("mixed", "calibrate", by="category", weight=0.5, order="score"),
        rule("of_a_brand", "cap", by="brand", most=4),
    ]
    queries = shop.queries.select(USERS)
    listing = listing_of(shop, queries, policy=shop.compiled(*rules).bound())
    first, longer = listing(10, None).items, listing(20, None).items
    assert (first != longer[:, :10]).any()
    together = np.concatenate([page(listing, 10, offset).items for offset in (0, 10, 20, 30)], axis=1)
    for items in together.tolist():
        listed = [item for item in items if item != NO_ITEM]
        brands = Counter(brand for item in listed if (brand := shop.things[item].brand) is not None)
        assert max(brands.values()) <= 4
        assert len(set(listed)) == len(listed)


def keep_caps(shop: SmallShop, listed: list[int], pinned: set[int], acting: list, person: Person, case: str) -> None:
    """All pages together keep caps, but for what is pinned, which a page before could not count."""
    for known in (one for one in acting if one.rule.action.type == "cap"):
        for window in windows(listed, known):
            counts = Counter(group(shop.things[item], known, person) for item in window if item not in pinned)
            assert all(name is None or count <= known.rule.action.most for name, count in counts.items()), case


def pins_of(shop: SmallShop, made: Recommendations, row: int, acting: list, person: Any) -> set[int]:
    listed = [item for item in made.items[row].tolist() if item != NO_ITEM]
    return pins(shop, made.moves, row, listed, acting, person)


def the_first_is_the_list(first: Recommendations, alone: Recommendations) -> None:
    """Bit for bit what is given to who asks for it alone."""
    for name in NUMBERS:
        np.testing.assert_array_equal(getattr(first, name), getattr(alone, name), err_msg=name)
    if alone.moves is not None:
        np.testing.assert_array_equal(first.moves.ranks_before, alone.moves.ranks_before)
        np.testing.assert_array_equal(first.moves.moved_by, alone.moves.moved_by)
