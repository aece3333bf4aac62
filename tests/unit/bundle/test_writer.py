from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.bundle import BundleWriter, open_bundle, require_writable, writer
from recsys.core.errors import BundleError
from recsys.core.histories import Histories
from recsys.pipeline.features import CandidateFeatures
from recsys.pipeline.features.price import PriceFeatures
from recsys.pipeline.ranker_tables import RankerTables
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.popularity.source import Popularity
from tests.support import bundles as bundle_factory
from tests.support.bundles import make_bundle, make_metrics
from tests.support.disks import full_disk

REPOSITORY = Path(__file__).parents[3]
# Every step of publishing, in order, and whether the new version is current when the process dies in it.
STEPS = {
    "write_catalogue": False,
    "list_files": False,
    "write_manifest": False,
    "try_out": False,
    "_flush": False,
    "Versions._let_in": False,
    "Versions._switch": False,
    "Versions._remove_old": True,
}
# One process a step, forked after the imports; prints the signal that ended each.
DIE_IN_STEPS = """
import os, signal, sys
from pathlib import Path
from recsys.bundle import writer
from tests.support.bundles import make_bundle
for name in sys.argv[2:]:
    if os.fork() == 0:
        owner, _, step = ("writer." + name).rpartition(".")
        setattr(eval(owner), step, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        make_bundle(Path(sys.argv[1]) / name, n_items=40, n_users=10, seed=1)
        os._exit(0)
    print(os.WTERMSIG(os.wait()[1]))
"""
WRITE_MANY = """
import sys
from pathlib import Path
from tests.support.bundles import make_bundle
for seed in range(int(sys.argv[2])):
    make_bundle(Path(sys.argv[1]), n_items=40, n_users=10, seed=seed, keep=2)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def versions(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir() if path.is_dir() and not path.name.startswith("."))


def leftovers(home: Path) -> list[Path]:
    return list(home.glob(".writing-*"))


def small(folder: Path, **settings) -> Path:
    return make_bundle(folder, n_items=40, n_users=10, **settings)


def test_each_version_becomes_current_and_the_newest_are_kept(tmp_path: Path) -> None:
    seen = []
    for seed in range(5):
        home = small(tmp_path, seed=seed, keep=3)
        seen.append(open_bundle(home).version)
    assert seen == sorted(seen)
    assert versions(home) == seen[-3:]
    assert not leftovers(home)


def test_a_version_is_as_readable_as_any_new_folder(tmp_path: Path) -> None:
    home = small(tmp_path)
    plain = tmp_path / "plain"
    plain.mkdir()
    (version,) = versions(home)
    assert (home / version).stat().st_mode == plain.stat().st_mode


def test_the_newest_are_kept_even_if_the_clock_went_back(tmp_path: Path) -> None:
    home = small(tmp_path)
    (home / versions(home)[0]).rename(home / "99991231T000000Z-future")
    home = small(tmp_path, seed=1, keep=1)
    assert open_bundle(home).version in versions(home)
    assert versions(home) == [open_bundle(home).version]


def test_a_version_that_someone_has_open_is_not_removed(tmp_path: Path) -> None:
    home = small(tmp_path, keep=1)
    reading = open_bundle(home)
    small(tmp_path, seed=1, keep=1)
    small(tmp_path, seed=2, keep=1)
    assert versions(home) == sorted([reading.version, open_bundle(home).version])
    assert reading.catalogue.item_row("item3") == 3  # loaded only now
    reading.close()
    small(tmp_path, seed=3, keep=1)
    assert len(versions(home)) == 1


def test_foreign_files_beside_the_versions_are_left_alone(tmp_path: Path) -> None:
    home = small(tmp_path)
    (home / "notes").mkdir()
    (home / "README.md").write_text("mine")
    small(tmp_path, seed=1, keep=1)
    assert (home / "notes").is_dir()
    assert (home / "README.md").read_text() == "mine"


def test_an_exception_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = small(tmp_path)
    before = open_bundle(home).version

    def fail(*_: object) -> None:
        raise RuntimeError("training went wrong")

    monkeypatch.setattr(bundle_factory, "write_ranking_head", fail)
    with pytest.raises(RuntimeError, match="training went wrong"):
        small(tmp_path, seed=1)
    assert open_bundle(home).version == before
    assert versions(home) == [before]
    assert not leftovers(home)


@pytest.mark.parametrize("step", ["write_catalogue", "_flush"])
def test_a_full_disk_is_reported_and_leaves_the_old_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    home = small(tmp_path)
    before = open_bundle(home).version

    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer, step, fill)
    with pytest.raises(BundleError, match="No space left"):
        small(tmp_path, seed=1)
    assert versions(home) == [before] == [open_bundle(home).version]
    assert not leftovers(home)


@pytest.mark.parametrize("most", [0, 2_000, 8_000, 20_000, 27_000])
def test_wherever_the_disk_gets_full_it_is_a_bundle_error(tmp_path: Path, most: int) -> None:
    """Arrays, ONNX files, the index and the catalogue, which is SQLite's, fail in words of their own."""
    home = small(tmp_path)
    before = open_bundle(home).version
    longest = max(path.stat().st_size for path in home.rglob("*"))
    assert most < longest
    with full_disk(most), pytest.raises(BundleError, match=r"to write a bundle below(.|\n)*free space"):
        small(tmp_path, seed=1)
    assert versions(home) == [before] == [open_bundle(home).version]
    assert not leftovers(home)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("a file where the folder should be")
    with pytest.raises(BundleError, match="to write a bundle below"):
        small(tmp_path)


