"""A database that is locked, stopped or frozen: errors in time, and work as before once it is back."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsys.store import Appended, Store, StoreStats, StoreUnavailable
from recsys.store.sqlite import retry_while_locked
from tests.unit.store.databases import engine_of, event
from tests.unit.store.postgres import PostgresServer

pytest_plugins = "tests.unit.store.fixtures"


def test_what_is_committed_is_flushed(store_url: str) -> None:
    if store_url.startswith("postgresql"):
        # A database may be set up to acknowledge first.
        store_url += "%20-csynchronous_commit=off"
    with Store.open(store_url) as store:
        store.upgrade()
        with store._database.write() as connection:
            if store_url.startswith("sqlite"):
                assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            else:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def locked(url: str, exclusive: bool) -> sa.Connection:
    """A connection that keeps others from writing, and with `exclusive` from reading."""
    if url.startswith("sqlite"):
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"isolation_level": None})
        statements = ["PRAGMA locking_mode = EXCLUSIVE"] * exclusive + ["BEGIN IMMEDIATE"]
        if exclusive:
            statements += ["UPDATE alembic_version SET version_num = version_num"]
    else:
        engine = engine_of(url)
        mode = "ACCESS EXCLUSIVE" if exclusive else "EXCLUSIVE"
        statements = [f"LOCK TABLE events, users, items, catalogues, served IN {mode} MODE"]
    connection = engine.connect()
    for statement in statements:
        connection.exec_driver_sql(statement)
    return connection


def test_a_lock_delays_an_append_no_longer_than_the_limit(store_url: str) -> None:
    with Store.open(store_url, timeout_s=0.4) as store:
        store.upgrade()
        store.append([event(1)])
        lock = locked(store_url, exclusive=False)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"within 0\.4 s"):
            store.append([event(2)])
        assert 0.3 < time.monotonic() - started < 1.2
        # Readers go on.
        assert store.events_of(["u"], limit=5) == {"u": [event(1)]}
        lock.close()
        assert store.append([event(2)]) == Appended(1, 0)


def test_a_short_lock_is_waited_for(store: Store, store_url: str) -> None:
    lock = locked(store_url, exclusive=False)
    result: list[Appended] = []
    thread = threading.Thread(target=lambda: result.append(store.append([event(1)])))
    thread.start()
    time.sleep(0.3)
    assert result == []
    lock.close()
    thread.join(10)
    assert result == [Appended(1, 0)]


def test_calls_beyond_the_pool_wait_no_longer_than_the_limit(store_url: str) -> None:
    with Store.open(store_url, timeout_s=0.5, pool_size=2) as store:
        store.upgrade()
        lock = locked(store_url, exclusive=False)
        took: list[float] = []

        def append(number: int) -> None:
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                store.append([event(number)])
            took.append(time.monotonic() - started)

        threads = [threading.Thread(target=append, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        lock.close()
        assert len(took) == 8
        assert max(took) < 1.5
        assert store.append([event(n) for n in range(8)]) == Appended(8, 0)


def test_threads_share_a_store(store: Store) -> None:
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for n in range(25):
                store.append([event(event_id=f"{worker}-{n}", user_id=f"u{worker}", timestamp=float(n))])
                assert len(store.events_of([f"u{worker}"], limit=100)[f"u{worker}"]) == n + 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert store.stats() == StoreStats(150, 6, 0, 24.0)


def test_a_database_that_even_readers_cannot_enter(store_url: str) -> None:
    with Store.open(store_url, timeout_s=0.4) as store:
        store.upgrade()
        store.append([event(1)])
        store.close()
        lock = locked(store_url, exclusive=True)
        for call in (lambda: store.events_of(["u"], limit=5), store.stats, lambda: store.append([event(2)])):
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                call()
            assert time.monotonic() - started < 1.2
        lock.close()
        assert store.events_of(["u"], limit=5) == {"u": [event(1)]}


def test_a_server_that_has_stopped_and_comes_back(postgres: PostgresServer) -> None:
    with Store.open(postgres.new_url(), timeout_s=1.0) as store:
        store.upgrade()
        store.append([event(1)])
        postgres.stop()
        try:
            for call in (store.ping, lambda: store.append([event(2)]), lambda: list(store.all_events()), store.upgrade):
                started = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    call()
                assert time.monotonic() - started < 2.0
        finally:
            postgres.start()
        assert store.append([event(1), event(2)]) == Appended(1, 1)


def test_a_restart_between_two_calls_is_not_noticed(postgres: PostgresServer) -> None:
    with Store.open(postgres.new_url()) as store:
        store.upgrade()
        store.append([event(1)])
        postgres.stop()
        postgres.start()
        assert store.append([event(2)]) == Appended(1, 0)
        assert store.stats() == StoreStats(2, 1, 0, 1002.0)


def test_a_server_that_stands_still(postgres: PostgresServer) -> None:
    with Store.open(postgres.new_url(), timeout_s=0.8, pool_size=3) as store:
        store.upgrade()
        store.append([event(1)])
        took: list[float] = []

        def append() -> None:
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                store.append([event(2)])
            took.append(time.monotonic() - started)

        store.append([event(3, user_id="v")])
        postgres.freeze()
        try:
            append()
            assert 0.7 < took[0] < 2.0
            # To connect anew takes psycopg two seconds to give up.
            threads = [threading.Thread(target=append) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            assert len(took) == 5
            assert max(took) < 4.0
        finally:
            postgres.thaw()
        # It may have been stored, though nobody was told: to send it again is right in both cases.
        assert store.append([event(2)]) in (Appended(1, 0), Appended(0, 1))
        assert store.stats().events == 3


def test_a_late_answer_is_not_taken_for_that_to_the_next_question(postgres: PostgresServer) -> None:
    with Store.open(postgres.new_url(), timeout_s=0.4, pool_size=1) as store:
        store.upgrade()
        store.append([event(1), event(2, user_id="v")])
        postgres.freeze()
        try:
            with pytest.raises(StoreUnavailable):
                store.events_of(["u"], limit=5)
        finally:
            postgres.thaw()
        assert store.events_of(["v"], limit=5) == {"v": [event(2, user_id="v")]}


def test_a_locked_file_is_tried_until_the_time_is_over() -> None:
    answers = [sqlite3.OperationalError("database is locked")] * 3

    def call() -> None:
        if answers:
            raise answers.pop()

    retry_while_locked(call, time.monotonic() + 10)
    assert answers == []
    answers += [sqlite3.OperationalError("database is locked")] * 2
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        retry_while_locked(call, time.monotonic())
    answers[:] = [sqlite3.OperationalError("disk I/O error")] * 2
    with pytest.raises(sqlite3.OperationalError, match="disk"):
        retry_while_locked(call, time.monotonic() + 10)
    assert len(answers) == 1


def test_a_store_can_be_opened_before_its_database_is_there(postgres: PostgresServer) -> None:
    url = postgres.new_url()
    postgres.stop()
    try:
        store = Store.open(url, timeout_s=1.0)
        with pytest.raises(StoreUnavailable):
            store.upgrade()
    finally:
        postgres.start()
    with store:
        store.upgrade()
        store.ping()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with Store.open(str(path)) as store:
        for call in (store.ping, store.upgrade, lambda: store.append([event(1)])):
            with pytest.raises(StoreUnavailable, match="not a database"):
                call()
