"""Several processes on one store, and processes that die."""

import os
import random
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from recsys.store import Store
from tests.support.databases import query
from tests.support.store_workers import (
    CONTEXT,
    append_and_die,
    append_in_some_order,
    append_until_killed,
    numbered,
    told,
    upgrade,
)

pytest_plugins = "tests.support.store_fixtures"

WAIT_S = 60.0


def together(work: Callable[..., None], arguments: list[tuple[Any, ...]]) -> list[Any]:
    """Run a worker in a process for each tuple of arguments, all at once; returns what they tell."""
    start = CONTEXT.Barrier(len(arguments))
    pipes = [CONTEXT.Pipe(duplex=False) for _ in arguments]
    processes = [
        CONTEXT.Process(target=work, args=(*given, start, pipe[1]))
        for given, pipe in zip(arguments, pipes, strict=True)
    ]
    for process in processes:
        process.start()
    told = []
    for process, (receiver, sender) in zip(processes, pipes, strict=True):
        sender.close()
        assert receiver.poll(WAIT_S), "a worker is stuck or has failed"
        told.append(receiver.recv())
        process.join(WAIT_S)
        assert process.exitcode == 0
    return told


def told_ids(url: str) -> list[str]:
    return sorted(row[0] for row in query(url, "SELECT event_id FROM list_events"))


def test_an_acknowledged_event_outlives_its_process(store: Store, store_url: str) -> None:
    for number in range(6):
        names = [f"{number}-{part}" for part in range(1 + number % 3)]
        receiver, sender = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=append_and_die, args=(store_url, names, sender))
        process.start()
        sender.close()
        assert receiver.recv() == names
        process.join(WAIT_S)
        assert process.exitcode == -signal.SIGKILL
        kept = [event.event_id for event in store.events_of(["u"], limit=1000)["u"]]
        assert kept[-len(names) :] == names
    assert store.stats().events == len(kept) == 12


def test_a_kill_at_any_moment_loses_and_doubles_nothing(store: Store, store_url: str) -> None:
    draw = random.Random(3)
    acknowledged: list[str] = []
    for number in range(5):
        receiver, sender = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=append_until_killed, args=(store_url, f"r{number}", sender))
        process.start()
        sender.close()
        acknowledged += [receiver.recv() for _ in range(draw.randrange(1, 25))]
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(WAIT_S)
        try:
            while True:
                acknowledged.append(receiver.recv())
        except EOFError:
            pass
    kept = [event.event_id for part in store.all_events() for event in part]
    assert len(set(kept)) == len(kept)
    assert set(acknowledged) <= set(kept)
    assert told_ids(store_url) == sorted(kept), "an event and its impression are kept together, or neither is"
    # At most the one that was under way in each round is kept without having been acknowledged.
    assert len(kept) - len(acknowledged) <= 5
    # A client that sends all again changes nothing.
    assert store.append([numbered(name) for name in acknowledged]).accepted == 0
    assert store.stats().events == len(kept)


@pytest.mark.parametrize("workers", [3])
def test_writers_that_send_the_same_events_store_each_once(store: Store, store_url: str, workers: int) -> None:
    accepted = together(append_in_some_order, [(store_url, seed, 150) for seed in range(workers)])
    assert sum(accepted) == 2 * 150
    assert told_ids(store_url) == sorted(f"e{number}" for number in range(150))
    kept = [event.event_id for part in store.all_events() for event in part]
    assert sorted(kept) == sorted(f"e{number}" for number in range(150))
    counted = {row.user_id: row.events for row in store.users(None, 100).rows}
    assert counted == {f"u{user}": len(range(user, 150, 7)) for user in range(7)}


def test_writers_with_opposite_orders_do_not_wait_for_each_other(store: Store) -> None:
    for number in range(6):
        named = [(f"{number}-{part}", f"u{part % 40}") for part in range(400)]
        start = threading.Barrier(2)
        accepted: list[int] = []

        def append(
            batch: list[tuple[str, str]], start: threading.Barrier = start, accepted: list[int] = accepted
        ) -> None:
            start.wait()
            appended = store.append([numbered(*one) for one in batch], [told(*one) for one in batch])
            accepted.append(appended.accepted)

        threads = [threading.Thread(target=append, args=(batch,)) for batch in (named, named[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
        assert sorted(accepted) == [0, 800]


@pytest.mark.parametrize("round_number", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 10))])
def test_processes_that_start_at_once_upgrade_once(store_url: str, round_number: int) -> None:
    assert together(upgrade, [(store_url,)] * 4) == ["done"] * 4
    assert query(store_url, "SELECT count(*) FROM alembic_version") == [(1,)]
    assert query(store_url, "SELECT count(*) FROM events") == [(4,)]
    if store_url.startswith("sqlite"):
        assert query(store_url, "PRAGMA journal_mode") == [("wal",)]
