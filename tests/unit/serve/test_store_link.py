"""The store goes down, stands still and comes back: recommendations go on, events are refused, nothing restarts."""

import re
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.event import listen

from recsys.store import Event, StoreError, StoreUnavailable
from serve.metrics import Metrics
from serve.settings import Settings
from serve.store.link import StoreLink, open_link
from tests.support.databases import PATIENT_S, patient
from tests.support.postgres import PostgresServer
from tests.support.serving import get, refusal, running
from tests.support.waiting import TIMEOUT_S, eventually

pytest_plugins = "tests.support.store_fixtures"


def event(number: int) -> dict[str, Any]:
    return {"event_id": f"e{number}", "user_id": "u", "item_id": f"item{number}", "event_type": "view"}


def told(client: TestClient, body: Any) -> bool:
    return client.post("/events", json=body).status_code == 200


def live_events(client: TestClient) -> int:
    count: int = get(client, "u")["user"]["live_events"]
    return count


def failures(client: TestClient) -> list[str]:
    """How often calls have found the store unavailable."""
    return re.findall(r"^recsys_store_failures_total.*", client.get("/metrics").text, re.MULTILINE)


def goes_on_without(client: TestClient) -> None:
    """What a server does while its store is away."""
    get(client, "user3")  # finds out
    client.post("/events", json=event(99))  # finds out
    before = failures(client)
    assert len(before) in (1, 2), "the server's own look may find out before the second call"
    for _ in range(5):
        answer = get(client, "user3")
        assert answer["store"] == "unavailable"
        assert answer["fallback_used"] is False, "the bundle's history is read"
    response = client.post("/events", json=event(99))
    assert "the store does not answer" in refusal(response, 503)
    assert int(response.headers["retry-after"]) > 0
    assert client.get("/ready").json()["store"] == "unavailable"
    assert "recsys_store_up 0.0" in client.get("/metrics").text
    users = client.get("/users").json()
    assert (users["store"], len(users["users"])) == ("unavailable", 20)
    assert client.get("/users/user3/profile").json()["store"] == "unavailable"
    for path in ("/items/popular", "/items/item13/similar"):
        assert client.get(path, params={"user_id": "user3"}).json()["store"] == "unavailable"
        assert "store" not in client.get(path).json(), "it is the same for everyone"
    assert client.get("/stats").json()["store_statistics"] is None
    refusal(client.get("/items"), 503)
    assert failures(client) == before, "no other request waited for the store"


@pytest.mark.parametrize("trouble", ["down", "frozen"])
def test_postgresql_goes_and_comes_back(bundle_path: Path, postgres: PostgresServer, trouble: str) -> None:
    leave, come_back = {
        "down": (postgres.stop, postgres.start),
        "frozen": (postgres.freeze, postgres.thaw),
    }[trouble]
    settings = {"store_timeout_s": 1.0, "store_read_timeout_s": 1.0, "store_retry_s": 0.05}
    with running(bundle=bundle_path, store=postgres.new_url(), **settings) as (client, _):
        # Within such limits a busy machine may fail once.
        eventually(lambda: told(client, event(1)))
        eventually(lambda: live_events(client) == 1)
        leave()
        try:
            goes_on_without(client)
        finally:
            come_back()
        eventually(lambda: client.get("/ready").json()["store"] == "live")
        eventually(lambda: told(client, [event(1), event(2)]))
        eventually(lambda: live_events(client) == 2)
        eventually(lambda: (client.get("/stats").json()["store_statistics"] or {}).get("events") == 2)
        eventually(lambda: "recsys_store_up 1.0" in client.get("/metrics").text)


def test_a_store_that_is_down_at_the_start(bundle_path: Path, postgres: PostgresServer) -> None:
    url = postgres.new_url()
    postgres.stop()
    try:
        with running(bundle=bundle_path, store=url, store_retry_s=0.05, wait=False) as (client, _):
            assert get(client, "user3")["store"] == "unavailable"
            refusal(client.post("/events", json=event(1)), 503)
            postgres.start()
            eventually(lambda: client.get("/ready").json()["store"] == "live")
            assert told(client, event(1))
            assert live_events(client) == 1
    finally:
        if postgres._process.poll() is not None:
            postgres.start()


