"""How long preparing a file of the full CDs_and_Vinyl size takes, beside a floor and pandas, in one run.

    python benchmarks/prepare.py [--scale 0.1] [--dir FOLDER] [--jobs floor recsys]

The synthetic files have 4.5M reviews and 0.5M metadata lines at scale 1, in the raw 2018 format, gzip'd. The floor is
decompressing (isal) and parsing (msgspec, only the fields that matter) in one thread, with nothing done to the rows.
pandas reads the same files in chunks and does the same job: latest of each pair, k-core, cleaning, split, Parquet.
Each runs in a process of its own; the seconds are those of the job, without Python's start and imports; memory is the
peak of the resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
from isal import igzip
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from recsys.config import parse_config
from recsys.core import item_texts
from recsys.prepare.prepare import prepare
from recsys.prepare.prices import item_price

REVIEWS, METADATA = 4_500_000, 500_000
BUYERS, KEEN_BUYERS, ITEMS = 1_900_000, 110_000, 430_000
K = 5
JOBS = ("floor", "pandas", "recsys")
LINES_A_WRITE = 20_000


def generate(folder: Path, scale: float) -> tuple[Path, Path]:
    """Write the reviews and the metadata, unless they are there."""
    paths = folder / f"reviews_{scale:g}.json.gz", folder / f"meta_{scale:g}.json.gz"
    if paths[1].exists():  # written last
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    texts = _texts(rng)
    count, keen, buyers = int(REVIEWS * scale), int(KEEN_BUYERS * scale), int(BUYERS * scale)
    # Two fifths of the reviews are of keen buyers; popularity falls off as a power; files are grouped by item.
    users = np.where(rng.random(count) < 0.4, rng.integers(0, keen, count), rng.integers(keen, buyers, count))
    items = np.sort((ITEMS * scale * rng.random(count) ** 3).astype(np.int64))
    words = rng.integers(0, len(texts), count)
    stars = rng.choice(5, count, p=[0.05, 0.04, 0.07, 0.15, 0.69]) + 1
    days = rng.integers(10_000, 17_800, count)
    item_ids = [f"B{code:09d}" for code in _distinct_codes(rng, int(METADATA * scale))]

    def review(row: int) -> str:
        text = texts[words[row]]
        return (
            f'{{"overall": {stars[row]}.0, "vote": "3", "verified": true, "reviewTime": "09 1, 2016", '
            f'"reviewerID": "A{users[row] * 7919 % 9_999_991:013d}", "asin": "{item_ids[items[row]]}", '
            f'"style": {{"Format:": " Audio CD"}}, "reviewerName": "{text[:12]}", "reviewText": "{text}", '
            f'"summary": "{text[20:50]}", "unixReviewTime": {days[row] * 86400}}}'
        )

    def record(row: int) -> str:
        text = texts[row % len(texts)]
        record = {
            "category": ["CDs &amp; Vinyl", text[:8], text[10:24]],
            "description": [f"<p>{text}</p>", texts[(row * 31) % len(texts)]],
            "title": f"{text[30:60]} &amp; {text[5:20]}",
            "also_buy": item_ids[row : row + 12],
            "brand": texts[row % 5000][:14],
            "rank": f"{row:,} in CDs & Vinyl (",
            "also_view": item_ids[row + 20 : row + 30],
            "main_cat": "CDs & Vinyl",
            "price": f"${5 + row % 40}.99",
            "asin": item_ids[row],
            "imageURLHighRes": [f"https://images.example/I/{item_ids[row]}.jpg"],
        }
        return json.dumps(record)

    _write(paths[0], count, review)
    _write(paths[1], len(item_ids), record)
    return paths


def _texts(rng: np.random.Generator) -> list[str]:
    """Word salads of the lengths of reviews: about 300 characters on average, some long."""
    syllables = ["ba", "co", "di", "fe", "gu", "la", "mo", "ne", "pi", "ro", "sa", "tu", "ver", "win", "xan", "zel"]
    words = ["".join(rng.choice(syllables, rng.integers(1, 5))) for _ in range(8000)]
    lengths = np.clip(rng.lognormal(3.5, 0.8, 20_000), 15, 800).astype(int)
    return [" ".join(words[i] for i in rng.integers(0, len(words), length)) for length in lengths]


def _distinct_codes(rng: np.random.Generator, count: int) -> list[int]:
    codes = np.unique(rng.integers(0, 10**9, int(count * 1.01) + 10))
    return [int(code) for code in rng.permutation(codes)[:count]]


def _write(path: Path, count: int, line: Callable[[int], str]) -> None:
    partial = path.with_suffix(".partial")
    with igzip.open(partial, "wt", compresslevel=1, encoding="ascii") as file:
        for start in track(range(0, count, LINES_A_WRITE), f"Writing {path.name}", transient=True):
            file.write("\n".join(map(line, range(start, min(start + LINES_A_WRITE, count)))) + "\n")
    partial.rename(path)


class Review(msgspec.Struct, gc=False):
    """What the job needs of a review."""

    reviewerID: str  # noqa: N815
    asin: str
    unixReviewTime: int  # noqa: N815
    overall: float | None = None


class Record(msgspec.Struct, gc=False):
    """What the job needs of a metadata line."""

    asin: str
    title: str | None = None
    brand: str | None = None
    category: list[str] | None = None
    price: str | None = None
    description: list[str] | None = None
    imageURLHighRes: list[str] | None = None  # noqa: N815


def run_floor(reviews: Path, metadata: Path, _folder: Path) -> None:
    """Decompress and parse, one thread."""
    for path, kind in ((reviews, Review), (metadata, Record)):
        decoder = msgspec.json.Decoder(kind)
        with igzip.open(path, "rb") as file:
            rest = b""
            while data := file.read(1 << 20):
                end = data.rfind(b"\n") + 1
                decoder.decode_lines(rest + data[:end])
                rest = data[end:]


def run_recsys(reviews: Path, metadata: Path, folder: Path) -> None:
    """Prepare with this package and its defaults."""
    data = {
        "format": "amazon_2018",
        "interactions": [str(reviews)],
        "metadata": [str(metadata)],
        "prepared_dir": str(folder),
        "k_core_users": K,
        "k_core_items": K,
    }
    path = prepare(parse_config({"name": "benchmark", "synthetic": True, "data": data}, "the benchmark"))
    _print_counts(pd.read_parquet(path / "interactions.parquet"))


def run_pandas(reviews: Path, metadata: Path, folder: Path) -> None:
    """The same job as plain pandas code, in chunks."""
    log = pd.concat(
        chunk[["reviewerID", "asin", "unixReviewTime", "overall"]] for chunk in _chunks(reviews)
    ).reset_index(drop=True)
    log = log.sort_values("unixReviewTime", kind="stable").drop_duplicates(["reviewerID", "asin"], keep="last")
    before = -1
    while len(log) != before:
        before = len(log)
        for column in ("reviewerID", "asin"):
            log = log[log.groupby(column)[column].transform("size") >= K]
    kept = set(log["asin"])
    catalogue = pd.concat(_clean(chunk[chunk["asin"].isin(kept)]) for chunk in _chunks(metadata))
    catalogue = pd.DataFrame({"asin": sorted(kept)}).merge(catalogue.drop_duplicates("asin"), "left", "asin")
    log["user"] = log["reviewerID"].astype("category").cat.codes
    log["item"] = log["asin"].astype("category").cat.codes
    log = log.sort_values(["user", "unixReviewTime"], kind="stable")
    back = log.groupby("user").cumcount(ascending=False)
    log["split"] = np.select([back == 0, back == 1], ["test", "validation"], "train")
    folder.mkdir(parents=True, exist_ok=True)
    log[["user", "item", "unixReviewTime", "overall", "split"]].to_parquet(folder / "interactions.parquet")
    log[["user", "reviewerID"]].drop_duplicates().to_parquet(folder / "users.parquet")
    catalogue.to_parquet(folder / "items.parquet")
    _print_counts(log)


def _chunks(path: Path) -> Iterator[pd.DataFrame]:
    return iter(pd.read_json(path, lines=True, chunksize=100_000, dtype=False))


def _amount(raw: str | float | None) -> float | None:
    try:
        price = item_price(raw)
    except ValueError:
        return None
    return price.amount if price else None


def _clean(chunk: pd.DataFrame) -> pd.DataFrame:
    clean = pd.DataFrame({"asin": chunk["asin"]})
    clean["title"] = chunk["title"].fillna("").map(item_texts.clean_text)
    clean["brand"] = chunk["brand"].fillna("").map(item_texts.clean_text)
    clean["categories"] = chunk["category"].map(item_texts.clean_all)
    clean["description"] = chunk["description"].map(lambda texts: " ".join(item_texts.clean_all(texts)))
    clean["price"] = chunk["price"].map(_amount)
    clean["image"] = chunk["imageURLHighRes"].map(lambda urls: urls[0] if urls else "")
    columns = (clean["title"], clean["brand"], clean["categories"], clean["description"])
    clean["text"] = [item_texts.item_text(*fields, 2000) for fields in zip(*columns, strict=True)]
    return clean


def _print_counts(log: pd.DataFrame) -> None:
    counts = [log["user"].nunique(), log["item"].nunique(), len(log), *log["split"].value_counts().sort_index()]
    print(json.dumps([int(count) for count in counts]))


def measure(job: str, reviews: Path, metadata: Path, folder: Path) -> tuple[float, float, float, str]:
    """Run a job in a process of its own: seconds, CPU seconds, peak MB, last line it printed."""
    command = [sys.executable, __file__, "--run", job, str(reviews), str(metadata), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{job} failed\n{output}")
    *_, counts, seconds = ["", *output.strip().splitlines()]
    return float(seconds), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, counts.strip("[]")


def main() -> None:
    """Generate, run the jobs, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "recsys-benchmark-prepare")
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    parser.add_argument("--run", nargs=4, metavar=("JOB", "REVIEWS", "METADATA", "OUT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        job, *paths = args.run
        start = time.perf_counter()
        {"floor": run_floor, "pandas": run_pandas, "recsys": run_recsys}[job](*map(Path, paths))
        print(f"\n{time.perf_counter() - start:.3f}")
        return
    console = Console()
    reviews, metadata = generate(args.dir, args.scale)
    table = Table(title=f"{REVIEWS * args.scale:,.0f} reviews, {METADATA * args.scale:,.0f} metadata lines (synthetic)")
    for heading in (
        "job",
        "seconds",
        "× floor",
        "CPU seconds",
        "peak MB",
        "users, items, interactions (test, train, validation)",
    ):
        table.add_column(heading, justify="right")
    floor = None
    for job in args.jobs:
        with console.status(job):
            seconds, cpu, peak, counts = measure(job, reviews, metadata, args.dir / f"out_{job}")
        floor = seconds if job == "floor" else floor
        ratio = f"{seconds / floor:.2f}" if floor else ""
        table.add_row(job, f"{seconds:.1f}", ratio, f"{cpu:.1f}", f"{peak:,.0f}", counts)
    console.print(table)


if __name__ == "__main__":
    main()
