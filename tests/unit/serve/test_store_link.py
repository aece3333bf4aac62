"""The store goes down, stands still and comes back: recommendations go on, events are refused, nothing restarts."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recsys.store import Event, Store, StoreError, StoreUnavailable
from serve.metrics import Metrics
from serve.settings import Settings
from serve.store_link import StoreLink, open_link
from tests.unit.serve.helpers import get, refusal, running
from tests.unit.store.postgres import CannotStart, PostgresServer

READ_S, RETRY_S = 0.1, 0.05


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except CannotStart as reason:
        pytest.skip(str(reason))
    yield server
    server.remove()


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def event(number: int) -> dict[str, Any]:
    return {"event_id": f"e{number}", "user_id": "u", "item_id": f"item{number}", "event_type": "view"}


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return call(), time.perf_counter() - started


def goes_on_without(client: TestClient) -> None:
    """What a server does while its store is away."""
    get(client, "user3")  # finds out
    for _ in range(5):
        answer, seconds = timed(lambda: get(client, "user3"))
        assert answer["store"] == "unavailable"
        assert answer["fallback_used"] is False, "the bundle's history is read"
        assert seconds < READ_S
    client.post("/events", json=event(99))  # finds out
    response, seconds = timed(lambda: client.post("/events", json=event(99)))
    assert "the store does not answer" in refusal(response, 503)
    assert int(response.headers["retry-after"]) > 0
    assert seconds < READ_S
    assert client.get("/ready").json()["store"] == "unavailable"
    assert "recsys_store_up 0.0" in client.get("/metrics").text
    users = client.get("/users").json()
    assert (users["store"], len(users["users"])) == ("unavailable", 20)
    assert client.get("/users/user3/profile").json()["store"] == "unavailable"
    assert client.get("/stats").json()["store_statistics"] is None
    refusal(client.get("/items"), 503)


@pytest.mark.parametrize("trouble", ["down", "frozen"])
def test_postgresql_goes_and_comes_back(bundle_path: Path, postgres: PostgresServer, trouble: str) -> None:
    leave, come_back = {
        "down": (postgres.stop, postgres.start),
        "frozen": (postgres.freeze, postgres.thaw),
    }[trouble]
    settings = {"store_timeout_s": 0.5, "store_read_timeout_s": READ_S, "store_retry_s": RETRY_S}
    with running(bundle=bundle_path, store=postgres.new_url(), **settings) as (client, _):
        assert client.post("/events", json=event(1)).status_code == 200
        assert get(client, "u")["user"]["live_events"] == 1
        leave()
        try:
            goes_on_without(client)
        finally:
            come_back()
        until(lambda: client.get("/ready").json()["store"] == "live")
        assert client.post("/events", json=[event(1), event(2)]).json()["duplicates"] == 1
        assert get(client, "u")["user"] == {**get(client, "u")["user"], "live_events": 2}
        assert client.get("/stats").json()["store_statistics"]["events"] == 2
        assert "recsys_store_up 1.0" in client.get("/metrics").text


def test_a_store_that_is_down_at_the_start(bundle_path: Path, postgres: PostgresServer) -> None:
    url = postgres.new_url()
    postgres.stop()
    settings = {"store_timeout_s": 0.5, "store_read_timeout_s": READ_S, "store_retry_s": RETRY_S}
    try:
        with running(bundle=bundle_path, store=url, **settings) as (client, _):
            assert get(client, "user3")["store"] == "unavailable"
            refusal(client.post("/events", json=event(1)), 503)
            postgres.start()
            until(lambda: client.get("/ready").json()["store"] == "live")
            assert client.post("/events", json=event(1)).status_code == 200
            assert get(client, "u")["user"]["live_events"] == 1
    finally:
        if postgres._process.poll() is not None:
            postgres.start()


def test_a_locked_database_refuses_events_and_goes_on_reading(bundle_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with running(bundle=bundle_path, store=f"sqlite:///{path}", store_timeout_s=0.1, served_log=False) as (client, _):
        assert client.post("/events", json=event(1)).status_code == 200
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refusal(client.post("/events", json=event(2)), 503)
        assert get(client, "u")["user"]["live_events"] == 1
        other.execute("ROLLBACK")
        other.close()
        until(lambda: client.post("/events", json=event(2)).status_code == 200)
        assert get(client, "u")["user"]["live_events"] == 2


class Flaky:
    """Stands for a store whose reads fail while told to; counts them."""

    def __init__(self) -> None:
        self.fails, self.reads = True, 0

    def events_of(self, user_ids: list[str], *, until: float | None = None, limit: int) -> dict[str, list[Event]]:
        self.reads += 1
        if self.fails:
            raise StoreUnavailable("an answer", "none", "wait")
        return {user_id: [] for user_id in user_ids}


def test_a_failing_store_is_asked_again_by_one_thread_alone(tmp_path: Path) -> None:
    settings = Settings(store=f"sqlite:///{tmp_path}/s.sqlite", store_retry_s=0.2)
    link = StoreLink(settings, Metrics())
    link.start()
    link.wait()
    real, flaky = link._fast, Flaky()
    link._fast = flaky  # type: ignore[assignment]
    try:
        started = time.monotonic()
        failures = 0
        while time.monotonic() < started + 1:
            with pytest.raises(StoreUnavailable):
                link.events_of(["u"], None, 1)
            failures += 1
        assert failures > 50
        assert 2 <= flaky.reads <= 7, "once by a request, then every 0.2 s"
        flaky.fails = False
        until(lambda: link.reachable)
        assert link.events_of(["u"], None, 1) == {"u": []}
    finally:
        link._fast = real
        link.close()


def test_closing_waits_for_nothing(tmp_path: Path) -> None:
    link = StoreLink(Settings(store="postgresql://x@127.0.0.1:1/x", store_retry_s=60, store_timeout_s=0.1), Metrics())
    link.start()
    link.wait()
    _, seconds = timed(link.close)
    assert seconds < 5
    assert not [thread for thread in threading.enumerate() if thread is link._thread]


def test_urls() -> None:
    assert open_link(Settings(store="none"), Metrics()) is None
    with pytest.raises(StoreError):
        open_link(Settings(store="mysql://u@h/d"), Metrics())


def test_sqlite_needs_no_set_up(tmp_path: Path) -> None:
    link = StoreLink(Settings(store=f"sqlite:///{tmp_path}/new/folder/s.sqlite"), Metrics())
    link.start()
    link.wait()
    assert link.append([Event("e", "u", "i", "view", 1.0)]).accepted == 1
    link.close()
    with Store.open(f"sqlite:///{tmp_path}/new/folder/s.sqlite") as store:
        assert store.stats().events == 1
