"""An event log of 300 million rows, inspected and prepared: seconds, and the peak of memory and of the disk.

    python benchmarks/large_log.py [--rows 300_000_000] [--dir FOLDER] [--kinds parquet csv] [--jobs inspect prepare]
        [--memory 3000]

The log is generated, in the style of a large shop's: one user for 20 events, 200,000 items of which few are popular,
seven months, nine views for each purchase. Each job runs in a process of its own. The peak of memory is that of the
resident set; that of the disk is what the preparation spills beside its result. A CSV of 300 million rows takes 13 GB,
and what is spilled about as much again.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from recsys.config import parse_config
from recsys.prepare.prepare import prepare

MEMORY_MB = 3000
ROWS, CHUNK = 300_000_000, 2_000_000
EVENTS_OF_A_USER, ITEMS = 20, 200_000
FIRST_TIME, SECONDS = 1_569_888_000, 210 * 86_400
TIME, ITEM = "timestamp", "item_id"
TYPES = np.array(["view", "add_to_cart", "purchase"])
KINDS, JOBS = ("parquet", "csv"), ("inspect", "prepare")


def chunks(rows: int) -> Iterator[pa.Table]:
    """The log, ordered by time."""
    rng = np.random.default_rng(0)
    users = max(rows // EVENTS_OF_A_USER, 1)
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        share = (start + np.sort(rng.random(count)) * count) / rows
        yield pa.table(
            {
                TIME: pa.array((FIRST_TIME + share * SECONDS).astype(np.int64)),
                "event_type": pa.array(TYPES[rng.choice(3, count, p=[0.85, 0.05, 0.1])]),
                ITEM: pa.array(1_000_000 + (ITEMS * rng.random(count) ** 3).astype(np.int64)),
                "price": pa.array(np.round(rng.lognormal(3, 1, count), 2)),
                "user_id": pa.array(500_000_000 + (users * rng.random(count) ** 1.5).astype(np.int64)),
            }
        )


def generate(folder: Path, rows: int, kind: str) -> Path:
    """Write the log, unless it is there."""
    path = folder / f"log_{rows}.{kind}"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    schema = next(chunks(1)).schema
    with pq.ParquetWriter(partial, schema) if kind == "parquet" else pa_csv.CSVWriter(partial, schema) as writer:
        for table in track(chunks(rows), f"Writing {path.name}", -(-rows // CHUNK), transient=True):
            writer.write_table(table)
    partial.rename(path)
    return path


def config_of(path: Path, folder: Path, memory_mb: int) -> dict[str, object]:
    """How the log is prepared."""
    return {
        "name": "large_log",
        "synthetic": True,
        "data": {
            "format": "events",
            "interactions": [str(path)],
            "prepared_dir": str(folder),
            "split": {"method": "temporal"},
            "memory_limit_mb": memory_mb,
        },
    }


def run(job: str, path: Path, folder: Path, memory_mb: int) -> None:
    """Do a job in this process, and print the peak of its memory in MB."""
    if job == "inspect":
        from recsys.cli.app import app  # noqa: PLC0415 - as a user calls it, in a process of its own

        app(["inspect", str(path)], standalone_mode=False)
    else:
        prepare(parse_config(config_of(path, folder, memory_mb), "the benchmark"))
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf8").splitlines())
    print(f"\n{int(status['VmHWM'].split()[0]) / 1024:.0f}")


def measure(job: str, path: Path, folder: Path, memory_mb: int) -> tuple[float, float, float, float]:
    """Seconds, seconds of CPU, peak MB of memory and peak GB of disk of a job."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, __file__, "--run", job, str(path), str(folder), "--memory", str(memory_mb)]
    used = _cpu_of_children()
    start, most, ended = time.perf_counter(), [0], threading.Event()

    def watch() -> None:
        while not ended.wait(1):
            most[0] = max(most[0], _bytes_below(folder))

    threading.Thread(target=watch, daemon=True).start()
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    seconds, cpu = time.perf_counter() - start, _cpu_of_children() - used
    ended.set()
    if result.returncode:
        raise SystemExit(f"{job} of {path} failed\n{result.stdout}")
    return seconds, cpu, float(result.stdout.split()[-1]), most[0] / 1e9


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # removed meanwhile
            continue
    return total


def main() -> None:
    """Generate, run the jobs, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "recsys-benchmark-large-log")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    parser.add_argument("--memory", type=int, default=MEMORY_MB, help="data.memory_limit_mb of the preparation")
    parser.add_argument("--run", nargs=3, metavar=("JOB", "LOG", "OUT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        run(args.run[0], Path(args.run[1]), Path(args.run[2]), args.memory)
        return
    console = Console()
    table = Table(title=f"A generated log of {args.rows:,} rows")
    for heading in ("file", "GB", "job", "seconds", "CPU s", "peak MB", "peak GB on disk"):
        table.add_column(heading, justify="right")
    for kind in args.kinds:
        path = generate(args.dir, args.rows, kind)
        for job in args.jobs:
            with console.status(f"{job} {path.name}"):
                seconds, cpu, memory, disk = measure(job, path, args.dir / f"out_{kind}", args.memory)
            size = f"{path.stat().st_size / 1e9:.1f}"
            table.add_row(path.name, size, job, f"{seconds:.1f}", f"{cpu:.1f}", f"{memory:,.0f}", f"{disk:.1f}")
            shutil.rmtree(args.dir / f"out_{kind}", ignore_errors=True)
    console.print(table)


if __name__ == "__main__":
    main()
