"""What each kind of request takes of a server, one after the other: whether any of them grows with the catalogue.

    python benchmarks/request_kinds.py --bundle data/generated/generated-2000000
    python benchmarks/request_kinds.py --bundle data/generated/generated-2000000 --rules 20 --json kinds.json

One worker with a store, one connection, users drawn from the bundle. Each kind is asked for once, then `--times` times
in turn with all others: the median and the slowest, and the CPU of the server. Filters are by the category and the
brand that most and fewest items bear. Changes of items are those of one item, until a list or a search knows of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where serve.py hides the package `serve`
    sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.serve_process import Running, fill_store, running_server, user_paths  # noqa: E402
from benchmarks.shop_rules import SCENARIO, write_mixed_rules  # noqa: E402
from recsys.bundle import Bundle, open_bundle  # noqa: E402

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SLOWEST_S, USERS = 300, 64


@dataclass(frozen=True)
class Kind:
    """A kind of request.

    Attributes:
        path: with its query; `USER` and `ITEM` stand for one of each.
        body: of a POST; None: it is a GET.
    """

    path: str
    body: Mapping[str, Any] | None = None


@dataclass
class Taken:
    """What requests of one kind took."""

    ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def kinds(bundle: Bundle, rules: int) -> dict[str, Kind]:
    """What is asked for, by what it is."""
    facets = bundle.facets
    by_size = {
        name: [part for part, _ in sorted(rows.items(), key=lambda entry: len(entry[1]))]
        for name, rows in (("brand", facets.rows_of_brands()), ("category", facets.rows_of_categories()))
    }
    few, many = ({name: parts[place] for name, parts in by_size.items() if parts} for place in (0, -1))
    ids = bundle.catalogue.item_ids(np.arange(min(50, bundle.n_items)))
    wanted = {
        "list": "",
        "list of a price": "?max_price=20",
        "list of the largest category": "?" + urllib.parse.urlencode({"category": many.get("category", "")}),
        "list of the smallest category": "?" + urllib.parse.urlencode({"category": few.get("category", "")}),
        "list of the smallest brand": "?" + urllib.parse.urlencode({"brand": few.get("brand", "")}),
        "list of a brand that is none": "?brand=nobody",
        "list without 50 items": "?" + urllib.parse.urlencode({"exclude_items": ids}, doseq=True),
        "list of 20 items": "?" + urllib.parse.urlencode({"only_items": ids[:20]}, doseq=True),
        "list with reasons": "?explain=cheap",
        "list by popularity": "?model=popularity",
        "page behind 200 items": "?offset=200",
    }
    if rules:
        wanted[f"list under {rules} rules"] = f"?scenario={SCENARIO}"
    found = {name: Kind(f"/recommendations/USER{query}") for name, query in wanted.items()}
    return found | {
        "explanation": Kind("/explanations", {"user_id": "USER", "item_id": "ITEM"}),
        "similar items": Kind("/items/ITEM/similar"),
        "popular items": Kind("/items/popular"),
        "popular items of the smallest brand": Kind(
            "/items/popular?" + urllib.parse.urlencode({"brand": few.get("brand", "")})
        ),
        "search by words": Kind("/items?query=brand+model"),
        "search by category and price": Kind(
            "/items?" + urllib.parse.urlencode({"category": many.get("category", ""), "sort": "price"})
        ),
        "names of brands": Kind("/catalogue/brands?query=br"),
        "statistics": Kind("/stats"),
        "a user": Kind("/users/USER/profile"),
    }


def ask(url: str, method: str = "GET", body: object = None) -> Any:
    """The answer, read."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with DIRECT.open(request, timeout=SLOWEST_S) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {url}: {error.code} {error.read().decode()}") from error