def test_a_locked_database_refuses_events_and_goes_on_reading(bundle_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with running(bundle=bundle_path, store=f"sqlite:///{path}", store_timeout_s=0.1, served_log=False) as (client, _):
        eventually(lambda: told(client, event(1)))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refusal(client.post("/events", json=event(2)), 503)
        assert live_events(client) == 1
        other.execute("ROLLBACK")
        other.close()
        eventually(lambda: told(client, event(2)))
        assert live_events(client) == 2


class Flaky:
    """Stands for a store whose reads fail while told to; remembers who read."""

    def __init__(self) -> None:
        self.fails = True
        self.readers: list[threading.Thread] = []

    def item_events_of(self, user_ids: list[str], *, until: float | None = None, limit: int) -> dict[str, list[Event]]:
        self.readers.append(threading.current_thread())
        if self.fails:
            raise StoreUnavailable("an answer", "none", "wait")
        return {user_id: [] for user_id in user_ids}


def test_a_failing_store_is_asked_again_by_one_thread_alone(tmp_path: Path) -> None:
    link = opened(Settings(store=f"sqlite:///{tmp_path}/s.sqlite", store_retry_s=0.02))
    real, flaky = link._fast, Flaky()
    link._fast = flaky  # type: ignore[assignment]

    def tried_again() -> bool:
        with pytest.raises(StoreUnavailable):
            link.events_of(["u"], None, 1)
        return len(flaky.readers) > 3

    try:
        eventually(tried_again)
        assert flaky.readers[0] is threading.current_thread(), "a request finds out"
        assert set(flaky.readers[1:]) == {link._thread}
        flaky.fails = False
        eventually(lambda: link.reachable)
        assert link.events_of(["u"], None, 1) == {"u": []}
    finally:
        link._fast = real
        link.close()


class Waits(threading.Event):
    """Remembers how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return super().wait(timeout)


def test_a_store_that_keeps_its_callers_waiting_is_asked_as_often_as_another(tmp_path: Path) -> None:
    """Else events were refused for ten times as long as an attempt takes, after the store has come back."""
    path = tmp_path / "s.sqlite"
    link = opened(Settings(store=f"sqlite:///{path}", store_retry_s=0.02, store_timeout_s=0.1))
    waits = link._closing = Waits()
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            link.append([Event("e1", "u", "i", "view", 1.0)])
        eventually(lambda: len(waits.seconds) > 3)
        other.execute("ROLLBACK")
        eventually(lambda: link.reachable)
        assert set(waits.seconds) == {0.02}
    finally:
        other.close()
        link.close()


def opened(settings: Settings) -> StoreLink:
    link = StoreLink(settings, Metrics())
    link.start()
    eventually(lambda: link.reachable)
    return link


def test_closing_waits_for_nothing() -> None:
    link = StoreLink(Settings(store="postgresql://x@127.0.0.1:1/x", store_retry_s=3600), Metrics())
    link.start()
    link.wait()
    closing = threading.Thread(target=link.close, daemon=True)
    closing.start()
    closing.join(TIMEOUT_S)
    assert not closing.is_alive()
    assert not link._thread.is_alive()


def test_urls() -> None:
    assert open_link(Settings(store="none"), Metrics()) is None
    with pytest.raises(StoreError):
        open_link(Settings(store="mysql://u@h/d"), Metrics())


def test_sqlite_needs_no_set_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/s.sqlite"
    link = opened(Settings(store=url, store_timeout_s=PATIENT_S))
    assert link.append([Event("e", "u", "i", "view", 1.0)]).accepted == 1
    link.close()
    with patient(url) as store:
        assert store.stats().events == 1


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o644, 1)])
def test_a_store_open_to_others_is_named(
    tmp_path: Path, mode: int, warned: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.sqlite"
    path.touch()
    path.chmod(mode)
    opened(Settings(store=f"sqlite:///{path}", store_timeout_s=PATIENT_S)).close()
    assert sum("chmod 600" in record.getMessage() for record in caplog.records) == warned


def test_a_store_that_is_read_alone_takes_no_events(tmp_path: Path) -> None:
    """Reading goes on; the look for the store writes, so it does not take such a store for one that is back."""
    link = opened(Settings(store=f"sqlite:///{tmp_path}/s.sqlite", store_retry_s=0.02, store_timeout_s=PATIENT_S))
    alone, tries = "ON", []

    def set_up(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA query_only = {alone}")
        tries.append(threading.current_thread())

    listen(link.store._database.backend.engine, "checkout", set_up)
    try:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                link.append([Event("e", "u", "i", "view", 1.0)])
        eventually(lambda: tries.count(link._thread) > 3)
        assert not link.reachable
        assert link.events_of(["u"], None, 1) == {"u": []}
        alone = "OFF"
        eventually(lambda: link.reachable)
        assert link.append([Event("e", "u", "i", "view", 1.0)]).accepted == 1
    finally:
        link.close()


def test_events_meet_a_store_without_tables(tmp_path: Path) -> None:
    """As where somebody drops them: refused like all that the store cannot take."""
    link = opened(Settings(store=f"sqlite:///{tmp_path}/s.sqlite", store_retry_s=0.02, store_timeout_s=PATIENT_S))
    try:
        with link.store._database.backend.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE events RENAME TO gone")
        with pytest.raises(StoreUnavailable, match="no such table"):
            link.append([Event("e", "u", "i", "view", 1.0)])
        assert not link.reachable
    finally:
        link.close()
