"""A database that is locked, stopped or frozen: errors in time, and work as before once it is back."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsys.store import Appended, Store, StoreStats, StoreUnavailable
from recsys.store.sqlite import retry_while_locked
from tests.support.databases import PATIENT_S, engine_of, event, failure_in_time, once_back, patient
from tests.support.postgres import PostgresServer

pytest_plugins = "tests.support.store_fixtures"


def test_what_is_committed_is_flushed(store_url: str) -> None:
    if store_url.startswith("postgresql"):
        # A database may be set up to acknowledge first.
        store_url += "%20-csynchronous_commit=off"
    with patient(store_url) as store:
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


def assert_stored_once(appended: Appended, events: int) -> None:
    """By this call, or by one that gave up before: on a busy machine the database may have been about to answer it."""
    assert appended.accepted + appended.duplicates == events


def test_a_lock_delays_an_append_no_longer_than_the_limit(store: Store, store_url: str) -> None:
    store.append([event(1)])
    lock = locked(store_url, exclusive=False)
    with Store.open(store_url, timeout_s=0.4) as hasty:
        assert "within 0.4 s" in str(failure_in_time(lambda: hasty.append([event(2)])))
        # Readers go on.
        assert store.events_of(["u"], limit=5) == {"u": [event(1)]}
        lock.close()
        assert_stored_once(once_back(lambda: hasty.append([event(2)])), 1)
        assert store.stats().events == 2


def test_a_short_lock_is_waited_for(store: Store, store_url: str) -> None:
    lock = locked(store_url, exclusive=False)
    result: list[Appended] = []
    thread = threading.Thread(target=lambda: result.append(store.append([event(1)])))
    thread.start()
    time.sleep(0.3)
    assert result == []
    lock.close()
    thread.join(2 * PATIENT_S)
    assert result == [Appended(1, 0)]


def test_calls_beyond_the_pool_wait_no_longer_than_the_limit(store: Store, store_url: str) -> None:
    lock = locked(store_url, exclusive=False)
    with Store.open(store_url, timeout_s=0.4, pool_size=2) as hasty, ThreadPoolExecutor(8) as pool:
        calls = [lambda number=number: hasty.append([event(number)]) for number in range(8)]
        assert len(list(pool.map(failure_in_time, calls))) == 8
        lock.close()
        assert_stored_once(once_back(lambda: hasty.append([event(n) for n in range(8)])), 8)
        assert store.stats().events == 8


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


def test_a_database_that_even_readers_cannot_enter(store: Store, store_url: str) -> None:
    store.append([event(1)])
    store.close()
    lock = locked(store_url, exclusive=True)
    with Store.open(store_url, timeout_s=0.4) as hasty:
        for call in (lambda: hasty.events_of(["u"], limit=5), hasty.stats, lambda: hasty.append([event(2)])):
            failure_in_time(call)
        lock.close()
        assert once_back(lambda: hasty.events_of(["u"], limit=5)) == {"u": [event(1)]}


def test_a_server_that_has_stopped_and_comes_back(postgres: PostgresServer) -> None:
    with patient(postgres.new_url()) as store:
        store.upgrade()
        store.append([event(1)])
        postgres.stop()
        try:
            for call in (store.ping, lambda: store.append([event(2)]), lambda: list(store.all_events()), store.upgrade):
                failure_in_time(call)
        finally:
            postgres.start()
        assert store.append([event(1), event(2)]) == Appended(1, 1)


def test_a_restart_between_two_calls_is_not_noticed(postgres: PostgresServer) -> None:
    with patient(postgres.new_url()) as store:
        store.upgrade()
        store.append([event(1)])
        postgres.stop()
        postgres.start()
        assert store.append([event(2)]) == Appended(1, 0)
        assert store.stats() == StoreStats(2, 1, 0, 1002.0)


def test_a_server_that_stands_still(postgres: PostgresServer) -> None:
    url = postgres.new_url()
    with patient(url) as store, Store.open(url, timeout_s=0.8, pool_size=3) as hasty:
        store.upgrade()
        store.append([event(1), event(3, user_id="v")])
        once_back(hasty.ping)
        postgres.freeze()
        try:
            # The first on a connection that is open, others on new ones: they are limited, too.
            failure_in_time(lambda: hasty.append([event(2)]))
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(failure_in_time, [lambda: hasty.append([event(2)])] * 4))
        finally:
            postgres.thaw()
        # It may have been stored, though nobody was told: to send it again is right in both cases.
        assert once_back(lambda: hasty.append([event(2)])) in (Appended(1, 0), Appended(0, 1))
        assert store.stats().events == 3


def test_a_late_answer_is_not_taken_for_that_to_the_next_question(postgres: PostgresServer) -> None:
    url = postgres.new_url()
    with patient(url) as store, Store.open(url, timeout_s=0.4, pool_size=1) as hasty:
        store.upgrade()
        store.append([event(1), event(2, user_id="v")])
        once_back(hasty.ping)
        postgres.freeze()
        try:
            failure_in_time(lambda: hasty.events_of(["u"], limit=5))
        finally:
            postgres.thaw()
        assert once_back(lambda: hasty.events_of(["v"], limit=5)) == {"v": [event(2, user_id="v")]}


def test_a_locked_file_is_tried_until_the_time_is_over() -> None:
    answers = [sqlite3.OperationalError("database is locked")] * 3

    def call() -> None:
        if answers:
            raise answers.pop()

    retry_while_locked(call, time.monotonic() + PATIENT_S)
    assert answers == []
    answers += [sqlite3.OperationalError("database is locked")] * 2
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        retry_while_locked(call, time.monotonic())
    answers[:] = [sqlite3.OperationalError("disk I/O error")] * 2
    with pytest.raises(sqlite3.OperationalError, match="disk"):
        retry_while_locked(call, time.monotonic() + PATIENT_S)
    assert len(answers) == 1


def test_a_store_can_be_opened_before_its_database_is_there(postgres: PostgresServer) -> None:
    url = postgres.new_url()
    postgres.stop()
    try:
        store = patient(url)
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
    with patient(str(path)) as store:
        for call in (store.ping, store.upgrade, lambda: store.append([event(1)])):
            with pytest.raises(StoreUnavailable, match="not a database"):
                call()
