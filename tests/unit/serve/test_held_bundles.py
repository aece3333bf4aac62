"""Versions of the bundle that are held beside the served one, as long as somebody names them."""

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import ref

import pytest

from recsys.bundle.locks import FolderLock
from recsys.experiments.experiment import Overrides
from serve.bundles import held as held_module
from serve.bundles.held import HeldBundles
from serve.bundles.loaded import LoadedBundle
from serve.bundles.swap import Bundles
from serve.metrics import Metrics
from serve.recommendations.warm_up import warm_up
from serve.settings import Settings
from tests.support.versions import make_versions, point_to, publish
from tests.support.waiting import START_TIMEOUT_S, eventually

Named = set[str]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_versions(tmp_path_factory.mktemp("versions"), 3)


@pytest.fixture
def shop(tmp_path: Path, versions: list[Path]) -> Path:
    """A shop with two versions, of which the second is current."""
    publish(tmp_path / "shop", versions[0], current=False)
    publish(tmp_path / "shop", versions[1])
    return tmp_path / "shop"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_module, "POLL_S", 0.02)
    monkeypatch.setattr(held_module, "RETRY_S", 0.05)


@contextmanager
def holding(path: Path, named: Callable[[], Named]) -> Iterator[tuple[Bundles, HeldBundles, Metrics]]:
    settings, metrics = Settings(bundle=path, store="none", reload_poll_s=0.02), Metrics()
    bundles = Bundles(settings, metrics, warm_up)
    held = HeldBundles(settings, metrics, bundles, named, warm_up)
    bundles.start()
    bundles.first.result(START_TIMEOUT_S)
    held.start()
    try:
        yield bundles, held, metrics
    finally:
        bundles.close()
        held.close()


def state_of(held: HeldBundles, version: str) -> str:
    return held.states()[version][0]


def test_a_version_is_held_as_long_as_it_is_named(shop: Path, versions: list[Path]) -> None:
    old, new = versions[0].name, versions[1].name
    named: Named = set()
    with holding(shop, lambda: named) as (bundles, held, metrics):
        assert held.of(old) is None
        assert held.of(new) is bundles.loaded
        named.add(old)
        eventually(lambda: held.of(old) is not None)
        loaded = held.of(old)
        assert loaded is not None
        assert loaded.info.version == old
        assert loaded.bundle.path == shop / old
        assert held.in_use == [bundles.base, loaded]
        assert FolderLock.exclusive(shop / old) is None, "training would remove it"
        assert b'recsys_held_bundle_workers{version="%s"} 1.0' % old.encode() in metrics.render()
        bundle = ref(loaded.bundle)
        del loaded
        named.clear()
        eventually(lambda: held.of(old) is None)
        gc.collect()
        assert bundle() is None, "it takes memory though nobody names it"
        lock = FolderLock.exclusive(shop / old)
        assert lock is not None
        lock.close()
        assert b'recsys_held_bundle_workers{version="%s"} 0.0' % old.encode() in metrics.render()


def test_what_is_named_is_there_before_the_first_bundle_is_served(shop: Path, versions: list[Path]) -> None:
    old, new, missing = versions[0].name, versions[1].name, "20200101-000000"
    settings, metrics = Settings(bundle=shop, store="none"), Metrics()
    there: list[tuple[bool, str]] = []

    def prepare(loaded: LoadedBundle) -> None:
        warm_up(loaded)
        held.begin(loaded)

    def follow(_: LoadedBundle) -> None:
        there.append((held.of(old) is not None, state_of(held, missing)))

    bundles = Bundles(settings, metrics, prepare, follow)
    held = HeldBundles(settings, metrics, bundles, lambda: {old, new, missing}, prepare)
    bundles.load()
    assert there == [(True, "refused")]
    assert held.of(new) is bundles.loaded


def test_the_served_version_is_not_loaded_twice_and_stays_when_another_is_served(
    shop: Path, versions: list[Path]
) -> None:
    first, third = versions[1].name, publish(shop, versions[2], current=False)
    with holding(shop, lambda: {first}) as (bundles, held, _):
        served = bundles.loaded
        eventually(lambda: len(held._held) == 1)
        assert held.of(first) is served
        assert held.in_use == [served]
        assert state_of(held, first) == "served"
        point_to(shop, third)
        eventually(lambda: bundles.loaded.info.version == third)
        assert held.of(first) is served
        assert state_of(held, first) == "held"
        assert held.in_use == [bundles.base, served]


def test_a_version_that_cannot_be_loaded_is_tried_again(
    shop: Path, versions: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    missing = versions[2].name
    with holding(shop, lambda: {missing}) as (_, held, metrics):
        eventually(lambda: state_of(held, missing) == "refused")
        eventually(lambda: b"recsys_held_bundle_refused_total 3.0" in metrics.render())
        assert held.of(missing) is None
        assert sum("cannot be held" in record.message for record in caplog.records) == 1
        publish(shop, versions[2], current=False)
        eventually(lambda: held.of(missing) is not None)
        assert state_of(held, missing) == "held"


def test_a_damaged_version_is_let_go_before_it_is_read(shop: Path, versions: list[Path]) -> None:
    old = versions[0].name
    with holding(shop, lambda: {old}) as (_, held, _):
        eventually(lambda: held.of(old) is not None)
        embeddings = shop / old / "item_embeddings.npy"
        whole = embeddings.read_bytes()
        replaced = embeddings.with_suffix(".new")
        replaced.write_bytes(whole[:-1])
        replaced.replace(embeddings)
        eventually(lambda: state_of(held, old) == "refused")
        assert held.of(old) is None
        fault = held.states()[old][1]
        assert fault is not None
        assert "item_embeddings.npy" in fault
        replaced.write_bytes(whole)
        replaced.replace(embeddings)
        eventually(lambda: held.of(old) is not None)


def test_what_cannot_be_made_is_said_without_loading(shop: Path, versions: list[Path]) -> None:
    old, third = versions[0].name, versions[2].name
    with holding(shop, set) as (_, held, _):
        assert held.fault_of(Overrides()) is None
        assert held.fault_of(Overrides(bundle=old, model="transitions")) is None
        assert held.fault_of(Overrides(model="full")) is None
        unknown = held.fault_of(Overrides(bundle=old, model="oracle"))
        assert unknown is not None
        assert "'oracle'" in unknown
        missing = held.fault_of(Overrides(bundle=third))
        assert missing is not None
        assert third in missing
        for outside in ("../shop", ".hidden", "..", f"../shop/{old}", f"{old}\0", "ü" * 100, "current"):
            assert held.fault_of(Overrides(bundle=outside)) is not None
        shutil.copytree(shop / old, shop / "renamed")
        renamed = held.fault_of(Overrides(bundle="renamed"))
        assert renamed is not None, "it would never be held"
        assert old in renamed
        (shop / old / "item_embeddings.npy").write_bytes(b"")
        assert held.fault_of(Overrides(bundle=old)) is not None


def test_a_server_of_one_version_finds_others_beside_it(shop: Path, versions: list[Path]) -> None:
    old, new = versions[0].name, versions[1].name
    with holding(shop / new, lambda: {old}) as (_, held, _):
        eventually(lambda: held.of(old) is not None)
        shutil.rmtree(shop / old)  # as training would not: what is open stays readable
        loaded = held.of(old)
        assert loaded is not None
        assert 0 in loaded.cards([0])
