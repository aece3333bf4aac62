"""Backups made while a server takes events, and servers on what was restored: nothing acknowledged before is lost."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bundles import make_bundle
from tests.support.databases import query
from tests.support.postgres import PostgresServer
from tests.support.server_processes import ROOT, command, get, logged_server, post, server
from tests.support.waiting import eventually

pytest_plugins = "tests.support.store_fixtures"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


class Shop:
    """Sends one event after the other, and knows which were acknowledged."""

    def __init__(self, url: str) -> None:
        self._url, self._stop, self.acknowledged = url, threading.Event(), list[str]()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def _send(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            event = {"event_id": f"e{number}", "user_id": "u", "item_id": "item1", "event_type": "view"}
            if post(f"{self._url}/events", event).status == 200:
                self.acknowledged.append(f"e{number}")

    def __enter__(self) -> Shop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def serving(bundle: Path, store: str) -> Iterator[str]:
    with server(command("--bundle", str(bundle), "--port", "0"), RECSYS_STORE=store) as (url, _):
        yield url


def backed_up_under_way(bundle: Path, store: str, back_up: Callable[[], None]) -> tuple[set[str], int]:
    """Events acknowledged before a backup began that was made while others came, and how many there were at last."""
    with serving(bundle, store) as url, Shop(url) as shop:
        eventually(lambda: len(shop.acknowledged) > 20)
        before = set(shop.acknowledged)
        back_up()
        known = len(shop.acknowledged)
        eventually(lambda: len(shop.acknowledged) > known)
    return before, len(shop.acknowledged)


def check_restored(bundle: Path, store: str, before: set[str]) -> None:
    """A server on the restored store has every event of before, no other than in a row, and takes more."""
    held = [event_id for (event_id,) in query(store, "SELECT event_id FROM events ORDER BY seq")]
    assert before <= set(held)
    assert held == [f"e{number}" for number in range(len(held))]
    with serving(bundle, store) as url:
        assert get(f"{url}/ready").json()["store"] == "live"
        assert get(f"{url}/stats").json()["store_statistics"]["events"] == len(held)
        event = {"event_id": "e0", "user_id": "u", "item_id": "item1", "event_type": "view"}
        assert post(f"{url}/events", event).json()["duplicates"] == 1
        assert post(f"{url}/events", {**event, "event_id": "new"}).json()["accepted"] == 1


def test_sqlite_is_copied_and_restored(bundle: Path, tmp_path: Path) -> None:
    path, copy = tmp_path / "store.sqlite", tmp_path / "copy.sqlite"

    def back_up() -> None:
        subprocess.run([sys.executable, "-m", "recsys.store.backup", path, copy], cwd=ROOT, check=True)

    before, _ = backed_up_under_way(bundle, f"sqlite:///{path}", back_up)
    check_restored(bundle, f"sqlite:///{copy}", before)


def test_a_copy_is_moved_into_place_under_a_running_server(bundle: Path, tmp_path: Path) -> None:
    """As the runbook has it: events are refused until the file is found sound, then what it holds counts."""
    path, copy = tmp_path / "store.sqlite", tmp_path / "copy.sqlite"
    with serving(bundle, f"sqlite:///{path}") as url:
        event = {"event_id": "kept", "user_id": "u", "item_id": "item1", "event_type": "view"}
        assert post(f"{url}/events", event).status == 200
        subprocess.run([sys.executable, "-m", "recsys.store.backup", path, copy], cwd=ROOT, check=True)
        assert post(f"{url}/events", {**event, "event_id": "after"}).status == 200
        copy.replace(path)
        eventually(lambda: post(f"{url}/events", {**event, "event_id": "after"}).status == 200)
        assert get(f"{url}/ready").json()["store"] == "live"
    assert [row for (row,) in query(f"sqlite:///{path}", "SELECT event_id FROM events ORDER BY seq")] == [
        "kept",
        "after",
    ]


def test_postgresql_is_dumped_and_restored(bundle: Path, postgres: PostgresServer, tmp_path: Path) -> None:
    store, dump = postgres.new_url(), tmp_path / "store.dump"
    schema = store.rpartition("=")[2]
    into = ["--host", str(postgres.folder), "--username", "postgres"]

    def back_up() -> None:
        of = ["--format", "custom", "--schema", schema, "--file", str(dump), "postgres"]
        subprocess.run([postgres.programs / "pg_dump", *into, *of], check=True)

    before, _ = backed_up_under_way(bundle, store, back_up)
    subprocess.run([postgres.programs / "createdb", *into, "restored"], check=True)
    subprocess.run([postgres.programs / "pg_restore", *into, "--dbname", "restored", dump], check=True)
    restored = store.replace("@/postgres?", "@/restored?")
    assert restored != store
    check_restored(bundle, restored, before)


def test_servers_of_an_older_program_beside_a_newer_schema(bundle: Path, tmp_path: Path) -> None:
    """One that runs goes on; one that starts serves lists without the store, and says so."""
    path, log = tmp_path / "store.sqlite", tmp_path / "log"
    event = {"event_id": "1", "user_id": "u", "item_id": "item1", "event_type": "view"}
    with serving(bundle, f"sqlite:///{path}") as url:
        assert post(f"{url}/events", event).status == 200
        query(f"sqlite:///{path}", "UPDATE alembic_version SET version_num = '9999'")
        assert post(f"{url}/events", {**event, "event_id": "2"}).status == 200
        options = ("--bundle", str(bundle), "--port", "0")
        with logged_server(log, *options, RECSYS_STORE=f"sqlite:///{path}") as (older, _):
            assert get(f"{older}/ready").json()["store"] == "unavailable"
            assert len(get(f"{older}/recommendations/user3").json()["items"]) == 10
            refused = post(f"{older}/events", {**event, "event_id": "3"})
            assert refused.status == 503
        assert post(f"{url}/events", {**event, "event_id": "4"}).status == 200
    assert "run the newest version" in log.read_text()
