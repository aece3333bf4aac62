"""What an experiment is judged by, from hand-made logs."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import pytest

from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.observations import UnitDay
from recsys.outcomes import unit_days
from recsys.store import Event, ListEvent, Served, Store
from tests.support.list_logs import a_list, in_variant, named, put_list_events, seen
from tests.support.outcome_oracle import NAMES, cause_of

pytest_plugins = "tests.support.store_fixtures"

DAY = 86_400.0
START = 100 * DAY


def experiment(**changes: Any) -> Experiment:
    values = {"key": "x", "variants": (Variant(name="old"), Variant(name="new")), "started_at": START}
    return Experiment(**{**values, **changes})


def test_an_outcome_counts_once_for_each_item_on_the_day_when_it_first_was(store: Store, store_url: str) -> None:
    details = {"variants": in_variant("old"), "milliseconds": 4.0, "brands": 1, "fallback": "unknown_user"}
    store.add_served([a_list("r", "u", START + 10, **details)])
    put_list_events(
        store_url, [seen(1, "r", "a", START + 11), seen(2, "r", "a", START + 12), seen(3, "r", "b", START + 13)]
    )
    store.append(
        [
            named(1, "click", "r", "a", START + 20),
            named(2, "view", "r", "a", START + 21),
            named(3, "add_to_cart", "r", "a", START + DAY),
            named(4, "purchase", "r", "a", START + DAY + 1, price=5.0, quantity=3.0),
            named(5, "purchase", "r", "a", START + DAY + 2, price=9.0),
            named(6, "purchase", "r", "b", START + DAY + 3),
            named(7, "refund", "r", "a", START + 2 * DAY, price=5.0),
            named(8, "click", "r", "c", START + 22),
            named(9, "rating", "r", "a", START + 23, rating=4.0),
        ]
    )
    observed = unit_days(store, experiment(), START + 50 * DAY)
    assert observed.days == [
        UnitDay("u", "old", 100, lists=1, impressions=2, clicks=1, fallbacks=1, milliseconds=4.0, brand_variety=0.5),
        UnitDay("u", "old", 101, carts=1, purchases=2, revenue=15.0),
        UnitDay("u", "old", 102, revenue=-5.0),
    ]
    assert (observed.lists, observed.crossovers, observed.reaches_back) == (1, 0, True)


def test_lists_of_other_versions_experiments_and_times_do_not_count(store: Store, store_url: str) -> None:
    mine = in_variant("new")
    store.add_served(
        [
            a_list("early", "u", START - 1, variants=mine),
            a_list("late", "u", START + DAY, variants=mine),
            a_list("version", "u", START, variants=in_variant("new", version=2)),
            a_list("other", "u", START, variants=in_variant("new", "X")),
            a_list("none", "u", START),
            a_list("both", "u", START, variants=(*in_variant("old", "y"), *mine), undelivered=("x",)),
        ]
    )
    names = ("early", "late", "version", "other", "none", "both")
    store.append([named(number, "click", name, "a", START + 9) for number, name in enumerate(names)])
    store.append([named(9, "click", "both", "b", START + DAY)])
    assert unit_days(store, experiment(), START + DAY).days == [
        UnitDay("u", "new", 100, lists=1, undelivered=1, clicks=1)
    ]


def test_the_variant_of_the_first_list_is_the_persons(store: Store) -> None:
    store.add_served([a_list("r1", "anonymous", START, variants=in_variant("new"))])
    store.add_served([a_list(f"r{n}", "u", START + n, variants=in_variant("old")) for n in (2, 3)])
    store.append([named(n, "click", f"r{n}", "a", START + 9) for n in (1, 2, 3)])
    store.live_users.merge("u", "anonymous", START + 10)
    observed = unit_days(store, experiment(), START + DAY)
    assert observed.days == [UnitDay("u", "new", 100, lists=1, clicks=1)]
    assert (observed.lists, observed.crossovers, observed.left_out) == (3, 1, 2)


def test_teams_are_credited_with_what_they_brought(store: Store, store_url: str) -> None:
    interleaved = experiment(mode="interleaved")
    teams = {"variants": in_variant(""), "teams": ("new", "old", "new"), "milliseconds": 2.0}
    store.add_served([a_list("r", "u", START, ("a", "b", "c"), **teams)])
    put_list_events(store_url, [seen(1, "r", "a", START), seen(2, "r", "b", START)])
    store.append([named(1, "click", "r", "a", START), named(2, "click", "r", "c", START)])
    store.append([named(3, "purchase", "r", "b", START, price=7.0)])
    assert unit_days(store, interleaved, START + DAY).days == [
        UnitDay("u", "new", 100, lists=1, impressions=2, clicks=2, milliseconds=2.0),
        UnitDay("u", "old", 100, lists=1, impressions=2, purchases=1, revenue=7.0, milliseconds=2.0),
    ]


def test_a_session_without_a_visitor_is_no_unit(store: Store) -> None:
    store.add_served([a_list("r", None, START, variants=in_variant("old"))])
    assert unit_days(store, experiment(), START + DAY).days == []


def test_events_before_the_first_list_are_the_covariate(store: Store) -> None:
    first = {"u": START + 5, "v": START + 3 * DAY, "w": START}
    store.add_served([a_list(user, user, at, variants=in_variant("old")) for user, at in first.items()])
    store.add_served([a_list("again", "u", START + DAY, variants=in_variant("old"))])
    times = [first["u"] - 2 * DAY, first["u"] - 2 * DAY - 1, first["u"] - 1, first["u"], first["v"] - 1]
    users = ["u", "u", "u", "u", "v"]
    store.append([Event(f"b{n}", user, "i", "view", at) for n, (user, at) in enumerate(zip(users, times, strict=True))])
    observed = unit_days(store, experiment(), START + 9 * DAY, covariate_days=2.0)
    assert observed.before == {"u": 2.0, "v": 1.0, "w": 0.0}


@pytest.mark.parametrize(("version", "salt", "before"), [(1, "kept", {"u": 1.0}), (2, "", {"u": 1.0}), (2, "kept", {})])
def test_what_users_did_under_the_same_variant_before_is_no_covariate(
    store: Store, version: int, salt: str, before: dict[str, float]
) -> None:
    store.add_served([a_list("r", "u", START + 5, variants=in_variant("old", version=version))])
    store.append([Event("b", "u", "i", "view", START - DAY)])
    observed = unit_days(store, experiment(version=version, salt=salt), START + DAY)
    assert (len(observed.days), observed.before) == (1, before)


def test_what_retention_removed_is_told(store: Store) -> None:
    store.add_served([a_list(f"r{n}", "u", START + n * DAY, variants=in_variant("old")) for n in (-2, 1, 2)])
    assert unit_days(store, experiment(), START + 9 * DAY).reaches_back
    assert store.forget_served(START, limit=9, until=START + 9 * DAY) == 1
    observed = unit_days(store, experiment(), START + 9 * DAY)
    assert (observed.removed_until, observed.reaches_back) == (START - 2 * DAY, True)
    assert store.forget_served(START + 1.5 * DAY, limit=9) == 1
    observed = unit_days(store, experiment(), START + 9 * DAY)
    assert (observed.removed_until, observed.reaches_back, observed.lists) == (START + DAY, False, 1)


def test_events_that_retention_removed_count_as_lists_do(store: Store) -> None:
    store.append([named(1, "view", None, "a", START + 1), named(2, "view", None, "a", START + 1e9)])
    assert store.forget_events(START + DAY, limit=9, until=START + 2 * DAY) == 1
    assert not unit_days(store, experiment(), START + 9 * DAY).reaches_back


def test_who_was_forgotten_is_no_removal(store: Store) -> None:
    store.add_served([a_list("r", "u", START + 1, variants=in_variant("old"))])
    store.live_users.forget("u", START + 2)
    observed = unit_days(store, experiment(), START + 9 * DAY)
    assert (observed.days, observed.reaches_back) == ([], True)


def test_an_experiment_that_has_not_been_started_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="started"):
        unit_days(store, experiment(started_at=None), START)


def plainly(
    lists: list[Served], events: list[Event | ListEvent], until: float, window_s: float
) -> dict[tuple[str, str, int], dict[str, float]]:
    """By unit, variant and day what came of the lists of version 1 of the experiment x, counted one by one."""
    log = {one.recommendation_id: one for one in lists}
    days: dict[tuple[str, str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    own: dict[str, str] = {}
    kept = {}
    for one in sorted(lists, key=lambda one: one.timestamp):
        (variant, *_) = [each.variant for each in one.details.variants if each[:2] == ("x", 1)] or [None]
        if variant and START <= one.timestamp < until and own.setdefault(one.user_id, variant) == variant:
            kept[one.recommendation_id] = (one.user_id, variant)
            days[one.user_id, variant, int(one.timestamp // DAY)]["lists"] += 1
    done = set()
    for event in sorted(events, key=lambda event: event.timestamp):
        if event.timestamp >= until or cause_of(event, log, window_s) or event.recommendation_id not in kept:
            continue
        name, place = NAMES.get(event.event_type), (event.recommendation_id, event.item_id)
        if name is None or (place, name) in done:
            continue
        done.add((place, name))
        day = days[
            (*kept[event.recommendation_id], int(max(event.timestamp, log[event.recommendation_id].timestamp) // DAY))
        ]
        day[name] += 1
        if name in ("purchases", "refunds") and event.price is not None:
            day["revenue"] += event.price if name == "purchases" else -event.price
    return days


@pytest.mark.parametrize("seed", range(4))
def test_as_a_plain_count_has_it(store: Store, store_url: str, seed: int) -> None:
    rng = random.Random(seed)
    users = ["u", "v", "anonymous"]
    lists = [
        # A time of its own for each, since nothing says which of two at one time was first.
        a_list(
            f"r{n}",
            rng.choice(users),
            START + 0.3 * DAY * (n - 3),
            rng.sample("abcd", 3),
            variants=in_variant(rng.choice(("old", "new")), rng.choice(("x", "x", "y")), rng.choice((1, 1, 2))),
        )
        for n in range(20)
    ]
    events: list[Event] = []
    impressions: list[ListEvent] = []
    for n in range(150):
        what = rng.choice(lists)
        at = what.timestamp + rng.choice((-3, -1, 1, 9, DAY, 2 * DAY, 4 * DAY)) + n / 1000
        kind = rng.choice(("impression", "click", "view", "add_to_cart", "purchase", "refund", "rating"))
        if kind == "impression":
            impressions.append(seen(n, what.recommendation_id, rng.choice("abcde"), at))
        else:
            price = rng.choice((None, 2.0, 3.5))
            events.append(named(n, kind, what.recommendation_id, rng.choice("abcde"), at, price=price))
    store.add_served(lists)
    store.append(events)
    put_list_events(store_url, impressions)
    if seed % 2:
        store.live_users.merge("u", "anonymous", START + 90 * DAY)
        lists = [one._replace(user_id="u" if one.user_id == "anonymous" else one.user_id) for one in lists]
    until, window_s = START + 4 * DAY, 3 * DAY
    expected = plainly(lists, [*events, *impressions], until, window_s)
    observed = unit_days(store, experiment(), until, window_s=window_s)
    found = {(day.unit, day.variant, day.day): day for day in observed.days}
    assert found
    assert found.keys() == expected.keys()
    for key, counts in expected.items():
        for name in ("lists", "impressions", "clicks", "carts", "purchases", "revenue"):
            assert getattr(found[key], name) == counts[name], (key, name)
