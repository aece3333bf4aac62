"""The SQLite file is removed, replaced, overwritten or damaged under a store: nothing is acknowledged and lost."""

import re
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recsys.store import Appended, Store, StoreDamaged, StoreError, StoreUnavailable
from tests.support.databases import backup, event, ids_in, patient


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """With event 1."""
    with patient(str(path)) as store:
        store.upgrade()
        store.append([event(1)])
        yield store


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def removed(path: Path) -> None:
    path.unlink()


def removed_with_its_log(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def replaced(path: Path) -> None:
    backup(path, path.with_name("copy")).replace(path)


def replaced_by_an_empty_file(path: Path) -> None:
    path.with_name("empty").touch()
    path.with_name("empty").replace(path)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def overwritten(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def overwritten_by_a_copy(path: Path) -> None:
    shutil.copyfile(backup(path, path.with_name("copy")), path)


def overwritten_by_another_database(path: Path) -> None:
    with closing(sqlite3.connect(path.with_name("other"))) as other:
        other.execute("CREATE TABLE events (event_id)")
    shutil.copyfile(path.with_name("other"), path)


def log_removed(path: Path) -> None:
    log_of(path).unlink()


ATTACKS = [
    removed,
    removed_with_its_log,
    replaced,
    replaced_by_an_empty_file,
    emptied,
    overwritten,
    overwritten_by_a_copy,
    overwritten_by_another_database,
    log_removed,
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_not_found_again_is_not_acknowledged(store: Store, path: Path, attack: Callable[[Path], None]) -> None:
    attack(path)
    with pytest.raises(StoreDamaged):
        store.append([event(2)])
    with pytest.raises(StoreDamaged, match=re.escape(str(path))):
        store.look()


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack is not log_removed])
def test_nothing_is_read_from_a_file_that_is_gone(store: Store, path: Path, attack: Callable[[Path], None]) -> None:
    attack(path)
    with pytest.raises(StoreDamaged):
        store.events_of(["u"], limit=5)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_commit_under_way_is_not_acknowledged_either(
    store: Store, path: Path, attack: Callable[[Path], None]
) -> None:
    def commit() -> None:
        with store._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM served")
            attack(path)

    with pytest.raises(StoreDamaged):
        commit()


@pytest.mark.parametrize("attack", [replaced, overwritten_by_a_copy, log_removed])
def test_a_sound_file_is_used_again(store: Store, path: Path, attack: Callable[[Path], None]) -> None:
    attack(path)
    with pytest.raises(StoreDamaged):
        store.append([event(2)])
    store.reopen()
    assert store.events_of(["u"], limit=5) == {"u": [event(1)]}
    assert store.append([event(2)]) == Appended(1, 0)
    store.close()
    assert ids_in(path) == ["e1", "e2"]


@pytest.mark.parametrize("attack", [overwritten, overwritten_by_another_database, emptied, replaced_by_an_empty_file])
def test_a_file_that_is_no_store_is_not(store: Store, path: Path, attack: Callable[[Path], None]) -> None:
    copy = backup(path, path.with_name("good"))
    attack(path)
    with pytest.raises(StoreDamaged):
        store.append([event(2)])
    with pytest.raises(StoreDamaged):
        store.reopen()
    with pytest.raises(StoreDamaged):
        store.append([event(2)])
    copy.replace(path)
    store.reopen()
    assert store.append([event(2)]) == Appended(1, 0)
    store.close()
    assert ids_in(path) == ["e1", "e2"]


@pytest.mark.parametrize("attack", [removed, removed_with_its_log])
def test_a_file_that_is_gone_is_not_made_anew(store: Store, path: Path, attack: Callable[[Path], None]) -> None:
    copy = backup(path, path.with_name("good"))
    attack(path)
    with pytest.raises(StoreDamaged):
        store.append([event(2)])
    for _ in range(2):
        with pytest.raises(StoreError):
            store.reopen()
        with pytest.raises(StoreError):
            store.upgrade(create=False)
    assert not path.exists()
    copy.replace(path)
    store.reopen()
    assert store.append([event(2)]) == Appended(1, 0)
    store.close()
    assert ids_in(path) == ["e1", "e2"]


def test_what_was_moved_away_holds_all_that_was_acknowledged(store: Store, path: Path) -> None:
    store.append([event(n) for n in range(2, 5)])
    copy = backup(path, path.with_name("good"))
    away = path.replace(path.with_name("away"))
    with pytest.raises(StoreDamaged):
        store.look()
    copy.replace(path)
    store.reopen()
    store.append([event(9)])
    store.close()
    assert ids_in(away) == ["e1", "e2", "e3", "e4"]
    assert ids_in(path) == ["e1", "e2", "e3", "e4", "e9"]


def test_what_was_moved_away_and_back_goes_on(store: Store, path: Path) -> None:
    away = path.replace(path.with_name("away"))
    with pytest.raises(StoreDamaged):
        store.append([event(2)])
    away.replace(path)
    assert store.append([event(2)]) == Appended(1, 0)
    store.close()
    assert ids_in(path) == ["e1", "e2"]


def test_a_copy_moved_over_a_store_that_is_then_closed_is_whole(store: Store, path: Path) -> None:
    replaced(path)
    store.close()
    assert not log_of(path).exists(), "the log of the old file is not taken for one of the new"
    assert ids_in(path) == ["e1"]


def test_no_log_of_another_file_gets_into_a_copy_moved_over_a_store(store: Store, path: Path) -> None:
    """SQLite would take the log for that of the copy: a connection that reads of it writes it there at its end."""
    copy = backup(path, path.with_name("copy"))
    store.append([event(number) for number in range(2, 400)])
    whole = copy.read_bytes()
    copy.replace(path)
    for _ in range(6):  # the pool connects anew where a connection was of no use
        with pytest.raises(StoreDamaged):
            store.append([event(1000)])
    assert path.read_bytes() == whole
    store.reopen()
    assert ids_in(path) == ["e1"]


def test_two_stores_of_one_file_follow_one_another(store: Store, path: Path) -> None:
    """As two workers do, each in its turn."""
    with patient(str(path)) as other:
        other.append([event(2)])
        replaced(path)
        for one in (store, other):
            with pytest.raises(StoreDamaged):
                one.append([event(3)])
        store.reopen()
        assert store.append([event(3)]) == Appended(1, 0)
        with pytest.raises(StoreDamaged):
            other.append([event(4)])
        other.reopen()
        assert other.append([event(4)]) == Appended(1, 0)
        assert [one.event_id for one in store.events_of(["u"], limit=9)["u"]] == ["e1", "e2", "e3", "e4"]
    store.close()
    assert ids_in(path) == ["e1", "e2", "e3", "e4"]


def test_a_checkpoint_is_no_attack(store: Store, path: Path) -> None:
    with patient(str(path)) as other:
        other.ping()
        for number in range(2, 6):
            store.append([event(number)])
            with closing(sqlite3.connect(path)) as outside:
                outside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            other.look()
            assert len(other.events_of(["u"], limit=9)["u"]) == number


@pytest.mark.parametrize("statement", ["VACUUM", "CREATE INDEX more ON events (item_id)", "ANALYZE"])
def test_what_another_program_does_through_sqlite_is_no_attack(store: Store, path: Path, statement: str) -> None:
    """The next version of the schema, or a database being looked after."""
    for number in range(2, 6):
        with closing(sqlite3.connect(path, isolation_level=None)) as outside:
            outside.execute(statement.replace("more", f"more{number}"))
            outside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.look()
        assert store.append([event(number)]) == Appended(1, 0)
    store.close()
    assert ids_in(path) == ["e1", "e2", "e3", "e4", "e5"]


def test_pages_that_are_damaged(store: Store, path: Path) -> None:
    store.append([event(n, user_id=f"u{n}") for n in range(2, 500)])
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # all but the first page
    path.write_bytes(content)
    for call in (lambda: store.append([event(1000)]), lambda: store.events_of(["u"], limit=5), store.reopen):
        with pytest.raises(StoreDamaged, match="malformed"):
            call()


def test_a_new_store_is_its_owners_alone(store: Store, path: Path) -> None:
    files = sorted(path.parent.glob(f"{path.name}*"))
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_mode_of_a_file_that_is_there_stays(path: Path) -> None:
    path.touch()
    path.chmod(0o640)
    with patient(str(path)) as store:
        store.upgrade()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_log_that_was_left_is_not_put_into_a_new_file(store: Store, path: Path) -> None:
    """As after a crash, where somebody removes the file and forgets what lies beside it."""
    shutil.copyfile(log_of(path), path.with_name("saved"))
    removed_with_its_log(path)
    path.with_name("saved").replace(log_of(path))
    with patient(str(path)) as new:
        new.upgrade()
        assert new.stats().events == 0
        assert new.append([event(7)]) == Appended(1, 0)
    assert ids_in(path) == ["e7"]


def test_a_full_disk(store: Store, path: Path) -> None:
    with store._database.write() as connection:
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
    limited = patient(str(path))
    sa_limit = f"PRAGMA max_page_count = {pages}"
    from sqlalchemy import event as listening  # noqa: PLC0415

    listening.listen(limited._database.backend.engine, "connect", lambda connection, _: connection.execute(sa_limit))
    with limited, pytest.raises(StoreUnavailable, match="full") as caught:
        limited.append([event(n, user_id="u" * 500) for n in range(100, 2000)])
    assert not isinstance(caught.value, StoreDamaged)
    assert store.stats().events == 1


def test_reading_makes_no_file(path: Path) -> None:
    with patient(str(path)) as store, pytest.raises(StoreError, match=r"Store\.upgrade"):
        store.ping()
    assert not path.exists()


def test_descriptors_are_given_back(path: Path) -> None:
    def opened() -> int:
        return sum(str(file.resolve()).startswith(str(path)) for file in Path("/proc/self/fd").iterdir())

    for _ in range(3):
        with patient(str(path)) as store:
            store.upgrade()
            store.append([event(1)])
            assert opened() > 0
        assert opened() == 0
