"""What every store does with list events, whatever its database: beside events, and never among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from recsys.core.events import FEEDBACK, LIST_EVENT_TYPES, MAX_POSITION
from recsys.store import Appended, InvalidRecord, ListEvent, Store, bulk
from tests.support.databases import event, query, seen

pytest_plugins = "tests.support.store_fixtures"

FULL = ListEvent("e9", "u", "i9", "explanation_feedback", 1_700_000_000.123456, "a list 😀", MAX_POSITION, "wrong")
BARE = ListEvent("e10", "u", "i9", "explanation_open", 1000.0)


def kept(store: Store, user_id: str = "u") -> list[ListEvent]:
    return [one for part in store.live_users.export(user_id).list_events() for one in part]


def test_a_list_event_comes_back_as_it_was(store: Store) -> None:
    assert store.append([], [BARE, FULL]) == Appended(2, 0)
    assert set(kept(store)) == {BARE, FULL}


def test_an_id_counts_once_among_list_events_and_once_among_events(store: Store) -> None:
    again = seen(1, item_id="other")
    assert store.append([], [seen(1), again, seen(2)]) == Appended(2, 1)
    assert store.append([], [again, seen(3)]) == Appended(1, 1)
    assert store.append([], [again]) == Appended(0, 1)
    assert store.append([event(1)], [again]) == Appended(1, 1)
    assert sorted(kept(store)) == [seen(1), seen(2), seen(3)]
    assert store.events_of(["u"], limit=9) == {"u": [event(1)]}


def test_many_are_stored_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 7)
    many = [seen(n) for n in range(100)]
    assert store.append([], [*many[:50], *many]) == Appended(100, 50)
    assert sorted(kept(store)) == sorted(many)


def test_events_say_which_list_they_follow(store: Store) -> None:
    of_list = event(1, recommendation_id="r" * 32, position=3)
    store.append([of_list, event(2)])
    assert store.events_of(["u"], limit=9) == {"u": [of_list, event(2)]}
    assert store.item_events_of(["u"], limit=1) == {"u": [event(2)]}
    assert list(store.all_events()) == [[of_list, event(2)]]


WRONG_NAMES: list[tuple[str, Any]] = [
    ("recommendation_id", ""),
    ("recommendation_id", "a\0"),
    ("recommendation_id", "x" * 513),
    ("position", 0),
    ("position", -1),
    ("position", MAX_POSITION + 1),
    ("position", 1.0),
    ("position", True),
]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *WRONG_NAMES,
        *[("event_id", ""), ("user_id", "\ud800"), ("item_id", "a\0"), ("timestamp", -1.0), ("timestamp", 2.0**33)],
        *[("event_type", "view"), ("event_type", "Impression"), ("value", "clear"), ("value", "")],
    ],
)
def test_what_cannot_be_stored_is_named_and_nothing_of_the_call_is_stored(
    store: Store, name: str, value: object
) -> None:
    wrong = seen(1, **{name: value})
    with pytest.raises(InvalidRecord, match=f"{name} of list event 1"):
        store.append([event(5)], [seen(2), wrong])
    assert kept(store) == []
    assert store.stats().events == 0


@pytest.mark.parametrize(("name", "value"), [*WRONG_NAMES, *(("event_type", kind) for kind in LIST_EVENT_TYPES)])
def test_events_do_not_take_what_is_no_list_or_no_act(store: Store, name: str, value: object) -> None:
    with pytest.raises(InvalidRecord, match=f"{name} of event 0"):
        store.append([event(1, **{name: value})], [seen(2)])
    assert kept(store) == []


@pytest.mark.parametrize("value", [None, "Clear", "good", ""])
def test_a_feedback_says_one_of_a_few_things(store: Store, value: str | None) -> None:
    with pytest.raises(InvalidRecord, match="value of list event 0"):
        store.append([], [seen(event_type="explanation_feedback", value=value)])
    store.append([], [seen(n, event_type="explanation_feedback", value=said) for n, said in enumerate(FEEDBACK)])
    assert {one.value for one in kept(store)} == set(FEEDBACK)


def test_what_reads_events_sees_no_list_events(store: Store) -> None:
    store.append([event(1, recommendation_id="r")], [seen(n, user_id=f"u{n % 3}") for n in range(50)])
    assert (store.stats().events, store.stats().users, store.stats().last_event) == (1, 1, 1001.0)
    assert [row.user_id for row in store.users(None, 9).rows] == ["u"]
    assert store.user_totals("u1") is None
    assert store.events_of(["u1"], limit=9) == store.item_events_of(["u1"], limit=9) == {"u1": []}
    assert list(store.all_events()) == [[event(1, recommendation_id="r")]]
    assert store.latest_events(9) == [1001.0]


def times_of(url: str) -> Sequence[float]:
    return [row[0] for row in query(url, "SELECT timestamp FROM list_events ORDER BY timestamp")]


def test_old_ones_go_in_the_order_of_their_arrival(store: Store, store_url: str) -> None:
    for n, at in enumerate((10.0, 900.0, 20.0, 60.0, 30.0)):
        store.append([event(n, timestamp=at)], [seen(n, timestamp=at)])
    assert store.latest_list_events(2) == [30.0, 60.0]
    assert store.outcomes.removed_until() is None
    assert store.forget_list_events(50.0, limit=9, until=100.0) == 3
    assert times_of(store_url) == [30.0, 60.0]
    assert store.outcomes.removed_until() == 20.0, "the time of the clock that was ahead says nothing"
    assert store.forget_list_events(50.0, limit=1) == 0, "60 arrived first, and stays"
    assert store.forget_list_events(50.0, limit=2) == 1
    assert times_of(store_url) == [60.0]
    assert store.outcomes.removed_until() == 30.0
    assert store.stats().events == 5, "events are kept for a time of their own"
    assert store.append([], [seen(0)]) == Appended(1, 0), "what is gone is no duplicate"
