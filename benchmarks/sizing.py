"""What a server takes: memory of each worker, and processor time of each answer.

    python benchmarks/sizing.py saved_model/sample data/generated/generated-65000

Each bundle is served by two workers with a store in a temporary folder, every other user has recent events, and 1,024
users are asked for in turn; search is left empty. Memory is read after the load: what a worker has for itself alone
(private), and with it its part of what it shares (PSS, as the kernel counts), and PSS of all processes together, which
is what a container takes. CPU is that of all processes; it includes the store. On a busy machine `--seconds 1 --rounds
1` tells the memory, and no more.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where serve.py hides the package `serve`
    sys.path[0] = str(ROOT)

import psutil  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.serve_process import fill_store, user_paths  # noqa: E402
from recsys.bundle import open_bundle  # noqa: E402

WORKERS, READY_S = 2, 600.0
SHOWN = {"Rss", "Pss", "Private_Clean", "Private_Dirty", "Anonymous"}


def memory(process: psutil.Process) -> dict[str, float]:
    """Megabytes of a process, as /proc/PID/smaps_rollup counts them."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    found = {name: int(kilobytes) * 1024 / 1e6 for name, kilobytes in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    return {name: found[name] for name in SHOWN}


def measure(bundle: Path, connections: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Serve a bundle, load it, and read what it took."""
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/store.sqlite"
        with open_bundle(bundle, verify="quick") as opened:
            fill_store(store, opened)
            items, users = opened.n_items, opened.catalogue.n_users
        command = ["-m", "serve", "--bundle", str(bundle), "--store", store, "--port", "0"]
        settings = [
            "--workers",
            str(WORKERS),
            "--scoring-threads",
            "1",
            "--log-level",
            "warning",
            "--index-items",
            "false",
        ]
        server = subprocess.Popen(
            [sys.executable, *command, *settings],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            url = re.findall(r"http://[\d.:]+", server.stdout.readline())[0]
            _wait_for_all(url)
            root = psutil.Process(server.pid)
            urls = [url + path for path in user_paths(bundle, 1024)]
            loads = []
            for _ in range(rounds + 1):  # the first one warms up
                before = _cpu_s(root)
                answered = _load(urls, connections, seconds)
                loads.append({**answered, "cpu_ms": 1000 * (_cpu_s(root) - before) / answered["answers"]})
            workers = [memory(worker) for worker in _workers(root)]
            together = sum(memory(process)["Pss"] for process in (root, *root.children(recursive=True)))
        finally:
            server.terminate()
            server.wait()
    return {
        "bundle": bundle.name,
        "items": items,
        "users": users,
        "loads": loads[1:],
        "workers": workers,
        "pss_of_all_mb": together,
    }


def _wait_for_all(url: str) -> None:
    """Wait until every worker serves the bundle, for longer than a machine takes that has much else to do."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        with suppress(urllib.error.URLError):
            text = urllib.request.urlopen(f"{url}/metrics", timeout=READY_S).read().decode()
            if re.search(rf"^recsys_bundle_workers{{.*}} {WORKERS}\.0$", text, re.M):
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not become ready")


def _load(urls: list[str], connections: int, seconds: float) -> dict[str, Any]:
    command = ["benchmarks/http_load.py", *urls, "--seconds", str(seconds), f"--connections={connections}"]
    run = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True, cwd=ROOT)
    answered: dict[str, Any] = json.loads(run.stdout)
    return answered


def _workers(root: psutil.Process) -> list[psutil.Process]:
    """Those that serve: forked from the one process that was started to fork them."""
    forking = [child for child in root.children() if "multiprocessing.forkserver" in " ".join(child.cmdline())]
    return [child for parent in forking for child in parent.children() if child.status() != psutil.STATUS_ZOMBIE]


def _cpu_s(root: psutil.Process) -> float:
    times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def table(measured: list[dict[str, Any]]) -> Table:
    """A line for each bundle; of rounds the least CPU, since other work of the machine only adds to it."""
    shown = Table(title=f"{WORKERS} workers, scoring_threads=1")
    for title in ("items", "users", "CPU ms an answer", "answers/s", "RSS", "private", "PSS", "PSS of all, MB"):
        shown.add_column(title, justify="right")
    for one in measured:
        least = min(one["loads"], key=lambda load: load["cpu_ms"])
        worker = max(one["workers"], key=lambda memory: memory["Pss"])
        shown.add_row(
            f"{one['items']:,}",
            f"{one['users']:,}",
            f"{least['cpu_ms']:.2f}",
            f"{least['requests_per_s']:.0f}",
            f"{worker['Rss']:.0f}",
            f"{worker['Private_Clean'] + worker['Private_Dirty']:.0f}",
            f"{worker['Pss']:.0f}",
            f"{one['pss_of_all_mb']:.0f}",
        )
    return shown


def main() -> None:
    """Measure every bundle and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=Path, help="saved_model/NAME")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures")
    given = parser.parse_args()
    measured = [measure(bundle, given.connections, given.seconds, given.rounds) for bundle in given.bundles]
    Console(width=120).print(table(measured))
    if given.json:
        given.json.write_text(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
