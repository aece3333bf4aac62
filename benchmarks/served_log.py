"""What the served log costs the thread that writes it, as the log grows.

    python benchmarks/served_log.py --lists 60000
    python benchmarks/served_log.py --lists 5000 --rows 60

Microseconds of CPU a list of ten items, in an SQLite store of its own, for every 5,000 lists. `--rows`: how many a
transaction writes; a server writes all of a second, 512 at most.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":  # replaces the script's own folder, where a file hides the package `serve`
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from recsys.store import ListDetails, Served, Store
from serve.recommendations.made_lists import recommendation_ids
from serve.recommendations.served_log import MAX_ROWS

USERS, STEP = 20_000, 5000


def lists(count: int, random: np.random.Generator) -> list[Served]:
    """Lists of users at random."""
    ids = tuple(f"B{n:09d}" for n in range(10))
    scores = tuple(round(1.01756 / (n + 1), 6) for n in range(10))
    details = ListDetails(bundle="shop", sources=("transitions",) * 10, personal=10, history=11, milliseconds=4.2)
    row = Served("3f2a9c0e5b7d41688a1c0d9e2f4b6a73", None, time.time(), "20261130T000000Z", "full", ids, scores)
    return [
        row._replace(user_id=f"A{user:013d}", recommendation_id=name, details=details)
        for user, name in zip(random.integers(USERS, size=count).tolist(), recommendation_ids(count), strict=True)
    ]


def main() -> None:
    """Write lists, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=int, default=60_000)
    parser.add_argument("--rows", type=int, default=MAX_ROWS, help="of a transaction")
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/store.sqlite", timeout_s=60) as store:
        store.upgrade()
        for written in range(STEP, arguments.lists + 1, STEP):
            spent = 0.0
            for start in range(0, STEP, arguments.rows):
                rows = lists(min(arguments.rows, STEP - start), random)
                started = time.thread_time()
                store.add_served(rows)
                spent += time.thread_time() - started
            print(f"{written:>9,} lists: {1e6 * spent / STEP:.1f} us a list", flush=True)


if __name__ == "__main__":
    main()
