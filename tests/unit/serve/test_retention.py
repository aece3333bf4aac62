"""The store keeps what was shown, and events, for as long as it is told."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.core.events import SECONDS_PER_DAY
from recsys.store import Served, Store
from serve.store import retention
from tests.support.databases import event, patient, seen
from tests.support.serving import running
from tests.support.waiting import eventually


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """With five each of events, list events and served lists, 0, 10, ..., 40 days old, looked after without delay."""
    for name in ("FIRST_S", "INTERVAL_S", "PAUSE_S"):
        monkeypatch.setattr(retention, name, 0.01)
    monkeypatch.setattr(retention, "ROWS", 2)
    with patient(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.upgrade()
        now = time.time()
        ages = [n * 10 * SECONDS_PER_DAY for n in (4, 3, 2, 1, 0)]
        store.append(*[[one(n, timestamp=now - age) for n, age in enumerate(ages)] for one in (event, seen)])
        store.add_served([Served(str(n), "u", now - age, "v", "m", ("a",)) for n, age in enumerate(ages)])
        yield store


def test_what_is_older_than_the_settings_say_goes(bundle_path: Path, store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=url, served_days=15, events_days=25, list_events_days=35):
        eventually(lambda: len(list(store.served(0, time.time()))) == 2 and store.stats().events == 3)
        eventually(lambda: len(store.latest_list_events(9)) == 4)
    assert [row.request_id for row in store.served(0, time.time())] == ["3", "4"]
    assert [one.event_id for one in store.events_of(["u"], limit=9)["u"]] == ["e2", "e3", "e4"]


def test_events_stay_for_ever_unless_told_otherwise(bundle_path: Path, store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with running(bundle=bundle_path, store=url, served_days=5):
        eventually(lambda: len(list(store.served(0, time.time()))) == 1)
    assert store.stats().events == 5
