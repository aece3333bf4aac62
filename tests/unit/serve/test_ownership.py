"""Whose the interactions of a bundle are, by tombstones and aliases."""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import Bundle
from recsys.core.histories import Histories
from recsys.core.persons import Alias, Persons, Tombstone, hash_of
from recsys.core.queries import NO_ITEM
from recsys.histories.live_histories import LiveHistories
from recsys.histories.ownership import Owned, Ownership
from tests.support.bundles import DAY, START
from tests.support.serving import N_USERS

NOW = time.time() + 1000 * DAY
LATE = START + 400 * DAY
ids = st.sampled_from([*(f"user{row}" for row in range(4)), "account", "other"])
times = st.floats(START - DAY, LATE)
tombstones = st.dictionaries(ids, times | st.just(NOW), max_size=3)


@st.composite
def aliases(draw: st.DrawFn) -> list[Alias]:
    """As the store keeps them: those of one id do not overlap, and nobody to whom something belongs is an alias."""
    found = []
    for alias_id in draw(st.lists(st.sampled_from([f"user{row}" for row in range(3)]), unique=True, max_size=3)):
        bounds = sorted(draw(st.lists(times, min_size=2, max_size=4, unique=True)))
        for since, until in pairwise(bounds):
            found.append(Alias(alias_id, draw(st.sampled_from(["user3", "account", "other"])), since, until))
    return found


def naive(bundle: Bundle, persons: Persons, made_at: float) -> dict[str, set[tuple[int, int]]]:
    """Item and latest time of every user's interactions, one interaction at a time."""
    owners: dict[str, dict[int, int]] = defaultdict(dict)
    for row, user_id in enumerate(bundle.catalogue.user_ids(range(N_USERS))):
        history = bundle.histories.select([row])
        for item, at in zip(history.items.tolist(), history.timestamps.tolist(), strict=True):
            owner = persons.user_of(user_id, at)
            if owner == user_id and persons.forgotten_until(user_id) >= made_at:
                owner = None
            if owner is not None:
                owners[owner][item] = max(owners[owner].get(item, 0), at)
    return {owner: set(items.items()) for owner, items in owners.items()}


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(tombstones, aliases(), st.booleans())
def test_everybody_has_what_is_found_one_by_one(
    bundle: Bundle, forgotten: dict[str, float], merged: list[Alias], purchases: bool
) -> None:
    persons = Persons.of([Tombstone(hash_of(one), at) for one, at in forgotten.items()], merged, 1)
    live = LiveHistories(bundle, None, 500, persons)
    expected = naive(bundle, persons, live.ownership.made_at)
    users = [*bundle.catalogue.user_ids(range(6)), "account", "other", "nobody"]
    made = live.of(users, NOW, purchases=purchases)
    for place, user_id in enumerate(users):
        history = made.queries.histories.select([place])
        pairs = set(zip(history.items.tolist(), history.timestamps.tolist(), strict=True))
        assert pairs == expected.get(user_id, set())
        assert history.timestamps.tolist() == sorted(history.timestamps.tolist())
        assert made.known[place] == bool(pairs)
        held = live.in_bundle(user_id)
        assert (0 if held is None else len(held.items)) == len(pairs)
        if purchases:
            bought = made.queries.bought
            assert bought is not None
            assert set(bought.select([place]).items.tolist()) <= {item for item, _ in pairs}


def test_a_user_of_whom_nothing_is_said_is_as_the_bundle_has_it(bundle: Bundle) -> None:
    persons = Persons.of([Tombstone(hash_of("user1"), NOW)], [], 1)
    plain, live = LiveHistories(bundle, None, 500), LiveHistories(bundle, None, 500, persons)
    for user in ("user2", "user3"):
        one, other = plain.of([user], NOW).queries, live.of([user], NOW).queries
        for column in dataclasses.fields(one.histories):
            name = column.name
            assert getattr(one.histories, name).tobytes() == getattr(other.histories, name).tobytes()
        assert one.users.tolist() == other.users.tolist()


def test_the_row_of_a_forgotten_user_without_interactions_is_not_the_user_s(bundle: Bundle) -> None:
    persons = Persons.of([Tombstone(hash_of("user1"), NOW)], [], 1)
    nothing = Histories.from_rows(2, *(np.zeros(0, kind) for kind in (int, np.int32, np.int64, np.float32, np.float32)))
    ownership = Ownership.of(bundle, persons, lambda ids: dict.fromkeys(ids, NO_ITEM))
    assert ownership.of_user(nothing, "user1", 1) == Owned([], own=False)
    assert ownership.of_user(nothing, "user0", 0) is None


@settings(max_examples=100, deadline=None, database=None)
@given(tombstones, aliases(), tombstones, aliases())
def test_what_changes_is_as_if_it_had_been_read_anew(
    before: dict[str, float], old: list[Alias], after: dict[str, float], new: list[Alias]
) -> None:
    first = Persons.of([Tombstone(hash_of(one), at) for one, at in before.items()], old, 1)
    changed = first.after([Tombstone(hash_of(one), at) for one, at in after.items()], new, 2)
    keyed = {(alias.alias_id, alias.since): alias for alias in [*old, *new]}
    kept = [alias for alias in keyed.values() if alias.until > after.get(alias.user_id, float("-inf"))]
    whole = Persons.of([Tombstone(hash_of(one), at) for one, at in {**before, **after}.items()], kept, 2)
    assert changed.tombstones == whole.tombstones
    assert set(changed.aliases) == set(whole.aliases)
    assert {user: set(aliases) for user, aliases in changed.aliases_of.items()} == {
        user: set(aliases) for user, aliases in whole.aliases_of.items()
    }
