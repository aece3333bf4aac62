"""Tables of outcomes: of hand-made logs, and of random ones against a plain count."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest

from recsys.core.events import FEEDBACK
from recsys.outcomes import DIMENSIONS, OutcomeRow, Outcomes, Unattributed, tell_outcomes
from recsys.outcomes.tally import MAX_VALUES, OTHERS
from recsys.store import AssignedVariant, Event, ListEvent, Served, Store
from tests.support.databases import query
from tests.support.list_logs import a_list, in_variant, named, put_list_events, seen
from tests.support.outcome_oracle import counted

pytest_plugins = "tests.support.store_fixtures"

NOW = 1e6


def told(store: Store, since: float = 0.0, until: float = NOW, *by: Any, **more: Any) -> Outcomes:
    return tell_outcomes(store, since, until, by, now=NOW, **more)


def numbers(row: OutcomeRow) -> tuple[int, ...]:
    return (row.lists, row.served, row.impressions, row.clicks, row.carts, row.purchases)


def test_a_store_without_lists_has_outcomes_of_nothing(store: Store) -> None:
    outcomes = told(store, 0.0, NOW, *DIMENSIONS)
    assert numbers(outcomes.total) == (0,) * 6
    assert outcomes.total.ctr is None
    assert outcomes.total.ctr_served is None
    assert set(outcomes.tables.values()) == {()}
    assert (outcomes.unattributed, outcomes.unnamed_lists, outcomes.complete) == ((), 0, True)


def test_both_denominators_and_clicks_of_what_nobody_said_was_seen(store: Store, store_url: str) -> None:
    store.add_served([a_list("r", "u", 100.0, "abcd")])
    put_list_events(store_url, [seen(1, "r", "a", 101.0), seen(2, "r", "b", 101.0), seen(3, "r", "a", 102.0)])
    store.append([named(1, "click", "r", "a", 103.0), named(2, "view", "r", "c", 103.0)])
    total = told(store).total
    assert numbers(total) == (1, 4, 2, 2, 0, 0)
    assert total.clicks_unseen == 1
    assert total.ctr is not None
    assert total.ctr_served is not None
    assert (total.ctr.value, total.ctr_served.value) == (1.0, 0.5)
    assert total.ctr.low is None, "one user says nothing of others"


def test_money_without_prices_is_counted_and_refunds_are_taken_off(store: Store) -> None:
    store.add_served([a_list("r", "u", 100.0, "abc")])
    store.append(
        [
            named(1, "purchase", "r", "a", 103.0, price=2.5, quantity=2.0),
            named(2, "purchase", "r", "b", 103.0, price=4.0),
            named(3, "purchase", "r", "c", 103.0, quantity=7.0),
            named(4, "return", "r", "b", 104.0, price=1.0),
            named(5, "chargeback", "r", "b", 105.0, price=50.0),
        ]
    )
    total = told(store).total
    assert (total.purchases, total.refunds, total.revenue, total.without_price) == (3, 1, 8.0, 1)


def test_explanations_that_were_opened_and_judged(store: Store, store_url: str) -> None:
    store.add_served([a_list("r", "u", 100.0)])
    said = ["clear", "clear", "wrong"]
    put_list_events(
        store_url,
        [
            seen(1, "r", "a", 101.0, "explanation_open"),
            seen(2, "r", "a", 102.0, "explanation_open"),
            *(seen(n, "r", "a", 103.0 + n, "explanation_feedback", value=value) for n, value in enumerate(said, 3)),
        ],
    )
    total = told(store).total
    assert (total.explanation_opens, total.feedback) == (1, {"clear": 1, "wrong": 1})


def test_by_what_made_lists(store: Store, store_url: str) -> None:
    store.add_served(
        [
            a_list("r1", "u", 100.0, "ab", sources=("two_tower", "popular"), history=4, variants=in_variant("old")),
            a_list("r2", "v", 86_500.0, "bc", sources=("two_tower", ""), offset=20, scenario="basket"),
            a_list("r3", None, 100.0, "a", fallback="unknown_user", explain="cheap", bundle="shop", history=20),
        ]
    )
    store.append([named(1, "click", "r1", "b", 101.0), named(2, "click", "r2", "b", 86_501.0)])
    tables = told(store, 0.0, NOW, *DIMENSIONS).tables
    values = {name: [(row.value, row.lists, row.served, row.clicks) for row in rows] for name, rows in tables.items()}
    assert values == {
        "model": [("full", 3, 5, 2)],
        "bundle": [("shop v1", 1, 1, 0), ("v1", 2, 4, 2)],
        "variant": [("x/1/old", 1, 2, 1)],
        "source": [("popular", 1, 1, 1), ("two_tower", 2, 2, 1), (None, 2, 2, 0)],
        "position": [("1", 2, 2, 0), ("2", 1, 1, 1), ("21-50", 1, 2, 1)],
        "segment": [("new", 1, 2, 1), ("1-4", 1, 2, 1), ("20+", 1, 1, 0)],
        "scenario": [("basket", 1, 2, 1), (None, 2, 3, 1)],
        "fallback": [("unknown_user", 1, 1, 0), (None, 2, 4, 2)],
        "explain": [("cheap", 1, 1, 0), ("none", 2, 4, 2)],
        "day": [("1970-01-01", 2, 3, 1), ("1970-01-02", 1, 2, 1)],
    }


def test_items_of_interleaved_lists_count_for_the_team_that_brought_them(store: Store) -> None:
    both = (*in_variant("a", "split"), *in_variant(""))
    store.add_served(
        [
            a_list("r1", "u", 1.0, "abc", variants=both, teams=("new", "old", "new")),
            a_list("r2", "v", 1.0, "abc", variants=both, teams=("old", "", "old")),
            a_list("r3", "w", 1.0, "abc", variants=in_variant(""), undelivered=("x",)),
        ]
    )
    store.append([named(1, "click", "r1", "a", 2.0), named(2, "click", "r2", "b", 2.0)])
    rows = told(store, 0.0, NOW, "variant").tables["variant"]
    assert [(row.value, row.lists, row.served, row.clicks) for row in rows] == [
        ("split/1/a", 2, 6, 2),
        ("x/1/new", 1, 2, 1),
        ("x/1/old", 2, 3, 0),
    ]
    rows = told(store, 0.0, NOW, "variant", experiment="split").tables["variant"]
    assert [(row.value, row.lists) for row in rows] == [("split/1/a", 2)]


def test_lists_of_one_experiment_alone(store: Store) -> None:
    both = (*in_variant("a"), *in_variant("b", "y", 3))
    store.add_served([a_list("r1", "u", 1.0, variants=both), a_list("r2", "u", 1.0, variants=in_variant("c", "y", 4))])
    store.append([named(1, "click", "r1", "z", 2.0), named(2, "click", None, "a", 2.0)])
    outcomes = told(store, 0.0, NOW, "variant", experiment="x")
    assert [(row.value, row.lists) for row in outcomes.tables["variant"]] == [("x/1/a", 1)]
    assert outcomes.unattributed == (Unattributed("not_in_list", "click", 1),)


def test_times_of_whole_seconds_belong_to_the_list_of_that_second(store: Store, store_url: str) -> None:
    store.add_served([a_list("r", "u", 100.75)])
    put_list_events(store_url, [seen(1, "r", "a", 100.0), seen(2, "r", "b", 99.75), seen(3, "r", "c", 99.5)])
    store.append([named(1, "click", "r", "a", 100.0)])
    outcomes = told(store, 100.5, NOW)
    assert (outcomes.total.impressions, outcomes.total.clicks, outcomes.total.clicks_unseen) == (2, 1, 0)
    assert told(store).unattributed == (Unattributed("before_list", "impression", 1),)


def test_events_of_no_list_are_counted_by_cause(store: Store, store_url: str) -> None:
    store.add_served([a_list("r", "u", 100.0), Served("old", "u", 90.0, "v", "full", ("a",))])
    put_list_events(store_url, [seen(1, "nowhere", "a", 101.0), seen(2, "r", "a", 98.9), seen(3, "r", "a", 110.5)])
    store.append(
        [
            named(1, "click", None, "a", 50.0),
            named(2, "view", None, "a", 50.0),
            named(3, "click", "r", "z", 105.0),
            named(4, "click", "r", "a", 98.5),
            named(5, "click", "r", "a", 110.0),
            named(6, "click", "r", "b", 110.1),
        ]
    )
    outcomes = told(store, window_s=10.0)
    assert [(each.cause, each.event_type, each.events) for each in outcomes.unattributed] == [
        ("no_list_named", "click", 1),
        ("no_list_named", "view", 1),
        ("unknown_list", "impression", 1),
        ("not_in_list", "click", 1),
        ("before_list", "click", 1),
        ("before_list", "impression", 1),
        ("after_window", "click", 1),
        ("after_window", "impression", 1),
    ]
    assert (outcomes.total.clicks, outcomes.unnamed_lists) == (1, 1)


def test_what_arrives_later_counts_at_the_next_call(store: Store) -> None:
    store.append([named(1, "click", "r", "a", 101.0)])
    assert told(store).unattributed == (Unattributed("unknown_list", "click", 1),)
    store.add_served([a_list("r", "u", 100.0)])
    assert (told(store).total.clicks, told(store).unattributed) == (1, ())
    store.append([named(2, "click", "r", "b", 100.5)])
    assert told(store).total.clicks == 2


def test_dimensions_of_too_many_values_have_others(store: Store) -> None:
    lists = [a_list(f"r{n:03}", "u", float(n), scenario=f"s{n:03}") for n in range(MAX_VALUES + 3)]
    store.add_served([*lists, a_list("r", "u", 1e4, scenario="s001")])
    rows = told(store, 0.0, NOW, "scenario").tables["scenario"]
    assert len(rows) == MAX_VALUES + 1
    assert {row.value: row.lists for row in rows if row.lists > 1} == {OTHERS: 3, "s001": 2}


def test_intervals_are_by_user(store: Store, store_url: str) -> None:
    """Two users of two lists each: u clicks both items of both, v clicks one of four."""
    lists = [a_list(f"{user}{n}", user, 10.0 * n) for user in "uv" for n in (1, 2)]
    store.add_served(lists)
    put_list_events(
        store_url,
        [seen(n, one.recommendation_id, item, one.timestamp) for n, one in enumerate(lists) for item in "a"],
    )
    put_list_events(
        store_url,
        [seen(9 + n, one.recommendation_id, item, one.timestamp) for n, one in enumerate(lists) for item in "b"],
    )
    clicked = [("u1", "a"), ("u1", "b"), ("u2", "a"), ("u2", "b"), ("v1", "a")]
    store.append([named(n, "click", name, item, 30.0) for n, (name, item) in enumerate(clicked)])
    ctr = told(store).total.ctr
    assert ctr is not None
    # Residuals of the two users: 4 - 5/8 * 4 = 1.5 and 1 - 2.5 = -1.5; variance 2 / 1 * 4.5 / 8**2.
    reach = 1.959963984540054 * math.sqrt(2 * 4.5 / 64)
    assert (ctr.value, ctr.low) == (0.625, pytest.approx(max(0.0, 0.625 - reach)))
    assert ctr.high == pytest.approx(0.625 + reach)


def test_reading_can_be_ended(store: Store) -> None:
    store.add_served([a_list(f"r{n}", "u", float(n)) for n in range(1200)])
    calls = []

    def between() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        told(store, between=between)
    assert told(store).total.lists == 1200


TYPES = ("view", "click", "add_to_cart", "purchase", "rating", "refund", "return", "remove_from_cart", "custom")
COUNTED = ("impressions", "clicks", "carts", "purchases", "refunds", "without_price", "explanation_opens", "revenue")
LIST_TYPES = ("impression", "explanation_open", "explanation_feedback")


def random_log(rng: random.Random) -> tuple[list[Served], list[Event], list[ListEvent]]:
    """Of few users, items, lists and times, so that everything meets."""
    users = ["u", "v", "w", "anonymous"]
    lists = [
        a_list(
            f"r{n}",
            rng.choice([*users, None]),
            float(rng.randrange(60)),
            rng.sample("abcdef", rng.randrange(5)),
            sources=("s", "t"),
            history=rng.choice((0, 3, 9, 40)),
            variants=(AssignedVariant("x", 1, rng.choice(("p", "q"))),) if rng.random() < 0.5 else (),
        )
        for n in range(rng.randrange(12))
    ]
    names = [*(one.recommendation_id for one in lists), "nowhere", None]

    def common(n: int) -> dict[str, Any]:
        user, item, time = rng.choice(users), rng.choice("abcdefg"), float(rng.randrange(100))
        return {"user_id": user, "item_id": item, "timestamp": time, "recommendation_id": rng.choice(names)}

    events = [
        Event(
            f"e{n}",
            event_type=rng.choice(TYPES),
            price=rng.choice((None, 2.0, 0.5)),
            quantity=rng.choice((None, 3.0)),
            **common(n),
        )
        for n in range(rng.randrange(120))
    ]
    list_events = []
    for n in range(rng.randrange(120)):
        kind = rng.choice(LIST_TYPES)
        value = rng.choice(FEEDBACK) if kind == "explanation_feedback" else None
        list_events.append(ListEvent(f"l{n}", event_type=kind, value=value, **common(n)))
    return lists, events, list_events


@pytest.mark.parametrize("seed", range(6))
def test_as_a_plain_count_has_it(store: Store, store_url: str, seed: int) -> None:
    rng = random.Random(seed)
    lists, events, list_events = random_log(rng)
    store.add_served(lists)
    store.append(events)
    store.append(rng.sample(events, len(events) // 3))  # sent again
    put_list_events(store_url, list_events)
    if seed % 3 == 1:
        store.live_users.merge("u", "anonymous", 1000.0)
    if seed % 3 == 2:
        store.live_users.forget("w", 1000.0)
        lists = [one for one in lists if one.user_id != "w"]
        events = [one for one in events if one.user_id != "w"]
    kept = {event_id for (event_id,) in query(store_url, "SELECT event_id FROM list_events")}
    list_events = [one for one in list_events if one.event_id in kept]
    for since, until, window_s in ((0.0, 100.0, 20.0), (0.0, 100.0, 1000.0), (20.0, 40.0, 15.0)):
        came, causes = counted(lists, [*events, *list_events], since, until, window_s)
        outcomes = told(store, since, until, "position", "source", "model", window_s=window_s)
        assert {(each.cause, each.event_type): each.events for each in outcomes.unattributed} == causes
        sums = Counter[str]()
        for what in came.values():
            sums.update(what)
        for rows in ([outcomes.total], *outcomes.tables.values()):
            assert sum(row.served for row in rows) == len(came)
            for name in COUNTED:
                assert sum(getattr(row, name) for row in rows) == pytest.approx(sums[name]), name
        assert outcomes.total.feedback == {name: sums[name] for name in FEEDBACK if sums[name]}
        assert outcomes.total.lists == sum(since <= one.timestamp < until for one in lists)
        unseen = sum(1 for what in came.values() if what.get("clicks") and not what.get("impressions"))
        assert outcomes.total.clicks_unseen == unseen
