"""A clock that is wrong removes nothing from the store that retention would spare."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.store import Served, Store
from serve.metrics import Metrics
from serve.settings import Settings
from serve.store import retention
from serve.store.clock import BelievedClock, widest_gap
from serve.store.retention import Retention
from tests.support.databases import event, patient

DAY_S = 86_400.0
NOW = 20_000 * DAY_S  # in 2024


class Machine:
    """A machine's clocks, both of which go on, and one of which may be set."""

    def __init__(self, now: float = NOW) -> None:
        self.time, self.uptime = now, 500.0

    def passes(self, seconds: float) -> None:
        self.time += seconds
        self.uptime += seconds

    def clock(self) -> BelievedClock:
        """Of a process that starts now."""
        return BelievedClock(lambda: self.time, lambda: self.uptime)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """With an event and a served list of each of the last hundred days, oldest first."""
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)
    with patient(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.upgrade()
        fill(store, [NOW - age * DAY_S for age in range(99, -1, -1)])
        yield store


def fill(store: Store, times: list[float]) -> None:
    """An event and a served list of each time, in that order of arrival."""
    known = store.stats().events
    store.append([event(known + n, timestamp=at) for n, at in enumerate(times)])
    store.add_served([Served(str(known + n), "u", at, "v", "m", ("a",)) for n, at in enumerate(times)])


def keeper(store: Store, clock: BelievedClock, days: float = 90) -> Retention:
    return Retention(store, Settings(served_days=days, events_days=days, blurb_days=days), Metrics(), clock)


def left(store: Store) -> tuple[int, int]:
    return store.stats().events, len(list(store.served(0, 10 * NOW)))


def test_a_clock_that_is_right_removes_what_is_old(store: Store) -> None:
    machine = Machine()
    keeper(store, machine.clock()).look()
    assert left(store) == (91, 91), "those of 0, 1, ..., 90 days ago"


@pytest.mark.parametrize("days", [2, 50, 100, 4000, -2, -50, -4000])
def test_a_clock_that_is_set_while_the_server_runs(store: Store, days: int, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    keeping = keeper(store, machine.clock())
    machine.passes(3 * DAY_S)
    machine.time += days * DAY_S
    for _ in range(3):
        keeping.look()
        fill(store, [machine.time])  # stamped by the wrong clock
        machine.passes(600.0)
    assert left(store) == (103, 103)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 5, "once for each kind"
    assert all("clock was set" in warning for warning in warnings)
    machine.time -= days * DAY_S
    keeping.look()
    assert left(store)[0] < 103, "as soon as it is right again"


def test_a_clock_that_is_corrected_by_minutes_is_believed(store: Store) -> None:
    machine = Machine()
    keeping = keeper(store, machine.clock())
    machine.time += 600.0
    keeping.look()
    assert left(store) == (90, 90)


@pytest.mark.parametrize("days", [91, 4000])
def test_a_clock_that_was_ahead_at_the_start_already(store: Store, days: int) -> None:
    machine = Machine(NOW + days * DAY_S)
    for _ in range(2):  # another start does not make it right
        keeping = keeper(store, machine.clock())
        keeping.look()
        fill(store, [machine.time])
        machine.passes(600.0)
        keeping.look()
    assert left(store) == (102, 102)


def test_what_a_clock_that_was_behind_has_stamped_stays(store: Store) -> None:
    machine = Machine()
    machine.time -= 95 * DAY_S
    fill(store, [machine.time])
    machine.time += 95 * DAY_S
    keeper(store, machine.clock()).look()
    assert left(store) == (92, 92)
    assert f"e{100}" in {one.event_id for one in store.events_of(["u"], limit=200)["u"]}


def test_what_a_clock_that_was_ahead_has_stamped_goes_with_its_neighbours(store: Store) -> None:
    """And holds up nothing of what came after it."""
    machine = Machine()
    fill(store, [NOW + 4000 * DAY_S])
    for day in range(1, 150):
        machine.passes(DAY_S)
        fill(store, [NOW + day * DAY_S])
    keeper(store, machine.clock()).look()
    assert left(store) == (91, 91)


def test_the_widest_gap_by_hand() -> None:
    assert widest_gap([], 50.0) == 0
    assert widest_gap([40.0, 30.0, 10.0], 50.0) == 20
    assert widest_gap([40.0, 5.0, 35.0, 30.0], 100.0) == 60, "one that came late opens no gap"
    assert widest_gap([50.0 + 2 * DAY_S, 40.0, 30.0], 50.0) == 10, "one of the future tells nothing"
    assert widest_gap([*range(60, 40, -1), 1.0], 60.0) == 1, "an early one is not where it begins"


def test_the_metric_says_that_nothing_is_removed(store: Store) -> None:
    machine, metrics = Machine(), Metrics()
    keeping = Retention(store, Settings(served_days=90), metrics, machine.clock())
    keeping.look()
    assert "recsys_retention_held 0.0" in metrics.render().decode()
    machine.time += 4 * DAY_S
    keeping.look()
    assert "recsys_retention_held 1.0" in metrics.render().decode()
