"""How long it takes to count what came of lists, beside reading the same rows and doing nothing with them.

    python benchmarks/outcomes.py
    python benchmarks/outcomes.py --postgresql

A store is made of so many lists of ten items, one list event for each item, and one event for every tenth. All are
counted by every dimension, and as the days of the units of an experiment that half of the lists are of. The floor reads
lists and events along their times, a thousand rows at a time, through the same connections.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import sqlalchemy as sa

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where this file hides the package of its name
    sys.path[0] = str(ROOT)

from recsys.core.events import SECONDS_PER_DAY  # noqa: E402
from recsys.experiments.experiment import Experiment, Variant  # noqa: E402
from recsys.outcomes import DIMENSIONS, tell_outcomes, unit_days  # noqa: E402
from recsys.store import AssignedVariant, Event, ListDetails, ListEvent, Served, Store  # noqa: E402
from recsys.store.tables import EVENTS, LIST_EVENTS, SERVED  # noqa: E402
from tests.support.databases import engine_of  # noqa: E402
from tests.support.postgres import PostgresServer  # noqa: E402

START, DAYS, ITEMS, AT_ONCE = 1.7e9, 14, 10, 5000
SHOP = [f"B{n:09d}" for n in range(20_000)]


def fill(url: str, lists: int, users: int, random: np.random.Generator) -> None:
    """A store of that many lists, with what came of them, in the order of their times."""
    times = np.sort(random.uniform(START, START + DAYS * SECONDS_PER_DAY, lists))
    kinds = ("click", "view", "add_to_cart", "purchase")
    with Store.open(url, timeout_s=60) as store, engine_of(url).connect() as connection:
        store.upgrade()
        for start in range(0, lists, AT_ONCE):
            rows: list[Served] = []
            seen: list[dict[str, Any]] = []
            events: list[Event] = []
            for number in range(start, min(start + AT_ONCE, lists)):
                user, name = f"user{random.integers(users)}", random.bytes(16).hex()
                items = [SHOP[place] for place in random.integers(len(SHOP), size=ITEMS)]
                rows.append(served(name, user, float(times[number]), items, number))
                for place, item in enumerate(items):
                    at, key = float(times[number]) + 1 + place, f"{number}-{place}"
                    seen.append(ListEvent(f"l{key}", user, item, "impression", at, name, place + 1)._asdict())
                    if random.random() < 0.1:
                        kind = kinds[random.integers(len(kinds))]
                        events.append(Event(f"e{key}", user, item, kind, at + 60, None, 9.5, None, name, place + 1))
            store.add_served(rows)
            store.append(events)
            connection.execute(sa.insert(LIST_EVENTS), seen)
            connection.commit()


def served(name: str, user: str, timestamp: float, items: list[str], number: int) -> Served:
    """A list as a server keeps it."""
    variants = (AssignedVariant("x", 1, "new" if crc32(user.encode()) % 2 else "old"),) if number % 2 else ()
    details = ListDetails(
        bundle="shop",
        scenario="home",
        variants=variants,
        sources=("two_tower", "co_purchase") * (ITEMS // 2),
        personal=ITEMS,
        history=number % 30,
        brands=7,
        milliseconds=4.5,
    )
    scores = tuple(1.0 - place / 16 for place in range(ITEMS))
    return Served(name, user, timestamp, "20260101-000000", "full", tuple(items), scores, name, details)


def read(url: str) -> int:
    """All rows of the three tables, in parts: what counting cannot do without."""
    rows = 0
    with engine_of(url).connect() as connection:
        for table in (SERVED, EVENTS, LIST_EVENTS):
            statement = sa.select(table).order_by(table.c.timestamp, table.c.seq).execution_options(yield_per=1000)
            for part in connection.execute(statement).partitions():
                rows += len(part)
    return rows


def timed(name: str, call: Callable[[], Any]) -> float:
    """Seconds of a call, printed."""
    started, computed = time.perf_counter(), time.process_time()
    call()
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:45} {seconds:7.2f} s   {time.process_time() - computed:7.2f} s of CPU here   {memory:6,.0f} MB at most"
    )
    return seconds


def measure(url: str, arguments: argparse.Namespace) -> None:
    """Fill, read, count."""
    random = np.random.default_rng(arguments.seed)
    timed("filling", lambda: fill(url, arguments.lists, arguments.users, random))
    until = START + (DAYS + 8) * SECONDS_PER_DAY
    experiment = Experiment(key="x", variants=(Variant(name="old"), Variant(name="new")), started_at=START)
    with Store.open(url) as store:
        for _ in range(arguments.rounds):
            floor = timed("floor: reading the rows", lambda: read(url))
            tables = timed("tables, altogether", lambda: tell_outcomes(store, START, until, now=until))
            by_all = timed("by all dimensions", lambda: tell_outcomes(store, START, until, DIMENSIONS, now=until))
            days = timed("days of units of half of the lists", lambda: unit_days(store, experiment, until))
            print(f"times the floor: {tables / floor:.2f}, {by_all / floor:.2f}, {days / floor:.2f}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgresql", action="store_true", help="a server of the tests, instead of SQLite")
    arguments = parser.parse_args()
    if arguments.postgresql:
        server = PostgresServer()
        try:
            measure(server.new_url(), arguments)
        finally:
            server.remove()
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(f"sqlite:///{folder}/store.sqlite", arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
