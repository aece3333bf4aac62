"""What users bought, and when last."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import Bundle, open_bundle
from recsys.core.histories import Histories
from recsys.histories.event_types import BOUGHT, RATED, EventTypes
from recsys.histories.live_histories import LiveHistories
from recsys.histories.purchases import last_purchases
from recsys.store import Event
from serve.store.link import StoreLink
from tests.support.bundles import DAY, START, make_bundle

NOW = START + 1000 * DAY

Entry = tuple[int, int, float]  # item, time, how surely it is a purchase
entries = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8), st.sampled_from([0.0, RATED, BOUGHT])), max_size=8)


def naive(events: Sequence[Entry], until: float) -> list[tuple[int, int]]:
    """Item and time of what was bought, one event at a time."""
    last: dict[int, tuple[float, int]] = {}
    for item, at, sure in events:
        if sure and at <= until:
            last[item] = max(last.get(item, (0.0, 0)), (sure, at))
    return sorted((item, at) for item, (_, at) in last.items())


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(entries, entries), min_size=1, max_size=4), st.none() | st.integers(-1, 9))
def test_purchases_are_those_found_one_by_one(users: list[tuple[list[Entry], list[Entry]]], until: int | None) -> None:
    base = [(b, *entry) for b, (own, _) in enumerate(users) for entry in sorted(own, key=lambda entry: entry[1])]
    rows, items, times, weights = (np.array([entry[n] for entry in base], np.float64) for n in range(4))
    histories = Histories.from_rows(len(users), rows.astype(int), items.astype(int), times.astype(int), weights=weights)
    added = [value for _, events in users for item, at, sure in events for value in (item, at, math.nan, sure)]
    found = last_purchases(histories, range(len(users)), [len(events) for _, events in users], added, until)
    for row, (own, events) in enumerate(users):
        part = slice(found.indptr[row], found.indptr[row + 1])
        pairs = list(zip(found.items[part].tolist(), found.timestamps[part].tolist(), strict=True))
        assert sorted(pairs) == naive([*own, *events], math.inf if until is None else until)
        assert found.timestamps[part].tolist() == sorted(found.timestamps[part].tolist())


class Told(StoreLink):
    """A store of some events of users."""

    def __init__(self, events: Mapping[str, list[Event]]) -> None:
        self._events = events

    def events_of(self, user_ids: Sequence[str], until: float | None, limit: int) -> dict[str, list[Event]]:
        del until, limit
        return {user: self._events.get(user, []) for user in user_ids}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(make_bundle(tmp_path_factory.mktemp("saved_model"), n_items=40, n_users=3))


def bought_by(bundle: Bundle, *events: tuple[str, str, float], as_of: float | None = None) -> dict[str, float]:
    """Days ago of what "u" bought, by item; an event is a type, an item and how many days ago it was."""
    told = sorted(
        (Event(str(n), "u", item, kind, NOW - days * DAY) for n, (kind, item, days) in enumerate(events)),
        key=lambda event: event.timestamp,
    )
    link = Told({"u": [event for event in told if as_of is None or event.timestamp <= as_of]})
    bought = LiveHistories(bundle, link, 100).of(["u"], NOW, as_of, purchases=True).queries.bought
    assert bought is not None
    days = ((NOW - bought.timestamps) / DAY).tolist()
    return dict(zip((f"item{row}" for row in bought.items.tolist()), days, strict=True))


def test_a_view_does_not_move_the_clock_and_a_purchase_does(bundle: Bundle) -> None:
    assert bought_by(bundle, ("purchase", "item3", 20)) == {"item3": 20}
    assert bought_by(bundle, ("purchase", "item3", 20), ("view", "item3", 2)) == {"item3": 20}
    assert bought_by(bundle, ("purchase", "item3", 20), ("add_to_cart", "item3", 2)) == {"item3": 20}
    assert bought_by(bundle, ("purchase", "item3", 20), ("purchase", "item3", 9), ("click", "item3", 1)) == {"item3": 9}
    assert bought_by(bundle, ("view", "item3", 20), ("click", "item4", 1)) == {}


def test_a_rating_tells_that_but_not_when_something_was_bought(bundle: Bundle) -> None:
    assert bought_by(bundle, ("rating", "item3", 5)) == {"item3": 5}
    assert bought_by(bundle, ("purchase", "item3", 20), ("rating", "item3", 5)) == {"item3": 20}


def test_what_was_returned_was_not_bought_then(bundle: Bundle) -> None:
    events = [("purchase", "item3", 20), ("purchase", "item3", 9), ("return", "item3", 8), ("view", "item3", 1)]
    assert bought_by(bundle, *events) == {"item3": 20}
    assert bought_by(bundle, ("purchase", "item3", 9), ("return", "item3", 8)) == {}


def test_as_of_an_earlier_day(bundle: Bundle) -> None:
    events = [("purchase", "item3", 20), ("purchase", "item3", 9)]
    assert bought_by(bundle, *events, as_of=NOW - 10 * DAY) == {"item3": 20}


@pytest.mark.parametrize("repeats", ["latest", "all"])
def test_the_clock_of_what_the_bundle_holds_is_moved_by_purchases_alone(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, repeats: str
) -> None:
    # user0 of the bundle viewed item 1, bought item 2 twice, and rated item 3, which weighs as much as a purchase.
    first = START + 900 * DAY
    histories = Histories.from_rows(
        3,
        np.zeros(4, int),
        np.array([2, 1, 2, 3]),
        first + DAY * np.arange(4),
        np.array([np.nan, np.nan, np.nan, 4.0]),
        np.array([5.0, 1.0, 5.0, 5.0]),
    )
    config = {"data": {"format": "events", "event_weights": {"view": 1.0, "purchase": 5.0}, "repeats": repeats}}
    monkeypatch.setattr(bundle, "manifest", msgspec.structs.replace(bundle.manifest, config=config))
    monkeypatch.setitem(bundle.__dict__, "histories", histories)

    def told(*events: tuple[str, str, float]) -> dict[int, float]:
        link = Told({"user0": [Event(kind, "user0", item, kind, first + day * DAY) for kind, item, day in events]})
        bought = LiveHistories(bundle, link, 100).of(["user0"], NOW, purchases=True).queries.bought
        assert bought is not None
        return dict(zip(bought.items.tolist(), ((bought.timestamps - first) / DAY).tolist(), strict=True))

    assert told() == {2: 2, 3: 3}
    assert told(("view", "item2", 50), ("view", "item3", 50)) == {2: 2, 3: 3}
    assert told(("purchase", "item2", 50), ("view", "item2", 60)) == {2: 50, 3: 3}
    # The purchase that was rated, told again: it was earlier than its rating.
    assert told(("purchase", "item3", 1)) == {2: 2, 3: 1}


@pytest.mark.parametrize(
    ("weights", "bought"),
    [
        ({"view": 1.0, "purchase": 3.0, "subscribe": 5.0}, {"purchase", "subscribe"}),
        ({"view": 1.0, "purchase": 5.0, "subscribe": 3.0}, {"purchase"}),
        ({"view": 1.0, "subscribe": 5.0, "order": 3.0}, {"subscribe", "purchase"}),
        ({"view": 1.0, "purchase": 1.0}, {"purchase"}),
    ],
)
def test_purchases_are_those_that_cycles_count(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, weights: dict[str, float], bought: set[str]
) -> None:
    config = {"data": {"format": "events", "event_weights": weights}}
    monkeypatch.setattr(bundle, "manifest", msgspec.structs.replace(bundle.manifest, config=config))
    assert {name for name, sure in EventTypes.of(bundle).purchases.items() if sure == BOUGHT} == bought
