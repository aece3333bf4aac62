"""What a server does before its first answer: CPU from a fresh installation, again with compiled loops on disk.

    python benchmarks/cold_start.py --bundle saved_model/sample

A process starts a server without HTTP, waits until its bundle is served, and ends, first with an empty folder for
compiled code, then with the folder that the first one filled. CPU counts from the start of the process, with its
imports. The second table has every compiled function of the first process: its signatures, and the seconds of CPU that
each took to compile without those that it calls.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where serve.py hides the package `serve`
    sys.path[0] = str(ROOT)

from numba.core import event  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402


class CompileTimes(event.Listener):
    """Seconds of CPU that each function took to compile, without those that it calls.

    Attributes:
        seconds: by name of the function.
        signatures: number of compilations of each.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.signatures: Counter[str] = Counter()
        self._started: list[float] = []
        self._in_callees: list[float] = []

    def on_start(self, event: event.Event) -> None:  # noqa: ARG002
        self._started.append(time.thread_time())
        self._in_callees.append(0.0)

    def on_end(self, event: event.Event) -> None:
        elapsed = time.thread_time() - self._started.pop()
        own = elapsed - self._in_callees.pop()
        if self._in_callees:
            self._in_callees[-1] += elapsed
        function = event.data["dispatcher"].py_func
        name = f"{function.__module__}.{function.__qualname__}"
        self.seconds[name] += own
        self.signatures[name] += 1


def start(bundle: Path) -> dict[str, Any]:
    """Start a server in this process, wait until the bundle is served; what that took."""
    times = CompileTimes()
    event.register("numba:compile", times)
    from serve.server import Server  # noqa: PLC0415 - after the listener, and its imports count
    from serve.settings import load_settings  # noqa: PLC0415

    settings = {"store": "none", "served_log": False, "index_items": False, "log_level": "warning"}
    server = Server(load_settings(bundle=bundle, **settings))
    server.start()
    try:
        server.parts.bundles.first.result()
        cpu_s = time.process_time()
    finally:
        server.close()
    return {"cpu_s": cpu_s, "compile_s": times.seconds, "signatures": times.signatures}


def start_in_process(bundle: Path, cache: Path) -> dict[str, Any]:
    """`start` in a process of its own that keeps compiled code in `cache`; wall-clock seconds too."""
    started = time.perf_counter()
    run = subprocess.run(
        [sys.executable, __file__, "--in-process", "--bundle", str(bundle)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return {**figures, "wall_s": time.perf_counter() - started}


def print_tables(bundle: Path, fresh: dict[str, Any], again: dict[str, Any]) -> None:
    """Print both starts, then the compiled functions, the dearest first."""
    console = Console(width=max(100, Console().width))
    table = Table(title=f"{bundle.name}: until the bundle is served", title_justify="left")
    for heading in ("", "CPU s", "wall s", "functions", "compilations"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, figures in (("nothing compiled yet", fresh), ("compiled loops on disk", again)):
        signatures = figures["signatures"]
        counts = f"{len(signatures)}", f"{sum(signatures.values())}"
        table.add_row(name, f"{figures['cpu_s']:.1f}", f"{figures['wall_s']:.1f}", *counts)
    console.print(table)
    table = Table(title="Compiled functions", title_justify="left")
    for heading in ("function", "signatures", "CPU s"):
        table.add_column(heading, justify="left" if heading == "function" else "right")
    for name, seconds in sorted(fresh["compile_s"].items(), key=lambda entry: -entry[1]):
        table.add_row(name, str(fresh["signatures"][name]), f"{seconds:.2f}")
    console.print(table)


def main() -> None:
    """Start twice and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True, help="saved_model/NAME")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    bundle = arguments.bundle.resolve()
    if arguments.in_process:
        print(json.dumps(start(bundle)))
        return
    with tempfile.TemporaryDirectory() as cache:
        fresh, again = (start_in_process(bundle, Path(cache)) for _ in range(2))
    print_tables(bundle, fresh, again)
    if arguments.json:
        arguments.json.write_text(json.dumps({"fresh": fresh, "again": again}, indent=1), "utf8")


if __name__ == "__main__":
    main()
