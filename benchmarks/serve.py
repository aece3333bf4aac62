"""How fast the recommendation server is, beside a floor measured in the same run.

    python benchmarks/serve.py --bundle saved_model/beauty
    python benchmarks/serve.py --items 65000 --json figures.json
    python benchmarks/serve.py --items 65000 --profile
    python benchmarks/serve.py --items 65000 --rules 20
    python benchmarks/serve.py --items 65000 --workers 2

One worker with a store, asked by another process (benchmarks/http_load.py) for users drawn from the bundle; half of
all users have recent events in the store. The floor is a route of the same app, as FastAPI runs any route, that
returns a constant answer of the same size. Rounds alternate between the two, and in the closed loop also with answers
that give reasons (explain=cheap); medians are printed. Half load is half of the throughput that the route itself
reached. `--items` generates a bundle first (benchmarks/generated.py). Exit code 1: a goal was missed. `--profile` shows
instead where the time of a query goes. `--rules N` asks instead in turns for lists without rules and for lists under N
rules of a shop, of mixed kinds (benchmarks/shop_rules.py). `--workers N` loads `python -m serve --workers N` with the
floor in addition, and shows what memory its processes take.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where this file hides the package `serve`
    sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from benchmarks.floor import FLOOR  # noqa: E402
from benchmarks.retrieval import milliseconds, numpy_search  # noqa: E402
from benchmarks.serve_memory import memory_of_workers  # noqa: E402
from benchmarks.serve_process import Rounds, fill_store, running_server, running_workers, user_paths  # noqa: E402
from benchmarks.serve_profile import profile_table  # noqa: E402
from benchmarks.serve_table import Row, number, print_table  # noqa: E402
from benchmarks.shop_rules import SCENARIO, write_mixed_rules  # noqa: E402
from recsys.bundle import open_bundle  # noqa: E402
from recsys.sources.base import Queries  # noqa: E402
from recsys.sources.two_tower.index_parameters import RECALL_AT  # noqa: E402

BATCH = 64
SINGLE_SEARCHES, RECALL_SEARCHES = 100, 1000
LARGE, LARGEST = 65_000, 500_000  # sizes of catalogues that have goals of their own


def measure_server(bundle: Path, n_items: int, arguments: argparse.Namespace, store: str) -> tuple[list[Row], Any]:
    """Throughput, latency, batches, memory and start of the server; all figures of all rounds beside the table."""
    ready, paths = [], user_paths(bundle, arguments.users)
    for _ in range(arguments.rounds - 1):
        with running_server(bundle, store) as server:
            ready.append(server.ready_s)
    with running_server(bundle, store) as server:
        ready.append(server.ready_s)
        memory_ready = server.memory()
        server.wait_for_search()
        rounds = Rounds(server, arguments.seconds)
        routes = {"floor": [server.url + FLOOR], "recommendations": [server.url + path for path in paths]}
        closed = {**routes, "with reasons": [f"{url}?explain=cheap" for url in routes["recommendations"]]}
        load_in_turns(rounds, closed, routes, arguments)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as bodies:
            users = [urllib.parse.unquote(path.rpartition("/")[2]) for path in paths]
            batches = [users[start : start + BATCH] for start in range(0, len(users) - BATCH + 1, BATCH)] or [users]
            json.dump([{"user_ids": batch} for batch in batches], bodies)
            bodies.flush()
            for _ in range(arguments.rounds):
                rounds.load("one by one", routes["recommendations"], "--connections=1")
                rounds.load("batch", [f"{server.url}/recommendations"], "--connections=1", f"--bodies={bodies.name}")
        memory = server.memory()
    rows = server_rows(rounds, len(batches[0]))
    bounded = n_items <= LARGE
    rows += [
        Row("resident memory when ready, MB", None, memory_ready.resident),
        Row("    of which its own (anonymous), MB", None, memory_ready.anonymous),
        Row("    of which mapped files, MB", None, memory_ready.mapped),
        Row("resident memory after the load, MB", None, memory.resident, None, ("≤", 250) if bounded else None),
        Row("    of which its own (anonymous), MB", None, memory.anonymous),
        Row("    of which mapped files, MB", None, memory.mapped),
        Row("    where what n processes share counts as one nth (PSS), MB", None, memory.pss),
        Row("ready after its start, s", None, statistics.median(ready), None, ("≤", 3) if bounded else None),
    ]
    megabytes = {"ready": memory_ready._asdict(), "after": memory._asdict()}
    return rows, {"rounds": rounds.figures, "ready_s": ready, "memory_mb": megabytes}


def measure_workers(bundle: Path, n_items: int, arguments: argparse.Namespace, store: str) -> tuple[list[Row], Any]:
    """Throughput and latency of a server of several workers, and the memory of its processes after that."""
    with running_workers(bundle, store, arguments.workers) as server:
        rounds = Rounds(server, arguments.seconds)
        paths = user_paths(bundle, arguments.users)
        routes = {"floor": [server.url + FLOOR], "recommendations": [server.url + path for path in paths]}
        load_in_turns(rounds, routes, routes, arguments)
        memory = memory_of_workers(server.process)
    everyone = memory["worker"] + memory["other"]
    together = sum(one.pss for one in everyone) / len(memory["worker"])
    largest = max(one.pss for one in memory["worker"])
    rows = load_rows(rounds)
    rows += [
        Row("memory of the largest worker (PSS), MB", None, largest, None, ("≤", 350) if n_items <= LARGE else None),
        Row("memory of a worker (PSS), MB", None, statistics.mean(one.pss for one in memory["worker"])),
        Row("    of which anonymous, MB", None, statistics.mean(one.pss_anonymous for one in memory["worker"])),
        Row("    of which mapped files, MB", None, statistics.mean(one.pss_mapped for one in memory["worker"])),
        Row("    resident, shared or not, MB", None, statistics.mean(one.resident for one in memory["worker"])),
        Row("all processes (PSS), by workers, MB", None, together),
    ]
    megabytes = {name: [one._asdict() for one in ones] for name, ones in memory.items()}
    return rows, {"rounds": rounds.figures, "memory_mb": megabytes}


def closed_loops(rounds: Rounds, routes: Mapping[str, Sequence[str]], arguments: argparse.Namespace) -> None:
    """A warm-up and all rounds of the closed loop, in turns, on URLs by the name of what is asked for."""
    for name, urls in routes.items():
        rounds.load(f"warm-up {name}", urls)
    for _ in range(arguments.rounds):
        for name, urls in routes.items():
            rounds.load(name, urls, f"--connections={arguments.connections}")


def load_in_turns(
    rounds: Rounds,
    closed: Mapping[str, Sequence[str]],
    half: Mapping[str, Sequence[str]],
    arguments: argparse.Namespace,
) -> None:
    """All rounds of the closed loop, and then at half load, on URLs by the name of what is asked for."""
    closed_loops(rounds, closed, arguments)
    for _ in range(arguments.rounds):
        for name, urls in half.items():
            rate = rounds.median(name, "requests_per_s") / 2
            rounds.load(f"{name}, half load", urls, f"--rate={rate}")


def measure_rules(
    bundle: Path, n_items: int, arguments: argparse.Namespace, store: str, rules: Path
) -> tuple[list[Row], Any]:
    """Throughput of lists under rules against that of lists without; both of one server, in turns."""
    with running_server(bundle, store, rules=str(rules)) as server:
        server.wait_for_search()
        rounds = Rounds(server, arguments.seconds)
        plain = [server.url + path for path in user_paths(bundle, arguments.users)]
        routes = {"plain": plain, "ruled": [f"{url}?scenario={SCENARIO}" for url in plain]}
        closed_loops(rounds, routes, arguments)
        for _ in range(arguments.rounds):
            for name, urls in routes.items():
                rounds.load(f"{name}, one by one", urls, "--connections=1")

    def compared(measure: str, figure: str, goal: tuple[str, float] | None = None, suffix: str = "") -> Row:
        without, ruled = (rounds.median(name + suffix, figure) for name in routes)
        return Row(measure, without, ruled, ruled / without, goal)

    rows = [
        compared("answers/s, closed loop", "requests_per_s", ("≥", 0.9) if n_items <= LARGE else None),
        compared("    CPU of the server, ms an answer", "cpu_ms"),
        compared("    99th percentile, ms", "p99_ms"),
        compared("    bytes an answer", "bytes"),
        compared("median latency one by one, ms", "p50_ms", suffix=", one by one"),
    ]
    return rows, {"rounds": rounds.figures}


def load_rows(rounds: Rounds) -> list[Row]:
    """What `load_in_turns` measured of recommendations against the floor."""

    def compared(measure: str, figure: str, goal: tuple[str, float] | None = None, suffix: str = "") -> Row:
        floor, value = (rounds.median(name + suffix, figure) for name in ("floor", "recommendations"))
        return Row(measure, floor, value, value / floor, goal)

    return [
        compared("answers/s, closed loop", "requests_per_s", ("≥", 0.40)),
        compared("    median latency, ms", "p50_ms"),
        compared("    99th percentile, ms", "p99_ms"),
        compared("    CPU of the server, ms an answer", "cpu_ms"),
        compared("    bytes an answer", "bytes"),
        compared("median latency at half load, ms", "p50_ms", suffix=", half load"),
        compared("    CPU of the server, ms an answer", "cpu_ms", suffix=", half load"),
        compared("99th percentile at half load, ms", "p99_ms", ("≤", 4), ", half load"),
    ]


def server_rows(rounds: Rounds, batch: int) -> list[Row]:
    """The lines of the table that the loads of one worker measured."""
    plain, reasons = (rounds.median(name, "requests_per_s") for name in ("recommendations", "with reasons"))
    single, many = rounds.median("one by one", "requests_per_s"), batch * rounds.median("batch", "requests_per_s")
    return [
        *load_rows(rounds),
        Row("answers/s with explain=cheap against without", plain, reasons, reasons / plain, ("≥", 0.95)),
        Row("    bytes an answer", *(rounds.median(name, "bytes") for name in ("recommendations", "with reasons"))),
        Row(f"users/s, {batch} in a POST against one by one", single, many, many / single, ("≥", 5)),
    ]


def measure_search(bundle_path: Path) -> list[Row]:
    """ScaNN against exact search in NumPy, for the vectors of users."""
    with open_bundle(bundle_path, verify="quick") as bundle:
        two_tower, histories = bundle.two_tower(), bundle.histories
    users = np.flatnonzero(histories.lengths)
    users = np.random.default_rng(0).choice(users, min(RECALL_SEARCHES, len(users)), replace=False)
    queries = Queries(histories.select(users), users.astype(np.int32), np.zeros(len(users), np.int64))
    embeddings, index = two_tower.item_embeddings.astype(np.float32), two_tower.index
    goal = next((("≤", share) for size, share in ((LARGEST, 0.05), (LARGE, 0.20)) if len(embeddings) >= size), None)
    with threadpool_limits(1):
        vectors = two_tower.encode(queries)
        recall = index.measure_recall(embeddings, vectors)
        vectors = vectors[:SINGLE_SEARCHES]
        count = len(vectors)
        exact = milliseconds(
            lambda: [numpy_search(embeddings, one[None], RECALL_AT) for one in vectors], len(vectors), 5
        )
        scann = milliseconds(lambda: [index.search(one[None], RECALL_AT) for one in vectors], count, 5)
    return [
        Row(f"search for {RECALL_AT}, ScaNN against NumPy, ms", exact, scann, scann / exact, goal),
        Row(f"    recall@{RECALL_AT}", None, recall, None, ("≥", 0.99)),
    ]


def run_benchmark(
    bundle_path: Path, n_items: int, store: str, arguments: argparse.Namespace
) -> tuple[dict[str, Any], bool]:
    """Print the table of all measures; the figures, and whether every goal was met."""
    load_before = os.getloadavg()
    reference, under = "floor or reference", ""
    if arguments.rules:
        rules = Path(store.removeprefix("sqlite:///")).with_name("rules.yaml")
        with open_bundle(bundle_path, verify="quick") as bundle:
            write_mixed_rules(bundle, arguments.rules, rules)
        rows, rounds = measure_rules(bundle_path, n_items, arguments, store, rules)
        reference, under = "without rules", f", {arguments.rules} rules"
    elif arguments.workers > 1:
        rows, rounds = measure_workers(bundle_path, n_items, arguments, store)
    else:
        search = measure_search(bundle_path)
        rows, rounds = measure_server(bundle_path, n_items, arguments, store)
        rows += search
    print_table(
        f"{bundle_path.name}, {n_items:,} items, workers: {arguments.workers}, {arguments.connections} clients{under}",
        ("", reference, "measured", "ratio", "goal", "met"),
        [
            (
                row.measure,
                number(row.reference),
                number(row.value),
                number(row.ratio),
                f"{row.goal[0]} {row.goal[1]:g}" if row.goal else "",
                {True: "yes", False: "NO", None: ""}[row.met],
            )
            for row in rows
        ],
    )
    if load_before[0] > 0.5:
        print(f"Other processes kept about {load_before[0]:.1f} cores busy before: times vary, ratios less.")
    table = [{**row._asdict(), "met": row.met} for row in rows]
    machine = {"cores": os.cpu_count(), "load_before": load_before, "load_after": os.getloadavg()}
    return {"bundle": bundle_path.name, "items": n_items, "machine": machine, "table": table, **rounds}, all(
        row.met is not False for row in rows
    )


def main() -> int:
    """Measure the bundle named, or a generated one; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    bundle = parser.add_mutually_exclusive_group(required=True)
    bundle.add_argument("--bundle", type=Path, help="saved_model/NAME")
    bundle.add_argument("--items", type=int, help="generate a bundle of this many items")
    parser.add_argument("--profile", action="store_true", help="where the time of a query goes, and nothing else")
    parser.add_argument("--rules", type=int, metavar="N", help="what N rules of a shop cost, and nothing else")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="more than 1: load and memory alone")
    parser.add_argument("--connections", type=int, default=64, help="of the closed loop")
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=1024, help="distinct users asked for")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures of all rounds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.bundle
        if path is None:
            generate = ["benchmarks/generated.py", folder, "--items", str(arguments.items)]
            subprocess.run([sys.executable, *generate], check=True, cwd=ROOT)
            path = Path(folder, f"generated-{arguments.items}")
        path, store, met = path.resolve(), f"sqlite:///{folder}/store.sqlite", True
        with open_bundle(path, verify="quick") as bundle:
            fill_store(store, bundle)
            n_items = bundle.catalogue.n_items
        if arguments.profile:
            columns, lines, figures = profile_table(path, store)
            print_table(f"{path.name}: CPU of a query, ms", columns, lines)
        else:
            figures, met = run_benchmark(path, n_items, store, arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1), "utf8")
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
