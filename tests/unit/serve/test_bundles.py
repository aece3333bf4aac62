"""A new bundle takes the old one's place when it is sound, and only then."""

import gc
import json
import logging
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from recsys.bundle import open_bundle
from recsys.bundle.layout import CURRENT_FILE, MANIFEST_FILE, SCHEMA_VERSION
from recsys.bundle.locks import FolderLock
from recsys.bundle.manifest import digest
from recsys.bundle.versions import Versions
from recsys.core.errors import BundleError
from serve.bundles.loaded import LoadedBundle
from serve.bundles.swap import Bundles, NotReadyError
from serve.bundles.watch import signature
from serve.metrics import Metrics
from serve.recommendations.warm_up import warm_up
from serve.settings import Settings
from tests.support.bundles import make_bundle
from tests.support.serving import answer_to, refusal, running, service_of
from tests.support.waiting import START_TIMEOUT_S, eventually

N_ITEMS = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Versions of a bundle, of seeds 0, 1, ..., the oldest first."""
    path, folders = tmp_path_factory.mktemp("made"), []
    for seed in range(4):
        folder = make_bundle(path, n_items=N_ITEMS, n_users=5, seed=seed, keep=10)
        folders.append(folder / current(folder))
    return folders


@pytest.fixture
def path(tmp_path: Path, made: list[Path]) -> Path:
    publish(tmp_path / "shop", made[0])
    return tmp_path / "shop"


@pytest.fixture
def another(path: Path, made: list[Path]) -> Callable[[], str]:
    """Publishes the next version; its name."""
    rest = iter(made[1:])
    return lambda: publish(path, next(rest))


def publish(path: Path, version: Path) -> str:
    shutil.copytree(version, path / version.name)
    point_to(path, version.name)
    return version.name


def current(path: Path) -> str:
    return (path / CURRENT_FILE).read_text().strip()


def point_to(path: Path, version: str) -> None:
    (path / CURRENT_FILE).write_text(version)


@contextmanager
def serving(path: Path, **settings: object) -> Iterator[Bundles]:
    bundles = Bundles(Settings(bundle=path, store="none", **{"reload_poll_s": 0.02, **settings}), Metrics(), warm_up)
    bundles.start()
    bundles.first.result(START_TIMEOUT_S)
    try:
        yield bundles
    finally:
        bundles.close()


def version_of(bundles: Bundles) -> str:
    return bundles.loaded.bundle.version


def cut_off(folder: Path) -> None:
    embeddings = folder / "item_embeddings.npy"
    embeddings.write_bytes(embeddings.read_bytes()[:-1])


def change_a_byte(folder: Path) -> None:
    embeddings = folder / "item_embeddings.npy"
    content = bytearray(embeddings.read_bytes())
    content[-1] ^= 1
    embeddings.write_bytes(content)


def remove_the_index(folder: Path) -> None:
    shutil.rmtree(folder / "scann")


def remove_the_manifest(folder: Path) -> None:
    (folder / MANIFEST_FILE).unlink()


def of_another_schema(folder: Path) -> None:
    rewrite(folder, schema_version=SCHEMA_VERSION + 1)


def of_other_features(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    rewrite(folder, ranker={**manifest["ranker"], "features": ["age_of_the_moon"]})


def without_an_entry(folder: Path) -> None:
    rewrite(folder, serving={})


def rewrite(folder: Path, **changes: object) -> None:
    """A manifest that is whole, yet not of this program."""
    manifest = {**json.loads((folder / MANIFEST_FILE).read_text()), **changes}
    manifest["sha256"] = digest(manifest)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))


BROKEN: dict[Callable[[Path], None], str] = {
    cut_off: "it is corrupt",
    change_a_byte: "another content",
    remove_the_index: "the bundle is partial",
    remove_the_manifest: "it is partial",
    of_another_schema: "incompatible version",
    of_other_features: "age_of_the_moon",
    without_an_entry: "missing required field `candidates`",
}


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_bundle_that_is_not_sound_is_refused_with_the_reason(
    path: Path, another: Callable[[], str], spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    first = current(path)
    with running(bundle=path, store="none", reload_poll_s=0.02) as (client, server), caplog.at_level(logging.ERROR):
        second = another()
        eventually(lambda: version_of(server.parts.bundles) == second)
        point_to(path, first)
        eventually(lambda: version_of(server.parts.bundles) == first)
        spoil(path / second)
        caplog.clear()
        point_to(path, second)
        eventually(lambda: any(BROKEN[spoil] in record.getMessage() for record in caplog.records))
        assert client.get("/recommendations/user0").json()["bundle"]["version"] == first
        assert BROKEN[spoil] in refusal(client.post("/admin/reload"), 409)
        assert client.get("/ready").json()["bundle"]["version"] == first
        refusals = server.parts.metrics._refusals._value.get()
        time.sleep(0.1)
        assert server.parts.metrics._refusals._value.get() == refusals, "it is not tried again and again"
        third = another()
        eventually(lambda: version_of(server.parts.bundles) == third)
        assert f'version="{third}"}} 1.0' in client.get("/metrics").text
        assert f'version="{first}"}} 0.0' in client.get("/metrics").text


@pytest.mark.parametrize("content", ["", "../..", "nowhere", ".", "\x00", "a\nb"])
def test_a_pointer_to_nothing_is_refused(path: Path, content: str) -> None:
    first = current(path)
    with serving(path) as bundles:
        point_to(path, content)
        with pytest.raises(BundleError):
            bundles.load()
        assert version_of(bundles) == first


def test_a_reload_by_request_names_both(path: Path, another: Callable[[], str]) -> None:
    first = current(path)
    with running(bundle=path, store="none", reload_poll_s=0) as (client, _):
        second = another()
        assert client.get("/ready").json()["bundle"]["version"] == first, "nobody looks"
        answer = client.post("/admin/reload").json()
        assert (answer["before"]["version"], answer["bundle"]["version"]) == (first, second)
        assert client.get("/ready").json()["bundle"]["version"] == second


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")  # a server's does not look at what was there at its start
def test_the_old_bundle_is_let_go_with_its_last_request(path: Path, another: Callable[[], str]) -> None:
    first = current(path)
    with service_of(path, reload_poll_s=0) as service:
        answer_to(service, "user0")
        another()
        assert FolderLock.exclusive(path / first) is None, "a writer must not remove what is served"
        service.bundles.load()
        answer_to(service, "user0")
        lock = FolderLock.exclusive(path / first)
        assert lock is not None
        lock.close()


def test_a_request_under_way_keeps_its_bundle(path: Path, another: Callable[[], str]) -> None:
    first = current(path)
    with serving(path, reload_poll_s=0) as bundles:
        held = bundles.loaded
        held.cards([0])  # each thread opens the catalogue once
        another()
        bundles.load()
        assert (held.bundle.version, version_of(bundles) != first) == (first, True)
        shutil.rmtree(path / first)
        histories = held.bundle.histories
        assert len(held.recommender.primary.similar(0, 3).items[0]) == 3
        assert held.cards(range(N_ITEMS))[5].item_id == "item5"
        assert len(histories) == 5


def test_a_start_falls_back_to_the_newest_sound_version(path: Path, another: Callable[[], str]) -> None:
    first, second = current(path), another()
    third, fourth = another(), another()
    cut_off(path / fourth)
    change_a_byte(path / third)
    without_an_entry(path / second)
    with serving(path) as bundles:
        assert version_of(bundles) == first


def test_without_any_sound_version_it_says_why(path: Path) -> None:
    cut_off(path / current(path))
    with serving(path) as bundles, pytest.raises(NotReadyError, match="corrupt"):
        bundles.loaded  # noqa: B018


def test_one_version_by_its_folder(path: Path, another: Callable[[], str]) -> None:
    first = current(path)
    another()
    with serving(path / first) as bundles:
        assert version_of(bundles) == first


def test_a_trusted_version_is_checked_by_size_alone(path: Path) -> None:
    version = current(path)
    change_a_byte(path / version)
    with serving(path, trusted_version=version) as bundles:
        assert version_of(bundles) == version
    with serving(path, trusted_version="another") as bundles, pytest.raises(NotReadyError):
        bundles.loaded  # noqa: B018


def test_whoever_waits_for_the_first_bundle_waits_for_nothing_else(path: Path) -> None:
    store = threading.Event()

    def slow(_: LoadedBundle) -> None:
        store.wait(START_TIMEOUT_S)

    bundles = Bundles(Settings(bundle=path, store="none"), Metrics(), on_change=slow)
    bundles.start()
    try:
        assert bundles.first.result(START_TIMEOUT_S) is None
        assert not store.is_set()
    finally:
        store.set()
        bundles.close()


def full_disk(*_: object, **__: object) -> None:
    raise OSError("no space left on device")


def test_no_error_ends_the_look_for_bundles(
    path: Path, another: Callable[[], str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    monkeypatch.setattr(metrics, "serving", full_disk)
    monkeypatch.setattr(metrics, "bundle_refused", full_disk)
    bundles = Bundles(Settings(bundle=path, store="none", reload_poll_s=0.02), metrics, on_change=full_disk)
    bundles.start()
    try:
        assert bundles.first.result(START_TIMEOUT_S) is None
        second = another()
        eventually(lambda: version_of(bundles) == second)
        point_to(path, "nowhere")
        eventually(lambda: "The metrics miss a bundle that was refused" in caplog.text)
        with monkeypatch.context() as patch:
            patch.setattr("serve.bundles.swap.signature", full_disk)
            eventually(lambda: "The look for another bundle failed" in caplog.text)
        third = another()
        eventually(lambda: version_of(bundles) == third)
        assert "The metrics miss which bundle is served" in caplog.text
        assert "What follows a new bundle was not done" in caplog.text
    finally:
        bundles.close()


def test_an_error_met_at_every_look_is_counted_each_time_and_logged_once(
    path: Path, another: Callable[[], str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def only_here(look: Callable[..., None]) -> Callable[[Path], object]:
        """Servers of other tests look for their bundles, too, and log what they meet."""
        return lambda asked: look() if asked == path else signature(asked)

    said = "The look for another bundle failed"
    with running(bundle=path, store="none", reload_poll_s=0.01) as (client, server):
        with monkeypatch.context() as patch:
            patch.setattr("serve.bundles.swap.signature", only_here(forbidden))
            eventually(lambda: watch_errors(client.get("/metrics").text) > 5)
            assert caplog.text.count(said) == 1
            patch.setattr("serve.bundles.swap.signature", only_here(full_disk))
            eventually(lambda: caplog.text.count(said) == 2)
        second = another()
        eventually(lambda: version_of(server.parts.bundles) == second)
        counted = watch_errors(client.get("/metrics").text)
        with monkeypatch.context() as patch:
            patch.setattr("serve.bundles.swap.signature", only_here(forbidden))
            eventually(lambda: caplog.text.count(said) == 3)  # things had gone well in between
        eventually(lambda: watch_errors(client.get("/metrics").text) > counted)  # an error is logged, then counted


def forbidden(*_: object) -> None:
    raise PermissionError("not for you")


def watch_errors(metrics: str) -> float:
    (line,) = [line for line in metrics.splitlines() if line.startswith("recsys_bundle_watch_errors_total")]
    return float(line.split()[-1])


def a_pipe(pointer: Path) -> None:
    os.mkfifo(pointer)


def a_folder(pointer: Path) -> None:
    pointer.mkdir()


def a_socket(pointer: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(pointer))  # an address of a socket is short


def a_link_to_itself(pointer: Path) -> None:
    pointer.symlink_to(pointer)


def an_endless_device(pointer: Path) -> None:
    pointer.symlink_to("/dev/zero")


def a_huge_file(pointer: Path) -> None:
    with pointer.open("wb") as file:
        file.truncate(1 << 40)


def nothing(pointer: Path) -> None:
    del pointer


@pytest.mark.parametrize(
    "become", [a_pipe, a_folder, a_socket, a_link_to_itself, an_endless_device, a_huge_file, nothing]
)
def test_whatever_becomes_of_the_pointer_is_survived(
    path: Path, another: Callable[[], str], become: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, pointer = current(path), path / CURRENT_FILE
    monkeypatch.chdir(path)
    with running(bundle=path, store="none", reload_poll_s=0.02) as (client, server):
        pointer.unlink()
        become(pointer)
        refusal(client.post("/admin/reload"), 409)
        assert client.get("/recommendations/user0").json()["bundle"]["version"] == first
        with pytest.raises(BundleError):
            open_bundle(path)
        pointer.rmdir() if become is a_folder else pointer.unlink(missing_ok=True)
        second = another()
        eventually(lambda: version_of(server.parts.bundles) == second)


def test_a_bundle_that_could_not_be_read_is_tried_again(
    path: Path, another: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve.bundles.swap.RETRY_S", 0.05)
    with serving(path) as bundles:
        with monkeypatch.context() as patch:
            patch.setattr("serve.bundles.loaded.Bundle", full_disk)
            second = another()
            eventually(lambda: "no space left" in str(bundles.progress))
        eventually(lambda: version_of(bundles) == second)


def test_a_served_version_may_be_removed(path: Path) -> None:
    first = current(path)
    asked = ["/recommendations/user0?k=20", "/items/item7", "/items/item7/similar", "/items/popular?k=30", "/users"]
    asked += [
        "/users/user1/profile",
        "/recommendations/user2?model=bpr",
        "/recommendations/user3?category=Group 3",
        "/stats",
    ]
    with running(bundle=path, store="none", reload_poll_s=0.02) as (client, _):
        shutil.rmtree(path / first)
        (path / CURRENT_FILE).unlink()
        answers = [client.get(address).status_code for address in asked]
        with ThreadPoolExecutor(16) as pool:
            answers += pool.map(lambda n: client.get(f"/items/item{n}").status_code, range(N_ITEMS))
        assert set(answers) == {200}, answers


def test_in_the_place_of_a_damaged_bundle_no_candidate_and_nothing_rolled_back_is_served(
    path: Path, made: list[Path]
) -> None:
    """Versions 0, 1 and 2 were in use and 2 was rolled back; 3 is a candidate; 1, in use, is damaged."""
    versions = Versions(path)
    for folder in made[1:3]:
        shutil.copytree(folder, path / f".waiting-{folder.name}")
        versions.publish(path / f".waiting-{folder.name}", folder.name, "retrain", keep=10)
    shutil.copytree(made[3], path / ".waiting-candidate")
    versions.add_candidate(path / ".waiting-candidate", made[3].name)
    versions.use(made[1].name, "rollback")
    cut_off(path / made[1].name)
    with serving(path) as bundles:
        assert version_of(bundles) == made[0].name
    cut_off(path / made[0].name)
    with serving(path) as bundles:
        assert version_of(bundles) == made[2].name
    cut_off(path / made[2].name)
    with serving(path) as bundles:
        assert bundles.info is None, "a candidate is nobody's to serve"


def test_a_served_file_that_is_cut_off_gives_way_to_an_older_version(
    path: Path, another: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = current(path), another()
    with serving(path, reload_poll_s=0.05) as bundles:
        assert version_of(bundles) == second
        os.truncate(path / second / "catalogue.sqlite", 4096)  # the one file that is not mapped
        eventually(lambda: version_of(bundles) == first)
        assert "catalogue.sqlite has 4096 bytes in the place of" in caplog.text


def test_a_catalogue_that_is_cut_off_is_said_and_no_bug(path: Path) -> None:
    with running(bundle=path, store="none", reload_poll_s=0) as (client, _):
        os.truncate(path / current(path) / "catalogue.sqlite", 100)
        statuses = {client.get(f"/items/item{n}").status_code for n in range(N_ITEMS)}
        assert statuses <= {200, 503}, "pages that were read before may still answer"


def test_any_error_of_the_first_look_is_its_result(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles = Bundles(Settings(bundle=path, store="none", reload_poll_s=0.02), Metrics())
    with monkeypatch.context() as patch:
        patch.setattr("serve.bundles.swap.signature", full_disk)
        bundles.start()
        error = bundles.first.result(START_TIMEOUT_S)
    assert isinstance(error, BundleError)
    assert "no space left" in str(error)
    try:
        eventually(lambda: bundles.info is not None)
    finally:
        bundles.close()


def test_no_answer_mixes_two_bundles(path: Path, another: Callable[[], str]) -> None:
    """Two bundles whose items bear different names, swapped while many threads ask."""
    versions = [current(path), another()]
    titles: dict[str, dict[str, str | None]] = {}
    for version in versions:
        with serving(path / version) as bundles:
            cards = bundles.loaded.cards(range(N_ITEMS))
            titles[version] = {card.item_id: card.price for card in cards.values()}
    assert titles[versions[0]] != titles[versions[1]]
    seen: set[str] = set()
    over = threading.Event()
    wrong: list[object] = []
    with running(bundle=path, store="none", reload_poll_s=0.01) as (client, _):

        def ask(number: int) -> None:
            while not over.is_set():
                answer = client.get(f"/recommendations/user{number}?k=20").json()
                version = answer["bundle"]["version"]
                seen.add(version)
                expected = titles[version]
                if any(expected[item["item_id"]] != item["price"] for item in answer["items"]):
                    wrong.append(answer)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(6):
            seen.clear()
            wanted = versions[turn % 2]
            point_to(path, wanted)
            eventually(lambda wanted=wanted: wanted in seen)
        over.set()
        for thread in threads:
            thread.join()
    assert not wrong
