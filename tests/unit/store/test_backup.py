"""A backup is of one moment, whole or not there, and takes the name of nothing."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from recsys.store import StoreDamaged, StoreUnavailable
from recsys.store.backup import back_up, main
from tests.support.databases import event, ids_in, patient


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.sqlite"
    with patient(f"sqlite:///{path}") as store:
        store.upgrade()
        store.append([event(number) for number in range(3)])
    return path


def test_it_holds_what_was_there_though_the_log_was_not_written_back(path: Path, tmp_path: Path) -> None:
    with patient(f"sqlite:///{path}") as store:
        store.append([event(3)])
        assert (tmp_path / "store.sqlite-wal").stat().st_size > 0
        back_up(path, tmp_path / "copy.sqlite")
    assert ids_in(tmp_path / "copy.sqlite") == ["e0", "e1", "e2", "e3"]
    assert sorted(file.name for file in tmp_path.glob("*copy*")) == ["copy.sqlite"]


def test_it_is_of_one_moment_while_others_write(path: Path, tmp_path: Path) -> None:
    done = threading.Event()
    written: list[int] = []

    def write() -> None:
        with patient(f"sqlite:///{path}") as store:
            for number in range(3, 400):
                store.append([event(number)])
                written.append(number)
                if done.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    while len(written) < 5:
        assert writer.is_alive()
    acknowledged = written[-1]
    back_up(path, tmp_path / "copy.sqlite")
    done.set()
    writer.join()
    ids = ids_in(tmp_path / "copy.sqlite")
    assert ids == [f"e{number}" for number in range(len(ids))], "no hole: what came later is there with all before"
    assert len(ids) > acknowledged


def test_nothing_is_overwritten_and_nothing_half_is_left(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    copy.write_text("mine")
    assert main([str(path), str(copy)]) == 2
    assert copy.read_text() == "mine"
    assert main([str(tmp_path / "none"), str(tmp_path / "new")]) == 2
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        back_up(path, tmp_path / "new")
    assert main([str(path), str(tmp_path / "nowhere" / "new")]) == 7
    assert {file.name for file in tmp_path.iterdir()} <= {
        "copy.sqlite",
        *(f"store.sqlite{end}" for end in ("", "-wal", "-shm")),
    }


def test_a_damaged_store_makes_no_backup(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises((StoreDamaged, StoreUnavailable)):
        back_up(path, tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()
