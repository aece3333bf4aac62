"""Persons who are forgotten or merged: every worker follows; a server that is killed does all or nothing."""

import json
import signal
import threading
import time
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from recsys.store import Event, Served, Store
from tests.support.bundles import make_bundle
from tests.support.databases import patient
from tests.support.server_processes import DIRECT, get, logged_server, workers_of
from tests.support.waiting import START_TIMEOUT_S, TIMEOUT_S, eventually

pytest_plugins = "tests.support.store_fixtures"

ASKED = 20  # requests on connections of their own: each of two workers answers some of them
EVENTS = 20_000


def call(url: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    given = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}{path}", given, {"Content-Type": "application/json"}, method=method)
    with DIRECT.open(request, timeout=TIMEOUT_S) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def known(url: str, user_id: str) -> set[tuple[bool, int]]:
    """Whether a user is known, and how long the history is, as all workers have it."""
    users = [get(f"{url}/recommendations/{user_id}?k=1").json()["user"] for _ in range(ASKED)]
    return {(user["known"], user["interactions"]) for user in users}


# The store's own tests hold both databases to the same.
@pytest.mark.parametrize("store_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_all_workers_know_whom_one_was_told_to_forget(tmp_path: Path, store_url: str) -> None:
    log = tmp_path / "log"
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    options = ("--bundle", str(bundle), "--port", "0", "--workers", "2", "--store", store_url)
    with logged_server(log, *options) as (url, process):
        eventually(lambda: log.read_text().count("Application startup complete") == 2, START_TIMEOUT_S)
        ((_, of_three),) = known(url, "user3")
        ((_, of_four),) = known(url, "user4")
        call(url, "DELETE", "/users/user3")
        eventually(lambda: known(url, "user3") == {(False, 0)})
        call(url, "POST", "/users/account/merge", {"from": "user4"})
        eventually(lambda: known(url, "account") == {(True, of_four)})
        eventually(lambda: known(url, "user4") == {(False, 0)})
        assert of_three
        assert of_four

        workers_of(process)[0].kill()
        eventually(lambda: log.read_text().count("Application startup complete") == 3, START_TIMEOUT_S)
        assert known(url, "user3") == {(False, 0)}, "a new worker knows before its first list"
        assert known(url, "account") == {(True, of_four)}
    with logged_server(log, *options) as (url, _):
        assert known(url, "user3") == {(False, 0)}


@pytest.mark.slow  # it starts several servers, and kills each at another moment
def test_a_server_that_is_killed_forgets_all_or_nothing(tmp_path: Path, store_url: str) -> None:
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    options = ("--bundle", str(bundle), "--port", "0", "--store", store_url)
    for attempt, wait_s in enumerate((0.0, 0.005, 0.02, 0.05, 0.1, 0.3)):
        with patient(store_url) as store:
            store.upgrade()
            fill(store, f"u{attempt}")
        with logged_server(tmp_path / "log", *options) as (url, process):
            asking = threading.Thread(target=_ignoring, args=(url, f"/users/u{attempt}"))
            asking.start()
            time.sleep(wait_s)
            process.send_signal(signal.SIGKILL)
            asking.join()
        with patient(store_url) as store:
            gone = bool(store.live_users.persons().forgotten_until(f"u{attempt}") > 0)
            events = store.user_totals(f"u{attempt}")
            left = sum(row.user_id == f"u{attempt}" for row in store.served(0, 1e10))
            said = store.live_users.attributes_of(f"u{attempt}")
            assert (events is None, left == 0, said is None) == (gone, gone, gone)
            assert events is None or events.events == EVENTS
            store.live_users.forget(f"u{attempt}", time.time())
            assert store.user_totals(f"u{attempt}") is None


def fill(store: Store, user_id: str) -> None:
    for start in range(0, EVENTS, 10_000):
        numbers = range(start, start + 10_000)
        store.append([Event(f"{user_id}-{n}", user_id, f"i{n % 100}", "view", 1.6e9 + n) for n in numbers])
    store.add_served([Served(f"r{n}", user_id, 1.6e9, "v", "full", ("i1",)) for n in range(1000)])
    store.live_users.put(user_id, {"age": 41.0}, consent=True, who=None, timestamp=1.6e9)


def _ignoring(url: str, path: str) -> None:
    with suppress(OSError, HTTPException):  # the server was killed
        call(url, "DELETE", path)
