"""Which version of a bundle is in use, which were, which wait; by hand-made folders, since no version is opened."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from recsys.bundle import BundleWriter, open_bundle
from recsys.bundle.layout import CURRENT_FILE, MANIFEST_FILE, VERSIONS_FILE
from recsys.bundle.locks import FolderLock
from recsys.bundle.versions import Versions
from recsys.core.errors import BundleError
from tests.support.bundles import make_bundle


def waiting(versions: Versions, name: str) -> Path:
    """A version that has been written and that nobody has let in."""
    folder = versions.home / f".waiting-{name}"
    folder.mkdir(parents=True)
    (folder / MANIFEST_FILE).touch()
    return folder


def publish(versions: Versions, *names: str, keep: int = 10) -> None:
    for name in names:
        versions.publish(waiting(versions, name), name, "retrain", keep=keep)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "shop")


def test_nothing_is_in_use_at_first(versions: Versions) -> None:
    assert (versions.in_use, versions.before, versions.names, versions.fallbacks()) == (None, None, [], [])


def test_what_is_published_is_in_use_and_what_was_is_before(versions: Versions) -> None:
    publish(versions, "a", "b")
    assert (versions.in_use, versions.before) == ("b", "a")
    assert [(use.version, use.by) for use in versions.record.uses] == [("a", "retrain"), ("b", "retrain")]
    assert not versions.waiting


def test_a_second_rollback_goes_further_back_and_not_forth(versions: Versions) -> None:
    publish(versions, "a", "b", "c")
    assert versions.before == "b"
    versions.use("b", "rollback")
    assert (versions.in_use, versions.before) == ("b", "a")
    publish(versions, "d")
    assert versions.before == "b"
    versions.use("a", "rollback")
    assert versions.before is None
    assert versions.fallbacks() == ["d", "c", "b"]


def test_a_version_that_came_back_is_followed_by_what_comes_next(versions: Versions) -> None:
    publish(versions, "a", "b", "c")
    versions.use("b", "rollback")
    versions.use("c", "promote")
    assert versions.before == "b"


def test_an_edit_of_current_by_hand_counts_as_a_use(versions: Versions) -> None:
    publish(versions, "a", "b", "c")
    (versions.home / CURRENT_FILE).write_text("b\n")
    assert (versions.record.uses[-1].version, versions.record.uses[-1].by) == ("b", "unknown")
    assert versions.before == "a"


def test_folders_of_before_there_was_a_record_get_one(versions: Versions) -> None:
    publish(versions, "a")
    (versions.home / VERSIONS_FILE).unlink()
    publish(versions, "b")
    assert [(use.version, use.by) for use in versions.record.uses] == [("a", "unknown"), ("b", "retrain")]


@pytest.mark.parametrize("moment", ["_let_in", "_switch", "_write", "_remove_old"])
def test_killed_while_publishing_one_of_both_is_in_use_and_the_next_call_ends_it(
    versions: Versions, moment: str
) -> None:
    publish(versions, "a", "b")
    folder = waiting(versions, "c")
    child = os.fork()
    if child == 0:
        setattr(Versions, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        versions.publish(folder, "c", "retrain", keep=2)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert versions.in_use == ("b" if moment in ("_let_in", "_switch") else "c")
    assert versions.before == ("a" if versions.in_use == "b" else "b")
    versions.publish(folder, "c", "retrain", keep=2)
    assert (versions.in_use, versions.before, versions.names) == ("c", "b", ["b", "c"])


def test_the_one_before_and_candidates_are_not_removed(versions: Versions) -> None:
    publish(versions, "a", "b")
    versions.add_candidate(waiting(versions, "bb"), "bb")
    versions.use("a", "rollback")
    publish(versions, "c", keep=2)
    assert versions.names == ["a", "bb", "c"], "a was in use before c, bb is a candidate"
    publish(versions, "d", keep=1)
    assert versions.names == ["bb", "d"]


def test_a_candidate_is_none_any_more_once_it_is_in_use(versions: Versions) -> None:
    publish(versions, "a")
    versions.add_candidate(waiting(versions, "b"), "b")
    assert (versions.in_use, versions.candidates, versions.fallbacks()) == ("a", ["b"], [])
    versions.use("b", "promote")
    assert (versions.in_use, versions.candidates, versions.before) == ("b", [], "a")


def test_what_an_experiment_needs_is_not_removed(versions: Versions) -> None:
    publish(versions, "a", "b", "c")
    versions.publish(waiting(versions, "d"), "d", "retrain", keep=2, spared={"a"})
    assert versions.names == ["a", "c", "d"]


def test_of_many_candidates_the_newest_are_kept_and_those_in_use_elsewhere(versions: Versions) -> None:
    publish(versions, "a")
    for name in "bcde":
        versions.add_candidate(waiting(versions, name), name)
    lock = FolderLock.shared(versions.home / "c")
    versions.add_candidate(waiting(versions, "f"), "f", keep=2, spared={"b"})
    assert versions.candidates == ["b", "c", "e", "f"]
    assert versions.names == ["a", "b", "c", "e", "f"]
    assert versions.record.candidates == ("b", "c", "e", "f")
    lock.close()
    versions.add_candidate(waiting(versions, "g"), "g", keep=2)
    assert versions.candidates == ["f", "g"]


def test_what_was_compared_with_another_version_is_not_published(versions: Versions) -> None:
    publish(versions, "a", "b")
    folder = waiting(versions, "c")
    with pytest.raises(BundleError, match="Expected a in use"):
        versions.publish(folder, "c", "retrain", keep=3, instead_of="a")
    assert (versions.in_use, versions.waiting) == ("b", [folder])


def test_what_waits_is_removed_unless_someone_has_it_open(versions: Versions) -> None:
    kept, opened, left = (waiting(versions, name) for name in "abc")
    lock = FolderLock.shared(opened)
    assert versions.remove_waiting(except_for=kept) == [left.name]
    assert versions.waiting == [kept, opened]
    lock.close()


def test_only_versions_that_are_there_can_be_used(versions: Versions) -> None:
    publish(versions, "a")
    with pytest.raises(BundleError, match="there are a"):
        versions.use("b", "promote")
    assert versions.in_use == "a"


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"uses": [{"version": 1}]})])
def test_a_damaged_record_is_told_before_anything_is_written(tmp_path: Path, text: str) -> None:
    home = make_bundle(tmp_path, n_items=40, n_users=10)
    (home / VERSIONS_FILE).write_text(text)
    with pytest.raises(BundleError, match="Remedy remove the file"), BundleWriter(tmp_path, "tiny"):
        raise AssertionError("it must not begin")
    assert Versions(home).fallbacks() == [], "a server goes on without it"


def test_a_waiting_version_is_whole_and_no_server_sees_it(tmp_path: Path) -> None:
    home = make_bundle(tmp_path, n_items=40, n_users=10)
    before = open_bundle(home).version
    make_bundle(tmp_path, n_items=40, n_users=10, seed=1, current=False)
    versions = Versions(home)
    (folder,) = versions.waiting
    assert (versions.in_use, versions.names) == (before, [before])
    with open_bundle(folder) as bundle:
        assert folder.name == f".waiting-{bundle.version}"
        new = bundle.version
    versions.publish(folder, new, "retrain", keep=3)
    with open_bundle(home) as bundle:
        assert bundle.version == new
