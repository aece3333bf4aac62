"""The raw files of the synthetic shop, with dirty lines like those of real files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np

from recsys.prepare.sample.purchases import simulate
from recsys.prepare.sample.records import Record, metadata_record, review_records
from recsys.prepare.sample.shop import make_items

REVIEWS_FILE = "reviews_sample.json.gz"
METADATA_FILE = "meta_sample.json.gz"


def write_sample(
    folder: Path | str, seed: int = 0, n_users: int = 2000, n_items: int = 1000, n_reviews: int = 20000
) -> tuple[Path, Path]:
    """Write `reviews_sample.json.gz` and `meta_sample.json.gz` into `folder`; equal arguments give equal bytes.

    Args:
        folder: made if missing.
        seed: of everything random.
        n_users: of the shop.
        n_items: of the shop; some have no review or no metadata, others have metadata alone.
        n_reviews: distinct (user, item) pairs; the file has about 1% more lines, repeated or damaged ones.

    Returns:
        The paths of the reviews and of the metadata.
    """
    rng = np.random.default_rng(seed)
    shop = make_items(rng, seed, n_items)
    popularity = rng.normal(0, 0.9, n_items)
    purchases, taste = simulate(rng, shop, popularity, n_users, n_reviews)
    reviews = review_records(rng, seed, shop, purchases, taste, n_users)
    without_metadata = set(rng.choice(n_items, n_items // 100, replace=False).tolist())
    never_sold = make_items(rng, seed + 1_000_003, n_items // 33)
    metadata = [metadata_record(rng, shop, i) for i in range(n_items) if i not in without_metadata]
    metadata += [metadata_record(rng, never_sold, i) for i in range(len(never_sold))]
    metadata.sort(key=lambda record: str(record["asin"]))

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / REVIEWS_FILE, folder / METADATA_FILE
    write_gzip(paths[0], _with_dirty_reviews(rng, reviews))
    write_gzip(paths[1], _with_dirty_metadata(rng, metadata))
    return paths


def _with_dirty_reviews(rng: np.random.Generator, reviews: list[Record]) -> list[bytes]:
    """The lines of the file: reviews, 1% repeated or revised ones, and about 0.3% bad lines at random positions."""
    lines = [_line(review) for review in reviews]

    def some(share: float) -> list[Record]:
        return [reviews[i] for i in rng.choice(len(reviews), int(share * len(reviews)), replace=False)]

    extra = [_line(review) for review in some(0.006)]  # repeated as they are
    extra += [
        _line({**review, "overall": 3.0, "unixReviewTime": review["unixReviewTime"] + 86400}) for review in some(0.004)
    ]
    extra += [_line(review)[: int(rng.integers(10, 60))] for review in some(0.001)]  # cut off
    extra += [_line({**review, "overall": float(rng.choice([0.0, 7.0]))}) for review in some(0.0005)]
    extra += [_line({k: v for k, v in review.items() if k != "reviewerID"}) for review in some(0.0005)]
    extra += [_line({**review, "unixReviewTime": "yesterday"}) for review in some(0.0003)]
    extra += [_line(review).replace(b'"reviewText": "', b'"reviewText": "\xff\xfe') for review in some(0.0003)]
    return _insert(rng, lines, extra)


def _with_dirty_metadata(rng: np.random.Generator, metadata: list[Record]) -> list[bytes]:
    """The lines of the file: metadata, 2% repeated, and about 0.5% bad lines at random positions."""

    def some(share: float) -> list[Record]:
        return [metadata[i] for i in rng.choice(len(metadata), int(share * len(metadata)), replace=False)]

    extra = [_line(record) for record in some(0.02)]
    extra += [_line(record)[:50] for record in some(0.003)]
    extra += [_line({k: v for k, v in record.items() if k != "asin"}) for record in some(0.002)]
    return _insert(rng, [_line(record) for record in metadata], extra)


def _insert(rng: np.random.Generator, lines: list[bytes], extra: list[bytes]) -> list[bytes]:
    for line in extra:
        lines.insert(int(rng.integers(len(lines) + 1)), line)
    return lines


def _line(record: Record) -> bytes:
    return json.dumps(record).encode()


def read_lines(path: Path) -> list[bytes]:
    """The lines of a file that `write_gzip` wrote."""
    return gzip.decompress(path.read_bytes()).splitlines()


def write_gzip(path: Path, lines: list[bytes]) -> None:
    """Write lines; equal ones give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        file.write(b"\n".join(lines) + b"\n")
