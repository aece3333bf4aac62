"""What happens to the SQLite file of a running server of two workers: no event is acknowledged and then lost."""

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import psutil
import pytest

from tests.support.bundles import make_bundle
from tests.support.databases import backup, ids_in
from tests.support.server_processes import Response, get, logged_server, metric, post, workers_of
from tests.support.waiting import START_TIMEOUT_S, eventually

ASKED = 12  # requests on connections of their own, so that both workers answer some


@dataclass
class Shop:
    """A server, its store, and what it has acknowledged."""

    url: str
    process: subprocess.Popen[str]
    store: Path
    log: Path
    acknowledged: list[str]

    def tell(self) -> Response:
        """An event of its own."""
        name = f"e{len(self.acknowledged)}"
        event = {"event_id": name, "user_id": "anna", "item_id": "item3", "event_type": "view"}
        response = post(f"{self.url}/events", event)
        assert response.status in (200, 503), response.body
        if response.status == 200:
            self.acknowledged.append(name)
        return response

    def statuses(self) -> set[int]:
        return {self.tell().status for _ in range(ASKED)}

    def counted(self) -> set[int]:
        return {get(f"{self.url}/stats").json()["store_statistics"]["events"] for _ in range(ASKED)}


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("saved_model"), name="shop")


@pytest.fixture
def shop(bundle_path: Path, tmp_path: Path) -> Iterator[Shop]:
    store, log = tmp_path / "store.sqlite", tmp_path / "log"
    options = ("--bundle", str(bundle_path), "--port", "0", "--workers", "2", "--store-retry-s", "0.1")
    with logged_server(log, *options, "--store", f"sqlite:///{store}", "--served-log", "false") as (url, process):
        eventually(lambda: log.read_text().count("Application startup complete") == 2)
        shop = Shop(url, process, store, log, [])
        eventually(lambda: shop.statuses() == {200})
        yield shop


def ready(shop: Shop) -> bool:
    """Whether all that is asked is answered, by workers that may be new."""
    with suppress(OSError, HTTPException):
        return all(get(f"{shop.url}/ready").status == 200 for _ in range(ASKED))
    return False


def ends_with_all(shop: Shop) -> None:
    """The server ends, and its store holds what it has acknowledged."""
    shop.process.terminate()
    shop.process.wait()
    assert sorted(ids_in(shop.store)) == sorted(shop.acknowledged)


def removed(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def file_removed(path: Path) -> None:
    path.unlink()


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


@pytest.mark.parametrize(
    "attack", [removed, *(pytest.param(one, marks=pytest.mark.slow) for one in (file_removed, garbage))]
)
def test_events_are_refused_until_a_sound_store_is_back(shop: Shop, attack: Callable[[Path], None]) -> None:
    before = len(shop.acknowledged)
    copy = backup(shop.store, shop.store.with_name("copy"))
    attack(shop.store)
    refused = [shop.tell() for _ in range(ASKED)]
    assert {response.status for response in refused} == {503}
    assert all(int(response.headers["Retry-After"]) > 0 for response in refused)
    eventually(lambda: {get(f"{shop.url}/ready").json()["store"] for _ in range(ASKED)} == {"unavailable"})
    assert metric(shop.url, "recsys_store_up") == 0
    assert str(shop.store) in shop.log.read_text()
    profile = get(f"{shop.url}/users/anna/profile")
    assert profile.status == 503, "nobody knows whether there is such a user"
    assert get(f"{shop.url}/recommendations/user3").json()["store"] == "unavailable"
    for worker in workers_of(shop.process) if attack is removed else ():
        worker.kill()
    eventually(lambda: len(workers_of(shop.process)) == 2 and ready(shop), START_TIMEOUT_S)
    assert shop.statuses() == {503}, "nobody makes a store anew, a new worker neither"
    copy.replace(shop.store)
    eventually(lambda: shop.statuses() == {200})
    assert shop.counted() == {len(shop.acknowledged)}
    ends_with_all(shop)
    assert len(shop.acknowledged) > before


def test_a_backup_moved_over_the_store_is_used(shop: Shop) -> None:
    copy = backup(shop.store, shop.store.with_name("copy"))
    kept = list(shop.acknowledged)
    shop.tell()
    shop.acknowledged.clear()
    shop.acknowledged += kept
    copy.replace(shop.store)
    eventually(lambda: shop.statuses() == {200})
    assert shop.counted() == {len(shop.acknowledged)}
    ends_with_all(shop)


@pytest.mark.slow
def test_a_backup_copied_over_the_store_is_used(shop: Shop) -> None:
    """Not the way to do it: the file is half of one store and half of another meanwhile."""
    copy = backup(shop.store, shop.store.with_name("copy"))
    shutil.copyfile(copy, shop.store)
    eventually(lambda: shop.statuses() == {200})
    ends_with_all(shop)


def test_a_disk_that_takes_nothing_more(shop: Shop) -> None:
    """Stands for a full one: no file may grow. Events are refused, reading goes on, and room is found by itself."""
    workers = workers_of(shop.process)
    size = shop.store.with_name(f"{shop.store.name}-wal").stat().st_size
    for worker in workers:
        worker.rlimit(psutil.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    assert shop.statuses() == {503}

    def all_know() -> bool:
        # A worker finds out when it is told of an event, and one may have taken all of those above.
        refused = shop.statuses() == {503}
        return refused and {get(f"{shop.url}/ready").json()["store"] for _ in range(ASKED)} == {"unavailable"}

    eventually(all_know)
    assert shop.statuses() == {503}, "the look for the store writes, and finds no room either"
    answers = [get(f"{shop.url}/recommendations/anna").json() for _ in range(ASKED)]
    assert {(answer["store"], answer["user"]["live_events"]) for answer in answers} == {
        ("live", len(shop.acknowledged))
    }
    for worker in workers:
        worker.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    eventually(lambda: shop.statuses() == {200})
    ends_with_all(shop)