def measured(server: Running, asked: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds, and milliseconds of the server's CPU."""
    cpu, start = _cpu_ms(server), time.perf_counter()
    asked()
    return 1000 * (time.perf_counter() - start), _cpu_ms(server) - cpu


def _cpu_ms(server: Running) -> float:
    """Of all threads, in nanoseconds: the kernel's count of a process is in hundredths of a second."""
    threads = Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6


def measure(server: Running, wanted: Mapping[str, Kind], users: list[str], times: int) -> dict[str, Taken]:
    """All kinds in turn."""
    items = [ask(f"{server.url}/recommendations/{user}?k=1")["items"][0]["item_id"] for user in users[: times + 1]]
    taken = {name: Taken() for name in wanted}
    for turn in range(times + 1):
        user, item = users[turn % len(users)], items[turn % len(items)]
        for name, kind in wanted.items():
            filled = {"USER": user, "ITEM": item}
            path = kind.path.replace("USER", user).replace("ITEM", item)
            body = None if kind.body is None else {key: filled.get(of, of) for key, of in kind.body.items()}
            ms, cpu_ms = measured(server, lambda: ask(server.url + path, "GET" if body is None else "POST", body))  # noqa: B023
            if turn:  # the first of each kind makes what is kept, and is shown as the slowest where it was
                taken[name].ms.append(ms)
                taken[name].cpu_ms.append(cpu_ms)
    return taken


def measure_changes(server: Running, user: str) -> dict[str, tuple[float, float]]:
    """Seconds, and seconds of CPU, until a list knows of a change of an item."""
    item = ask(f"{server.url}/recommendations/{user}?k=1")["items"][0]["item_id"]
    path = f"{server.url}/recommendations/{user}?" + urllib.parse.urlencode({"only_items": item})

    def until(change: Mapping[str, object], known: Callable[[list[Any]], bool]) -> tuple[float, float]:
        def changed() -> None:
            ask(f"{server.url}/items/{item}", "PATCH", change)
            deadline = time.monotonic() + SLOWEST_S
            while not known(ask(path)["items"]):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"no list knows of {change}")
                time.sleep(0.05)

        ms, cpu_ms = measured(server, changed)
        return ms / 1000, cpu_ms / 1000

    return {
        "an item is not available": until({"available": False}, lambda items: not items),
        "it is again": until({"available": True}, bool),
        "another price": until({"price": 1234.5}, lambda items: items[0]["price"] == 1234.5),
        "another price again": until({"price": 4321.5}, lambda items: items[0]["price"] == 4321.5),
        "other brand and categories": until(
            {"brand": "A new brand", "categories": ["Something new"]}, lambda items: items[0]["brand"] == "A new brand"
        ),
    }


def main() -> None:
    """Measure the bundle named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True, help="saved_model/NAME")
    parser.add_argument("--rules", type=int, default=0, metavar="N", help="also lists under N rules of a shop")
    parser.add_argument("--without-search", action="store_true", help="leave the search empty: filling it takes long")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, settings = f"sqlite:///{folder}/store.sqlite", {"index_items": str(not arguments.without_search)}
        with open_bundle(arguments.bundle, verify="quick") as bundle:
            fill_store(store, bundle)
            wanted = kinds(bundle, arguments.rules)
            if arguments.without_search:
                wanted = {name: kind for name, kind in wanted.items() if not name.startswith("search")}
            if arguments.rules:
                settings["rules"] = str(write_mixed_rules(bundle, arguments.rules, Path(folder, "rules.yaml")))
        users = [path.rpartition("/")[2] for path in user_paths(arguments.bundle, USERS)]
        with running_server(arguments.bundle.resolve(), store, **settings) as server:
            ready, memory = server.ready_s, server.memory()
            started = time.perf_counter()
            server.wait_for_search()
            indexing = time.perf_counter() - started
            taken = measure(server, wanted, users, arguments.times)
            changes = measure_changes(server, users[0])
            after = server.memory()
    table = Table(title=f"{arguments.bundle.name}, one worker", title_justify="left")
    for n, column in enumerate(("request", "median ms", "slowest ms", "CPU of the server, ms")):
        table.add_column(column, justify="right" if n else "left")
    for name, of_kind in taken.items():
        figures = statistics.median(of_kind.ms), max(of_kind.ms), statistics.median(of_kind.cpu_ms)
        table.add_row(name, *(f"{figure:.1f}" for figure in figures))
    for name, (seconds, cpu) in changes.items():
        table.add_row(f"until a list knows: {name}", f"{1000 * seconds:,.0f}", "", f"{1000 * cpu:,.0f}")
    Console(width=110).print(table)
    print(f"ready after {ready:.1f} s, search filled {indexing:.0f} s later")
    print(f"memory when ready {memory}, after {after}")
    if arguments.json:
        figures_of = {name: {"ms": one.ms, "cpu_ms": one.cpu_ms} for name, one in taken.items()}
        arguments.json.write_text(json.dumps({"requests": figures_of, "changes_s": changes}, indent=1), "utf8")


if __name__ == "__main__":
    main()
