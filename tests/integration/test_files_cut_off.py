"""A file of the served bundle is cut off in place: mapped pages vanish, and a process that reads them is ended.

The service as a whole goes on: with an older version where there is one, else it says why it has nothing to serve, and
takes up the next version that is published.
"""

import os
import shutil
import urllib.error
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from recsys.bundle import open_bundle
from recsys.bundle.layout import CURRENT_FILE
from recsys.core.stored_arrays import MAPPED_FROM
from tests.support.bundles import make_bundle
from tests.support.damage import manifest_of, write_signed
from tests.support.server_processes import Response, get, logged_server
from tests.support.waiting import START_TIMEOUT_S, eventually

LOST = (urllib.error.URLError, HTTPException, OSError)  # the worker that answered was ended
ADDRESSES = (
    *(f"/recommendations/user{n}?k=20" for n in range(8)),
    *("/recommendations/user1?model=bpr", "/recommendations/user2?model=popularity", "/items/popular?k=20"),
    *("/items/item7", "/items/item7/similar", "/items/item8/similar?by=content", "/users/user3/profile", "/users"),
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version that nobody damages."""
    return open_bundle(make_bundle(tmp_path_factory.mktemp("made"), n_items=15_000, n_users=50, dim=40)).path


def publish(bundle: Path, version: Path, name: str) -> Path:
    """Make a copy of a version current, under another name."""
    copy = bundle / name
    shutil.copytree(version, copy)
    write_signed(copy, {**manifest_of(copy), "version": name})
    (bundle / CURRENT_FILE).write_text(name)
    return copy


def asked(url: str) -> Iterator[Response | None]:
    """The answers of a round of requests; None: the connection was lost."""
    for address in ADDRESSES:
        try:
            yield get(f"{url}{address}")
        except LOST:
            yield None


def served_by(url: str) -> set[str]:
    """Versions that answer in some rounds; empty unless all goes well."""
    answers = [answer for _ in range(3) for answer in asked(url)]
    if any(answer is None or answer.status != 200 for answer in answers):
        return set()
    bundles = [answer.json().get("bundle") for answer in answers if answer is not None]
    return {bundle["version"] for bundle in bundles if bundle is not None}


@pytest.mark.slow
def test_with_an_older_version_lists_go_on(sound: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "shop"
    bundle.mkdir()
    publish(bundle, sound, "1-sound")
    options = ("--bundle", str(bundle), "--port", "0", "--workers", "2", "--reload-poll-s", "0.2")
    sizes = {name: entry["bytes"] for name, entry in manifest_of(sound)["files"].items()}
    files = [name for name, size in sizes.items() if name.endswith(".npy") and size > MAPPED_FROM]
    assert len(files) > 4
    files += ["catalogue.sqlite", "histories/indptr.npy", "onnx/query_tower.onnx"]
    with logged_server(tmp_path / "log", *options) as (url, process):
        for number, file in enumerate(files):
            name = f"2-{number}"
            damaged = publish(bundle, sound, name)
            eventually(lambda name=name: served_by(url) == {name}, START_TIMEOUT_S)
            os.truncate(damaged / file, (damaged / file).stat().st_size // 2 if number % 2 else 0)
            eventually(lambda: served_by(url) == {"1-sound"}, START_TIMEOUT_S)
            assert process.poll() is None, file
            shutil.rmtree(damaged)
    assert "bytes in the place of" in (tmp_path / "log").read_text()


def test_one_process_outlives_a_small_bundle_that_is_cut_off(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "saved_model", name="shop")
    options = ("--bundle", str(bundle), "--port", "0", "--reload-poll-s", "0.2")
    with logged_server(tmp_path / "log", *options) as (url, process):
        for file in [*bundle.glob("*/*.npy"), *bundle.glob("*/*/*.npy"), *bundle.glob("*/*/*/*.npy")]:
            os.truncate(file, file.stat().st_size // 2)
        assert {answer and answer.status for answer in asked(url)} == {200}
        eventually(lambda: "bytes in the place of" in (tmp_path / "log").read_text())
        assert {answer and answer.status for answer in asked(url)} == {200}
        assert process.poll() is None


@pytest.mark.slow
def test_without_another_version_the_service_says_why_and_takes_up_the_next(sound: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "shop"
    bundle.mkdir()
    damaged = publish(bundle, sound, "1-damaged")
    options = ("--bundle", str(bundle), "--port", "0", "--workers", "2", "--reload-poll-s", "0.2")
    with logged_server(tmp_path / "log", *options) as (url, process):
        for file in damaged.rglob("*.npy"):
            os.truncate(file, 0)
        for _ in range(20):
            for answer in asked(url):
                assert answer is None or answer.status in (200, 404, 503), answer.body
        deaths = (tmp_path / "log").read_text().count(" died ")
        eventually(lambda: any(answer is not None for answer in asked(url)))
        assert (tmp_path / "log").read_text().count(" died ") <= deaths + 2, "workers do not die again and again"
        assert process.poll() is None
        publish(bundle, sound, "2-sound")
        eventually(lambda: served_by(url) == {"2-sound"}, START_TIMEOUT_S)
    log = (tmp_path / "log").read_text()
    assert "it is corrupt" in log
    assert "SIGBUS" in log or " died " not in log
