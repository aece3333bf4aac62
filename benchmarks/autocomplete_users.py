"""How long `GET /users?query=` takes while somebody types an id, among as many users as a bundle and a store hold.

    python benchmarks/generated.py data/generated --items 5000 --users 500000
    python benchmarks/autocomplete_users.py --bundle data/generated/generated-5000

Ids of random users of the bundle and the store are typed letter by letter, over HTTP, one request at a time on one
connection. The store is given one event of each other user of the bundle and of as many that the bundle does not know.
Exit code 1: the 95th percentile of some length of prefixes is over 50 ms.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where this file hides the package `serve`
    sys.path[0] = str(ROOT)

from benchmarks.serve_process import running_server  # noqa: E402
from recsys.bundle import open_bundle  # noqa: E402
from recsys.store import Event, Store  # noqa: E402

GOAL_MS = 50.0
AT_ONCE = 5000
TYPED = 200  # ids


def fill_store(url: str, user_ids: list[str]) -> None:
    """One event of each of the users."""
    now = time.time()
    with Store.open(url, timeout_s=60) as store:
        store.upgrade()
        for start in range(0, len(user_ids), AT_ONCE):
            part = user_ids[start : start + AT_ONCE]
            store.append([Event(f"e{start + n}", user_id, "item", "view", now) for n, user_id in enumerate(part)])


def milliseconds_by_length(url: str, user_ids: list[str]) -> dict[int, list[float]]:
    """Of requests for all beginnings of ids, by how long they are."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    found: dict[int, list[float]] = defaultdict(list)
    for user_id in user_ids:
        for length in range(1, len(user_id) + 1):
            started = time.perf_counter()
            connection.request("GET", f"/users?query={quote(user_id[:length])}&limit=10")
            answer = connection.getresponse()
            body = answer.read()
            found[length].append(1000 * (time.perf_counter() - started))
            if answer.status != 200:
                raise RuntimeError(body.decode())
    connection.close()
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    with open_bundle(arguments.bundle) as bundle:
        of_bundle = bundle.catalogue.user_ids(np.arange(bundle.catalogue.n_users))
    in_store = [*of_bundle[::2], *(f"new{n}" for n in range(len(of_bundle) // 2))]
    typed = [str(name) for name in random.choice([*of_bundle, *in_store[::2]], TYPED)]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.sqlite"
        fill_store(url, in_store)
        settings = {"verify": "quick", "index_items": "false", "store_timeout_s": "30"}
        with running_server(arguments.bundle, url, **settings) as server:
            milliseconds_by_length(server.url, typed[:5])
            found = milliseconds_by_length(server.url, typed)
    print(f"{len(of_bundle):,} users of the bundle, {len(in_store):,} of the store")
    print("letters  requests  median ms  p95 ms  max ms")
    for length, values in sorted(found.items()):
        median, late = np.quantile(values, [0.5, 0.95])
        print(f"{length:7d}  {len(values):8d}  {median:9.2f}  {late:6.2f}  {max(values):6.2f}")
    return int(any(np.quantile(values, 0.95) > GOAL_MS for values in found.values()))


if __name__ == "__main__":
    sys.exit(main())
