"""Throughput and latency of the recommendation server, beside a floor measured in the same run.

    python benchmarks/serve.py --bundle saved_model/sample
    python benchmarks/serve.py --items 65000

One worker, asked by another process over kept connections in a closed loop (benchmarks/http_load.py), for users drawn
from the bundle. The floor is a route of the same app that returns a constant answer of the same size: no
recommender in this framework can be faster. Rounds alternate between the two, and medians are printed.
`--items` generates a bundle whose query tower is a mean, not a transformer: it shows how the rest scales.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A script's own folder comes first in its path, where this file would hide the package `serve`.
ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from fastapi import FastAPI, Response  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from recsys.bundle import open_bundle  # noqa: E402
from serve.app import create_app  # noqa: E402
from serve.service import RecommendationRequest  # noqa: E402

FLOOR = "/floor"
START_TIMEOUT_S = 60


def create_benchmark_app() -> FastAPI:
    """The server with the floor route in addition."""
    app = create_app()
    body = b""

    @app.get(FLOOR)
    async def floor() -> Response:
        nonlocal body
        if not body:
            user_id = app.state.service.loaded.bundle.catalogue.user_ids([0])[0]
            request = RecommendationRequest(user_id, k=10, exclude_seen=True)
            body = app.state.service.recommend([request])[0].model_dump_json().encode()
        return Response(body, media_type="application/json")

    return app


@contextmanager
def running_server(bundle: Path, options: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """Start one worker; its URL, its process and the seconds until it was ready."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = ["-m", "uvicorn", "benchmarks.serve:create_benchmark_app", "--factory", "--port", str(port)]
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, *command, "--no-access-log", "--log-level", "warning"],
        env={**os.environ, "RECSYS_BUNDLE": str(bundle.resolve()), **options},
        cwd=ROOT,
    )
    try:
        wait_until_ready(url, server)
        yield url, server, time.perf_counter() - started
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


def load(urls: list[str], connections: int, seconds: float) -> dict[str, Any]:
    """Figures of one run of the load generator."""
    command = ["benchmarks/http_load.py", *urls, "--connections", str(connections), "--seconds", str(seconds)]
    output = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    figures: dict[str, Any] = json.loads(output)
    if set(figures["statuses"]) != {"200"} or figures["lost_connections"]:
        raise RuntimeError(f"not every request was answered: {figures}")
    return figures


def user_paths(bundle_path: Path, count: int) -> list[str]:
    """Request paths for users drawn with a seed."""
    with open_bundle(bundle_path, verify="quick") as bundle:
        n_users = bundle.catalogue.n_users
        rows = np.random.default_rng(0).choice(n_users, min(count, n_users), replace=False)
        return [f"/recommendations/{urllib.parse.quote(user, safe='')}" for user in bundle.catalogue.user_ids(rows)]


def generated_bundle(folder: Path, items: int) -> Path:
    """A bundle of the tests' factory with 64 dimensions."""
    from tests.bundle_factory import make_bundle  # noqa: PLC0415  # needs packages that a server has not

    return make_bundle(folder, n_items=items, n_users=5000, dim=64, name=f"generated-{items}")


def measure(bundle: Path, arguments: argparse.Namespace, console: Console) -> None:
    """Run the rounds and print the table."""
    paths = user_paths(bundle, arguments.users)
    runs: dict[str, list[dict[str, Any]]] = {"floor": [], "recommendations": []}
    with running_server(bundle, {"RECSYS_MAX_BATCH": str(arguments.max_batch)}) as (url, server, ready_s):
        memory_ready = psutil.Process(server.pid).memory_info().rss
        targets = {"floor": [url + FLOOR], "recommendations": [url + path for path in paths]}
        for urls in targets.values():
            load(urls, arguments.connections, 1)  # warm up
        for _ in range(arguments.rounds):
            for name, urls in targets.items():
                runs[name].append(load(urls, arguments.connections, arguments.seconds))
        memory_after = psutil.Process(server.pid).memory_info().rss
    table = Table(title=f"{bundle.name}, one worker, {arguments.connections} connections, k = 10")
    for column in ("route", "requests/s", "p50 ms", "p99 ms", "bytes", "of the floor"):
        table.add_column(column, justify="left" if column == "route" else "right")
    floor_rate = median(runs["floor"], "requests_per_s")
    for name, figures in runs.items():
        rate, p50, p99, size = (median(figures, key) for key in ("requests_per_s", "p50_ms", "p99_ms", "bytes"))
        table.add_row(name, f"{rate:.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{size:.0f}", f"{rate / floor_rate:.2f}")
    console.print(table)
    console.print(
        f"Ready after {ready_s:.2f} s; memory {memory_ready / 1e6:.0f} MB ready, {memory_after / 1e6:.0f} MB after."
    )


def median(figures: list[dict[str, Any]], key: str) -> float:
    """Median over the rounds."""
    return statistics.median(figure[key] for figure in figures)


def main() -> None:
    """Measure the bundle named, or a generated one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bundle", type=Path, help="saved_model/NAME")
    source.add_argument("--items", type=int, help="generate a bundle with so many items")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--users", type=int, default=1000, help="distinct users asked for")
    parser.add_argument("--max-batch", type=int, default=32, help="see RECSYS_MAX_BATCH")
    arguments = parser.parse_args()
    console = Console()
    if arguments.bundle:
        measure(arguments.bundle, arguments, console)
        return
    with tempfile.TemporaryDirectory() as folder:
        with console.status(f"Generating a bundle of {arguments.items} items"):
            bundle = generated_bundle(Path(folder), arguments.items)
        measure(bundle, arguments, console)


if __name__ == "__main__":
    main()
