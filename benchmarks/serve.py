"""How fast the recommendation server is, beside a floor measured in the same run.

    python benchmarks/serve.py --bundle saved_model/beauty
    python benchmarks/serve.py --items 65000 --json figures.json
    python benchmarks/serve.py --items 65000 --profile

One worker with a store, asked by another process (benchmarks/http_load.py) for users drawn from the bundle; half of
all users have recent events in the store. The floor is a route of the same app that returns a constant answer
of the same size: no recommender in this framework can be faster. Rounds alternate between the two, and medians are
printed. Half load is half of the throughput that the route itself reached. `--items` generates a bundle first
(benchmarks/generated.py). Exit code 1: a goal was missed. `--profile` shows instead where the time of a query goes.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # a script's own folder comes first in its path, where this file would hide package `serve`
    sys.path[0] = str(ROOT)

# The server's process imports this module too: nothing here that a server does not need.
import numpy as np  # noqa: E402
import psutil  # noqa: E402
from fastapi import FastAPI, Request, Response  # noqa: E402

from recsys.bundle import Bundle, open_bundle  # noqa: E402
from recsys.ranking import features, head, ranker, recommender  # noqa: E402
from recsys.retrieval.base import NO_ITEM, Queries  # noqa: E402
from recsys.retrieval.item_to_item import ItemToItem  # noqa: E402
from recsys.retrieval.two_tower import TwoTowerRetriever  # noqa: E402
from recsys.store import Event, Store  # noqa: E402
from serve import lists, live, service  # noqa: E402
from serve.api.common import encoder  # noqa: E402
from serve.app import create_app  # noqa: E402
from serve.bundles import Bundles  # noqa: E402
from serve.loaded import Loaded  # noqa: E402
from serve.schemas.recommendations import Options  # noqa: E402
from serve.server import Server  # noqa: E402
from serve.settings import load_settings  # noqa: E402
from serve.store_link import StoreLink  # noqa: E402

FLOOR = "/floor"
BATCH = 64
LIVE_EVENTS = 3
SINGLE_SEARCHES = 100
START_TIMEOUT_S, INDEXING_TIMEOUT_S = 60, 900
LARGE, LARGEST = 65_000, 500_000  # sizes of catalogues that goals speak of
PROFILED_BATCHES, PROFILE_SECONDS = (1, 32), 8.0


def create_benchmark_app() -> FastAPI:
    """The server with the floor route in addition."""
    app = create_app()
    body = b""

    @app.get(FLOOR)
    async def floor(request: Request) -> Response:
        nonlocal body
        if not body:
            server: Server = request.app.state.server
            user_id = server.bundles.loaded.bundle.catalogue.user_ids([0])[0]
            answers = await server.batcher.submit(service.RecommendationRequest(Options(), (user_id,)))
            body = encoder.encode(answers[0])
        return Response(body, media_type="application/json")

    return app


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    process: psutil.Process
    ready_s: float

    def wait_for_search(self) -> None:
        """Wait until the process that puts the catalogue into the store has ended."""
        deadline = time.monotonic() + INDEXING_TIMEOUT_S
        while any(child.status() != psutil.STATUS_ZOMBIE for child in self.process.children()):
            if time.monotonic() > deadline:
                raise RuntimeError("the catalogue did not get into the store")
            time.sleep(0.1)

    def cpu_s(self) -> float:
        """Seconds of CPU that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> tuple[float, float]:
        """Resident megabytes, and how many of them belong to files mapped into memory."""
        memory = self.process.memory_info()
        return memory.rss / 1e6, memory.shared / 1e6


@contextmanager
def running_server(bundle: Path, store: str) -> Iterator[Running]:
    """Start one worker; its other settings come from the environment (RECSYS_...)."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = ["-m", "uvicorn", "benchmarks.serve:create_benchmark_app", "--factory", "--port", str(port)]
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, *command, "--no-access-log", "--log-level", "warning"],
        env={"RECSYS_LOG_LEVEL": "warning", **os.environ, "RECSYS_BUNDLE": str(bundle), "RECSYS_STORE": store},
        cwd=ROOT,
    )
    try:
        wait_until_ready(url, server)
        yield Running(url, psutil.Process(server.pid), time.perf_counter() - started)
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Ask /ready until it says so."""
    deadline = time.monotonic() + START_TIMEOUT_S
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and server.poll() is None:
        try:
            direct.open(f"{url}/ready", timeout=START_TIMEOUT_S).close()
        except urllib.error.URLError:  # not listening yet, or 503
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("the server did not become ready")