def test_whether_a_bundle_can_be_written_is_told_beforehand(tmp_path: Path) -> None:
    require_writable(tmp_path / "bundles", "shop")
    assert list((tmp_path / "bundles/shop").iterdir()) == [], "it leaves nothing behind"
    (tmp_path / "file").write_text("a file where the folder should be")
    with pytest.raises(BundleError, match=r"to write a bundle below .*file/shop") as error:
        require_writable(tmp_path / "file", "shop")
    assert "Not a directory" in error.value.got


def test_a_missing_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no onnx/query_tower\.onnx") as error, BundleWriter(tmp_path, "x") as made:
        made.add_source(Popularity(np.ones(3, np.float32)))
    assert "catalogue.sqlite" in error.value.got
    assert versions(tmp_path / "x") == []


def test_parts_of_different_size_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Popularity, "fit", lambda *_, **__: Popularity(np.ones(39, np.float32)))
    with pytest.raises(BundleError, match="39 in retrievers/popularity"):
        small(tmp_path)


def test_features_of_another_catalogue_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = CandidateFeatures.fit

    def fit_one_price_too_few(*given: Any) -> CandidateFeatures:
        features = fit(*given)
        prices = features.groups["price"]
        assert isinstance(prices, PriceFeatures)
        return CandidateFeatures({**features.groups, "price": PriceFeatures(prices.log_price[:-1])})

    monkeypatch.setattr(CandidateFeatures, "fit", fit_one_price_too_few)
    with pytest.raises(BundleError, match="39 in features/price"):
        small(tmp_path)


def test_a_ranker_without_its_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RankerTables, "save", lambda self, path: None)
    with pytest.raises(BundleError, match=r"ranker\.npz"):
        small(tmp_path)


def test_neighbours_outside_the_catalogue_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = ItemToItem.save

    def save_one_too_high(self: ItemToItem, folder: Path) -> None:
        self.neighbours[-1, 0] = self.n_items
        save(self, folder)

    monkeypatch.setattr(ItemToItem, "save", save_one_too_high)
    with pytest.raises(BundleError, match=r"from -1 to 39 in .*neighbours_bm25/neighbours\.npy"):
        small(tmp_path)


@pytest.mark.parametrize("absent", ["transitions", "bpr"])
def test_a_hybrid_or_ranker_of_retrievers_that_were_not_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    add = BundleWriter.add_source
    monkeypatch.setattr(
        BundleWriter,
        "add_source",
        lambda self, source: add(self, source) if source.name != absent else None,
    )
    with pytest.raises(BundleError, match=f"'{absent}'"):
        small(tmp_path)


def test_histories_of_other_users_or_items_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = BundleWriter.add_histories

    def with_unknown_item(self: BundleWriter, histories: Histories) -> None:
        items = histories.items.copy()
        items[0] = 40
        add(self, Histories(histories.indptr, items, histories.timestamps, histories.ratings, histories.weights))

    monkeypatch.setattr(BundleWriter, "add_histories", with_unknown_item)
    with pytest.raises(BundleError, match=r"from 0 to 39 in .*histories/items\.npy"):
        small(tmp_path)
    monkeypatch.setattr(BundleWriter, "add_histories", lambda self, histories: add(self, histories.select([0, 1])))
    with pytest.raises(BundleError, match="2 in histories"):
        small(tmp_path)


def test_a_figure_that_is_not_finite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe, bad = BundleWriter.describe, {"metrics": make_metrics(index_recall=math.nan)}
    monkeypatch.setattr(BundleWriter, "describe", lambda self, **given: describe(self, **{**given, **bad}))
    with pytest.raises(ValueError, match="JSON"):
        small(tmp_path)


def test_killed_at_any_step_the_old_bundle_or_the_new_one_is_current_and_whole(tmp_path: Path) -> None:
    homes = {step: small(tmp_path / step) for step in STEPS}
    before = {step: open_bundle(home).version for step, home in homes.items()}
    output, errors = start(DIE_IN_STEPS, tmp_path, *STEPS).communicate()
    assert output.split() == [str(int(signal.SIGKILL)).encode()] * len(STEPS), errors.decode()
    for step, new_is_current in STEPS.items():
        home = homes[step]
        with open_bundle(home) as bundle:
            assert (bundle.version != before[step]) == new_is_current, step
        renamed = step in ("Versions._switch", "Versions._remove_old")
        assert bool(leftovers(home)) != renamed, step
        for version in versions(home):
            open_bundle(home / version).close()
        small(tmp_path / step, seed=2, keep=1)
        assert not leftovers(home), step
        assert versions(home) == [open_bundle(home).version], step


def test_two_writers_at_once_each_publish_and_readers_never_fail(tmp_path: Path) -> None:
    home = small(tmp_path, keep=2)
    published: set[str] = set()
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        while not done.wait(0.02):
            try:
                with open_bundle(home) as bundle:
                    bundle.recommender()
                    published.add(bundle.version)
            except BaseException as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        writers = [start(WRITE_MANY, tmp_path, 4) for _ in range(2)]
        outputs = [process.communicate()[1] for process in writers]
    finally:
        done.set()
        reader.join()
    assert [process.returncode for process in writers] == [0, 0], outputs
    assert not failures
    assert len(published) > 2
    assert not leftovers(home)
    small(tmp_path, seed=99, keep=2)
    assert len(versions(home)) == 2


def test_a_living_writer_is_not_taken_for_a_leftover(tmp_path: Path) -> None:
    living = BundleWriter(tmp_path, "tiny")
    living.__enter__()
    home = small(tmp_path)  # begins by removing leftovers
    assert leftovers(home) == [living.folder]
    living.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not leftovers(home)
