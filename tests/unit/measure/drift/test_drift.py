"""What people do now beside what a bundle was trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from recsys.bundle import Bundle, open_bundle
from recsys.measure.drift import DriftReport, Measure, drift
from recsys.measure.drift.behaviour import Behaviour, of_some_users
from recsys.report.drifted import print_drift
from recsys.retraining_config import DriftConfig
from recsys.store import Event, ListDetails, Served, Store
from tests.support.bundles import DAY, make_bundle

SETTINGS = DriftConfig(least_interactions=50, days=100)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    """Its interactions are a day apart, one after the other."""
    with open_bundle(make_bundle(tmp_path_factory.mktemp("bundle"), n_users=200)) as bundle:
        yield bundle


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        store.upgrade()
        yield store


def last_of(bundle: Bundle) -> float:
    return float(bundle.histories.timestamps.max())


def repeated(bundle: Bundle, days: int) -> list[Event]:
    """The last days of the bundle again, right after them: nothing has moved but who knows whom."""
    everything, last = Behaviour.of_bundle(bundle), last_of(bundle)
    recent = everything.between(last - days * DAY, last)
    users, items = bundle.catalogue.user_ids(recent.users), bundle.catalogue.item_ids(recent.items)
    stars = bundle.histories.ratings[everything.times > last - days * DAY]
    return [
        Event(f"e{n}", user, item, "rating", time + days * DAY, float(rating))
        for n, (user, item, time, rating) in enumerate(zip(users, items, recent.times.tolist(), stars, strict=True))
    ]


def measured(report: DriftReport) -> dict[str, Measure]:
    return {one.name: one for one in report.measures}


def looked_at(bundle: Bundle, store: Store | None, days: int = 100, settings: DriftConfig = SETTINGS) -> DriftReport:
    return drift(bundle, None, store, settings, seed=0, until=last_of(bundle) + days * DAY)


def test_the_same_again_is_stable(bundle: Bundle, store: Store) -> None:
    store.append(repeated(bundle, 100))
    report = looked_at(bundle, store)
    assert report.read == "store"
    assert report.interactions == report.before_interactions == 100
    found = measured(report)
    assert found["volume"].distance == 1
    assert found["unknown items"].value == 0
    assert found["top items"].value == 1
    assert found["popularity"].value == found["event mix"].value == 0
    assert found["new users"].value == 0
    assert {name for name, one in found.items() if one.band not in ("stable", "unknown")} <= {"history lengths"}


def test_strangers_and_new_items_are_counted(bundle: Bundle, store: Store) -> None:
    events = repeated(bundle, 100)
    changed = [
        event._replace(user_id=f"stranger{n}", item_id="brand new") if n % 4 == 0 else event
        for n, event in enumerate(events)
    ]
    store.append(changed)
    found = measured(looked_at(bundle, store))
    users = {event.user_id for event in changed}
    assert found["new users"].value == pytest.approx(25 / len(users))
    assert found["unknown items"].value == 0.25
    assert found["unknown items"].band == "alert"
    assert "25.0% of the interactions are with items that the bundle does not know" in found["unknown items"].says


def test_another_mix_of_events_is_an_alert(bundle: Bundle, store: Store) -> None:
    store.append([event._replace(event_type="view", rating=None) for event in repeated(bundle, 100)])
    mix = measured(looked_at(bundle, store))["event mix"]
    assert mix.band == "alert"
    assert mix.value is not None
    assert mix.value > 1


def test_an_item_that_was_nothing_and_is_everything_moves_popularity(bundle: Bundle, store: Store) -> None:
    counts = np.bincount(bundle.histories.items, minlength=bundle.n_items)
    rare = bundle.catalogue.item_ids(np.argsort(counts, kind="stable")[:5])
    events = [event._replace(item_id=rare[n % 5]) for n, event in enumerate(repeated(bundle, 100))]
    store.append(events)
    found = measured(looked_at(bundle, store))
    assert found["popularity"].band == "alert"
    assert found["top items"].value is not None
    assert found["top items"].value < 0.5


def test_silence_is_seen_in_the_volume(bundle: Bundle, store: Store) -> None:
    """Half as many in the same time, which ends now and not with the last of them."""
    store.append(repeated(bundle, 100)[:50])
    volume = measured(looked_at(bundle, store))["volume"]
    assert volume.value == 0.5
    assert volume.before == 1.0
    assert volume.distance == 2
    assert volume.band == "watch"


def test_one_of_each_user_and_item_counts_with_its_strongest_event(bundle: Bundle, store: Store) -> None:
    time = last_of(bundle) + DAY
    store.append(
        [
            Event("a", "user1", "item1", "purchase", time),
            Event("b", "user1", "item1", "view", time + 5),
            Event("c", "user1", "item2", "purchase", time),
            Event("d", "user1", "item2", "refund", time + 9),  # takes the purchase back
            Event("e", "user1", "item3", "no such type", time),
            Event("f", "user2", "item1", "view", time - 2 * DAY),  # before the bundle's last
        ]
    )
    found = Behaviour.of_store(store, bundle, last_of(bundle), time + 100)
    assert len(found) == 1
    assert found.times.tolist() == [time + 5]
    assert not found.rated.any()


def test_types_are_told_by_their_weights(bundle: Bundle) -> None:
    behaviour = Behaviour.of_bundle(bundle).where(np.arange(len(bundle.histories.items)) < 4)
    told = replace(behaviour, weights=np.float32([1, 5, 2.5, 1]), rated=np.array([False, False, False, True]))
    weights = {"view": 1.0, "purchase": 5.0, "rating": 5.0}
    assert told.types(weights) == ["view", "purchase", "other", "rating"]
    assert told.types({"view": 1.0, "click": 1.0})[0] == "click/view"


def test_of_a_large_store_all_that_some_users_did_is_read() -> None:
    events = [Event(f"e{n}", f"user{n % 400}", "item", "view", float(n)) for n in range(4000)]
    everything, share = of_some_users([events[:1500], events[1500:]], 4000)
    assert (everything, share) == (events, 1.0)
    some, share = of_some_users([events[:1500], events[1500:]], 1200)
    assert share == 0.25
    users = {event.user_id for event in some}
    assert len(some) == 10 * len(users) <= 1200  # all ten of each
    assert len(users) == pytest.approx(100, abs=30)


def test_scores_of_served_lists_are_compared(bundle: Bundle, store: Store) -> None:
    settings = SETTINGS.model_copy(update={"scored_lists": 200})
    store.append(repeated(bundle, 100))
    made = Served("r", "user1", last_of(bundle) + DAY, bundle.version, "full", ("item1",), (1e6,))
    other = made._replace(bundle_version="other")
    filled = made._replace(details=ListDetails(personal=0))
    store.add_served([*[made._replace(request_id=f"r{n}") for n in range(60)], other, filled])
    scores = measured(looked_at(bundle, store, settings=settings))["scores"]
    assert scores.band == "alert"  # no list of its own users has such scores
    assert "mean confidence 1.0000" in scores.says


def test_few_interactions_say_nothing(bundle: Bundle, store: Store) -> None:
    store.append(repeated(bundle, 100)[:20])
    report = looked_at(bundle, store)
    assert [one.name for one in report.measures] == ["scores"]
    assert report.worst == "unknown"
    assert "Nothing is known" in report.says
    assert "20 interactions since" in report.says


def test_a_store_that_does_not_answer_is_said(bundle: Bundle, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'never_made.sqlite'}") as gone:
        report = looked_at(bundle, gone)
    assert report.read == "nothing"
    assert "does not answer" in report.says
    assert report.worst == "unknown"


def test_alerts_refuse_where_the_settings_say_so(bundle: Bundle, store: Store) -> None:
    store.append([event._replace(item_id=f"new{n}") for n, event in enumerate(repeated(bundle, 100))])
    assert looked_at(bundle, store).refusals == ()
    strict = looked_at(bundle, store, settings=SETTINGS.model_copy(update={"refuse": "alert"}))
    assert any("does not know" in one for one in strict.refusals)
    assert strict.worst == "alert"


def test_the_report_is_plain_and_printed(bundle: Bundle, store: Store) -> None:
    store.append(repeated(bundle, 100))
    report = looked_at(bundle, store)
    plain = json.loads(json.dumps(report.as_json()))
    assert plain["worst"] == report.worst
    assert [one["name"] for one in plain["measures"]] == [one.name for one in report.measures]
    text = StringIO()
    print_drift(Console(file=text, width=250), report)
    for one in report.measures:
        assert one.name in text.getvalue()