def fill_store(url: str, bundle: Bundle) -> None:
    """Give every other user recent events."""
    random = np.random.default_rng(0)
    users = bundle.catalogue.user_ids(np.arange(0, bundle.catalogue.n_users, 2))
    rows = random.integers(bundle.catalogue.n_items, size=len(users) * LIVE_EVENTS)
    items, now = bundle.catalogue.item_ids(rows), time.time()
    events = [
        Event(f"e{n}", users[n // LIVE_EVENTS], item, "view", now - 86_400 * random.random())
        for n, item in enumerate(items)
    ]
    with Store.open(url, timeout_s=60) as store:
        store.upgrade()
        for start in range(0, len(events), 5000):
            store.append(events[start : start + 5000])


@dataclass
class Rounds:
    """Loads on one running server, and the figures of every round by name."""

    server: Running
    seconds: float
    figures: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def load(self, name: str, urls: Sequence[str], *options: str) -> None:
        """Run the load generator once."""
        command = ["benchmarks/http_load.py", *urls, "--seconds", str(self.seconds), *options]
        before = self.server.cpu_s()
        run = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True, cwd=ROOT)
        figures: dict[str, Any] = json.loads(run.stdout)
        if figures["failed"]:
            raise RuntimeError(f"{name}: not every request was answered: {figures}")
        figures["cpu_ms"] = 1000 * (self.server.cpu_s() - before) / figures["answers"]
        self.figures[name].append(figures)

    def median(self, name: str, figure: str) -> float:
        """Median over the rounds."""
        return float(statistics.median(round_[figure] for round_ in self.figures[name]))


class Row(NamedTuple):
    """One line of the table; the goal says what `ratio`, or `value` where there is none, should reach."""

    measure: str
    reference: float | None
    value: float
    ratio: float | None = None
    goal: tuple[str, float] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None: there is none."""
        if self.goal is None:
            return None
        figure = self.value if self.ratio is None else self.ratio
        return figure >= self.goal[1] if self.goal[0] == "≥" else figure <= self.goal[1]


def measure_server(bundle: Path, n_items: int, arguments: argparse.Namespace, store: str) -> tuple[list[Row], Any]:
    """Throughput, latency, batches, memory and start of the server; all figures of all rounds beside the table."""
    ready, paths = [], user_paths(bundle, arguments.users)
    for _ in range(arguments.rounds - 1):
        with running_server(bundle, store) as server:
            ready.append(server.ready_s)
    with running_server(bundle, store) as server:
        ready.append(server.ready_s)
        memory_ready = server.memory_mb()
        server.wait_for_search()
        rounds = Rounds(server, arguments.seconds)
        routes = {"floor": [server.url + FLOOR], "recommendations": [server.url + path for path in paths]}
        for name, urls in routes.items():
            rounds.load(f"warm-up {name}", urls)
        for _ in range(arguments.rounds):
            for name, urls in routes.items():
                rounds.load(name, urls, f"--connections={arguments.connections}")
        for _ in range(arguments.rounds):
            for name, urls in routes.items():
                rate = rounds.median(name, "requests_per_s") / 2
                rounds.load(f"{name}, half load", urls, f"--rate={rate}")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as bodies:
            users = [urllib.parse.unquote(path.rpartition("/")[2]) for path in paths]
            batches = [users[start : start + BATCH] for start in range(0, len(users) - BATCH + 1, BATCH)] or [users]
            json.dump([{"user_ids": batch} for batch in batches], bodies)
            bodies.flush()
            for _ in range(arguments.rounds):
                rounds.load("one by one", routes["recommendations"], "--connections=1")
                rounds.load("batch", [f"{server.url}/recommendations"], "--connections=1", f"--bodies={bodies.name}")
        memory = server.memory_mb()
    rows = server_rows(rounds, len(batches[0]))
    bounded = n_items <= LARGE
    rows += [
        Row("resident memory when ready, MB", None, memory_ready[0]),
        Row("resident memory after the load, MB", None, memory[0], None, ("≤", 250) if bounded else None),
        Row("    of which mapped files, MB", None, memory[1]),
        Row("ready after its start, s", None, statistics.median(ready), None, ("≤", 3) if bounded else None),
    ]
    return rows, {"rounds": rounds.figures, "ready_s": ready, "memory_mb": {"ready": memory_ready, "after": memory}}


def server_rows(rounds: Rounds, batch: int) -> list[Row]:
    """The lines of the table that come from loads."""

    def compared(measure: str, figure: str, goal: tuple[str, float] | None = None, suffix: str = "") -> Row:
        floor, value = (rounds.median(name + suffix, figure) for name in ("floor", "recommendations"))
        return Row(measure, floor, value, value / floor, goal)

    single, many = rounds.median("one by one", "requests_per_s"), batch * rounds.median("batch", "requests_per_s")
    return [
        compared("answers/s, closed loop", "requests_per_s", ("≥", 0.35)),
        compared("    median latency, ms", "p50_ms"),
        compared("    99th percentile, ms", "p99_ms"),
        compared("    CPU of the server, ms an answer", "cpu_ms"),
        compared("    bytes an answer", "bytes"),
        compared("median latency at half load, ms", "p50_ms", suffix=", half load"),
        compared("99th percentile at half load, ms", "p99_ms", ("≤", 4), ", half load"),
        Row(f"users/s, {batch} in a POST against one by one", single, many, many / single, ("≥", 5)),
    ]


def user_paths(bundle_path: Path, count: int) -> list[str]:
    """Request paths for users drawn with a seed."""
    with open_bundle(bundle_path, verify="quick") as bundle:
        n_users = bundle.catalogue.n_users
        rows = np.random.default_rng(0).choice(n_users, min(count, n_users), replace=False)
        return [f"/recommendations/{urllib.parse.quote(user, safe='')}" for user in bundle.catalogue.user_ids(rows)]


def measure_search(bundle_path: Path) -> list[Row]:
    """ScaNN against exact search in NumPy, for the vectors of users."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    from benchmarks.retrieval import milliseconds, numpy_search  # noqa: PLC0415  # not in the server's process
    from recsys.retrieval.index import RECALL_AT  # noqa: PLC0415

    with open_bundle(bundle_path, verify="quick") as bundle:
        two_tower, histories = bundle.two_tower(), bundle.histories
    users = np.flatnonzero(histories.lengths)
    users = np.random.default_rng(0).choice(users, min(SINGLE_SEARCHES, len(users)), replace=False)
    queries = Queries(histories.select(users), users.astype(np.int32), np.zeros(len(users), np.int64))
    embeddings, index = np.array(two_tower.item_embeddings), two_tower.index
    goal = next((("≤", share) for size, share in ((LARGEST, 0.05), (LARGE, 0.20)) if len(embeddings) >= size), None)
    with threadpool_limits(1):
        vectors = two_tower.encode(queries)
        recall = index.measure_recall(embeddings, vectors)
        exact = milliseconds(lambda: [numpy_search(embeddings, one[None], RECALL_AT) for one in vectors], len(users), 5)
        scann = milliseconds(lambda: [index.search(one[None], RECALL_AT) for one in vectors], len(users), 5)
    return [
        Row(f"search for {RECALL_AT}, ScaNN against NumPy, ms", exact, scann, scann / exact, goal),
        Row(f"    recall@{RECALL_AT}", None, recall, None, ("≥", 0.99)),
    ]


# What a profile times: an owner, one of its functions, and what the table calls it. What runs inside another one is
# shown below it.
SPANS: list[tuple[Any, str, str | Callable[..., str]]] = [
    (live.LiveHistories, "of", "histories"),
    (StoreLink, "events_of", "store"),
    (recommender.Recommender, "recommend", "recommender"),
    (TwoTowerRetriever, "encode", "query tower"),
    (TwoTowerRetriever, "search", "ANN search"),
    (ItemToItem, "retrieve", "proposers"),
    (recommender, "union", "union of candidates"),
    (features.CandidateFeatures, "compute", "features"),
    (features.CandidateFeatures, "_pair_scores", lambda *given: f"scores of {type(given[1]).__name__}"),
    *((features, f"_{name}", name) for name in ("gap", "share", "rank", "price", "brand", "category")),
    (head.RatingPredictor, "predict", "ratings"),
    (head.RankingHead, "predict", "rating head (ONNX)"),
    (ranker.CandidateRanker, "score", "ranker"),
    (ranker.RankerModel, "score", "ranker (ONNX)"),
    (service, "lists", "lists"),
    (lists, "_entries", "entries"),
    (Loaded, "cards", "cards"),
]


class Profiler:
    """Seconds of the process's CPU by span, along the path of spans around it."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, ...], float] = defaultdict(float)
        self._path: tuple[str, ...] = ()

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Count the block."""
        outer = self._path
        path = self._path = (*outer, name)
        self.seconds[path] += 0  # in the order of starting
        started = time.process_time()
        try:
            yield
        finally:
            self.seconds[path] += time.process_time() - started
            self._path = outer

    def timed(self, function: Callable[..., Any], name: str | Callable[..., str]) -> Callable[..., Any]:
        """The function, counted."""

        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            with self.span(name if isinstance(name, str) else name(*arguments)):
                return function(*arguments, **named)

        return counted


def profile(bundle: Path, store: str, batch: int, seconds: float) -> tuple[dict[tuple[str, ...], float], float]:
    """Milliseconds of CPU a query, by span, in batches of that size; and candidates rescored of a query.

    Without HTTP and the served log: the CPU of the server in the other table holds those too.
    """
    profiler, random = Profiler(), np.random.default_rng(0)
    candidates: list[float] = []
    server = Server(load_settings(bundle=bundle, store=store, served_log=False, log_level="warning"))
    server.bundles = Bundles(server.settings, server.metrics)  # that starts no indexing for search
    server.service.bundles = server.bundles
    with ExitStack() as stack:
        server.start()
        stack.callback(server.close)
        catalogue = server.bundles.loaded.bundle.catalogue
        users = catalogue.user_ids(np.arange(catalogue.n_users))

        def ask() -> None:
            subjects = [(users[row],) for row in random.integers(len(users), size=batch)]
            requests = [service.RecommendationRequest(Options(), subject) for subject in subjects]
            with profiler.span("all"):
                answers = server.service.recommend(requests)
                with profiler.span("JSON"):
                    for answer in answers:
                        if isinstance(answer, Exception):
                            raise answer
                        encoder.encode(answer[0])

        def measured(limit: float) -> dict[tuple[str, ...], float]:
            profiler.seconds.clear()
            queries, end = 0, time.process_time() + limit
            while time.process_time() < end:
                ask()
                queries += batch
            return {path: 1000 * value / queries for path, value in profiler.seconds.items()}

        measured(seconds / 8)  # warm up
        plain = measured(seconds / 2)["all",]
        for owner, name, label in SPANS:
            stack.enter_context(mock.patch.object(owner, name, profiler.timed(getattr(owner, name), label)))
        union = vars(recommender)["union"]

        def counted(parts: Any) -> Any:
            found = union(parts)
            candidates.append(float((found != NO_ITEM).sum(axis=1).mean()))
            return found

        stack.enter_context(mock.patch.object(recommender, "union", counted))
        spent = measured(seconds)
    return {("all, spans not timed",): plain, **spent}, statistics.mean(candidates)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print on the terminal."""
    from rich.console import Console  # noqa: PLC0415  # not in the server's process
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left")
    for n, column in enumerate(columns):
        table.add_column(column, justify="right" if n else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=max(100, Console().width)).print(table)


def number(value: float | None) -> str:
    """Three digits that count, or all before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def run_profile(bundle: Path, store: str) -> dict[str, Any]:
    """Print where the time goes."""
    spent: dict[int, dict[tuple[str, ...], float]] = {}
    for batch in PROFILED_BATCHES:
        spent[batch], candidates = profile(bundle, store, batch, PROFILE_SECONDS)
    order = {path: n for n, path in enumerate(path for spans in spent.values() for path in spans)}
    # A span that first ran later belongs below the one around it all the same.
    paths = sorted(order, key=lambda path: [order[path[: n + 1]] for n in range(len(path))])
    print_table(
        f"{bundle.name}: CPU of a query, ms; {candidates:.0f} candidates",
        ("", *(f"batch of {batch}" for batch in PROFILED_BATCHES)),
        [
            ("  " * (len(path) - 1) + path[-1], *(f"{spent[batch].get(path, 0):.3f}" for batch in PROFILED_BATCHES))
            for path in paths
        ],
    )
    by_path = {str(batch): {" / ".join(path): value for path, value in spans.items()} for batch, spans in spent.items()}
    return {"cpu_ms_a_query": by_path, "candidates": candidates}


def run_benchmark(
    bundle_path: Path, n_items: int, store: str, arguments: argparse.Namespace
) -> tuple[dict[str, Any], bool]:
    """Print the table of all measures; the figures, and whether every goal was met."""
    load_before = os.getloadavg()
    search = measure_search(bundle_path)
    rows, rounds = measure_server(bundle_path, n_items, arguments, store)
    rows += search
    print_table(
        f"{bundle_path.name}, {n_items:,} items, one worker, {arguments.connections} connections, k = 10",
        ("", "floor or reference", "measured", "ratio", "goal", "met"),
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
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bundle", type=Path, help="saved_model/NAME")
    source.add_argument("--items", type=int, help="generate a bundle of so many items")
    parser.add_argument("--profile", action="store_true", help="where the time of a query goes, and nothing else")
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
            figures = run_profile(path, store)
        else:
            figures, met = run_benchmark(path, n_items, store, arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1), "utf8")
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
