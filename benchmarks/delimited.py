"""How long reading an event log in CSV takes, beside pyarrow and polars, in one run and in turns.

    python benchmarks/delimited.py [--rows 1000000] [--rounds 5] [--dir FOLDER]

The synthetic logs have user, item, event type, time and price: plain; with all fields in quotes; with a payload of
doubled quotes; and with a stray quote in one line of a hundred, where the others lose rows or stop. All make columns of
strings in one thread; this package hashes the file and accounts for its lines as well. Best of the rounds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is imported

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from recsys.prepare.formats.delimited import DelimitedRows
from recsys.prepare.formats.files import open_file

COLUMNS = ("user_id", "item_id", "event_type", "timestamp", "price")
BLOCK_BYTES = 1 << 22
KINDS: dict[str, Callable[[int, str, str, str, str, str], str]] = {
    "plain": lambda _, *fields: ",".join(fields),
    "quoted": lambda _, *fields: '"' + '","'.join(fields) + '"',
    "payload": lambda _, *fields: ",".join(fields) + ',"{""a"":1}"',
    "stray": lambda row, *fields: ",".join(fields) + (',"19 inch' if row % 100 == 0 else ",note"),
}


def generate(folder: Path, rows: int) -> dict[str, Path]:
    """Write a log of each kind, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    users = rng.integers(0, rows // 5 + 1, rows).tolist()
    items = rng.integers(0, rows // 20 + 1, rows).tolist()
    types = rng.choice(["view", "click", "purchase"], rows).tolist()
    times = rng.integers(1_500_000_000, 1_600_000_000, rows).tolist()
    prices = rng.integers(100, 10_000, rows).tolist()
    paths = {}
    for kind, line in KINDS.items():
        path = paths[kind] = folder / f"{kind}_{rows}.csv"
        if path.exists():
            continue
        header = ",".join(COLUMNS) + {"payload": ",payload", "stray": ",note"}.get(kind, "")
        lines = (
            line(row, f"U{user}", f"I{item:07}", event, str(at), f"{cents / 100:.2f}")
            for row, (user, item, event, at, cents) in enumerate(zip(users, items, types, times, prices, strict=True))
        )
        partial = path.with_suffix(".partial")
        partial.write_text("\n".join([header, *lines]) + "\n", "ascii")
        partial.rename(path)
    return paths


def run_recsys(path: Path) -> int:
    """Read with this package; returns the number of rows."""
    rows = DelimitedRows(open_file(path, "interactions"))
    for batch in rows.read({name: name for name in COLUMNS}, False, lambda _: None):
        rows.account(batch)
    return rows.count


def run_pyarrow(path: Path) -> int:
    """Read with Arrow's reader, block by block."""
    reader = pa_csv.open_csv(
        path,
        pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        pa_csv.ParseOptions(newlines_in_values=True),
        pa_csv.ConvertOptions(
            include_columns=list(COLUMNS), column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True
        ),
    )
    return sum(batch.num_rows for batch in reader)


def run_polars(path: Path) -> int:
    """Read with polars, whole."""
    return pl.read_csv(path, columns=list(COLUMNS), infer_schema=False).height


def measure(run: Callable[[Path], int], path: Path) -> tuple[float, str]:
    """Seconds, and the number of rows or why there are none."""
    start = time.perf_counter()
    try:
        rows = f"{run(path):,}"
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        rows = type(error).__name__
    return time.perf_counter() - start, rows


def main() -> None:
    """Generate, read in turns, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "recsys-benchmark-delimited")
    args = parser.parse_args()
    jobs = {"recsys": run_recsys, "pyarrow": run_pyarrow, "polars": run_polars}
    table = Table(title=f"{args.rows:,} rows (synthetic), best of {args.rounds} rounds")
    for heading in ("log", "reader", "seconds", "recsys takes", "rows"):
        table.add_column(heading, justify="left" if heading in ("log", "reader") else "right")
    for kind, path in generate(args.dir, args.rows).items():
        rounds = [{job: measure(run, path) for job, run in jobs.items()} for _ in range(args.rounds)]
        seconds = {job: min(each[job][0] for each in rounds) for job in jobs}
        for job in jobs:
            ratio = "" if job == "recsys" else f"{seconds['recsys'] / seconds[job]:.1f} ×"
            table.add_row(kind, job, f"{seconds[job]:.2f}", ratio, rounds[0][job][1], end_section=job == "polars")
    Console().print(table)


if __name__ == "__main__":
    main()
