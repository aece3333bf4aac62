import gzip
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from recsys.prepare.sample import write_sample
from recsys.prepare.sample.words import BRANDS, BRANDS_PER_HOBBY, HOBBIES, SELLERS

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], list[bytes]]:
    """Lines of the reviews and of the metadata, at full size."""
    reviews, metadata = write_sample(tmp_path_factory.mktemp("sample"))
    return gzip.decompress(reviews.read_bytes()).splitlines(), gzip.decompress(metadata.read_bytes()).splitlines()


def parsed(lines: list[bytes]) -> list[dict[str, Any]]:
    records = []
    for line in lines:
        try:
            records.append(json.loads(line))
        except (json.JSONDecodeError, UnicodeDecodeError):
            continue
    return records


def sound(lines: list[bytes]) -> list[dict[str, Any]]:
    return [
        record
        for record in parsed(lines)
        if record.get("reviewerID") and 1 <= record["overall"] <= 5 and isinstance(record["unixReviewTime"], int)
    ]


def test_equal_seeds_give_equal_bytes_in_any_process(tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a", seed=3, n_users=50, n_items=40, n_reviews=400)
    command = [sys.executable, "-m", "recsys", "sample", str(tmp_path / "b"), "--seed", "3"]
    size = ["--users", "50", "--items", "40", "--reviews", "400"]
    subprocess.run([*command, *size], cwd=ROOT, check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    other = write_sample(tmp_path / "c", seed=4, n_users=50, n_items=40, n_reviews=400)
    for path, different in zip(first, other, strict=True):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
        assert path.read_bytes() != different.read_bytes()


def test_reviews_have_the_raw_2018_fields(sample: tuple[list[bytes], list[bytes]]) -> None:
    reviews = sound(sample[0])
    required = {
        "overall", "verified", "reviewTime", "reviewerID", "asin", "reviewerName", "reviewText", "summary",
        "unixReviewTime",
    }  # fmt: skip
    assert all(required <= set(review) <= required | {"vote", "style"} for review in reviews)
    assert all(review["unixReviewTime"] % 86400 == 0 for review in reviews)
    assert all(len(review["reviewerID"]) == 14 and len(review["asin"]) == 10 for review in reviews)
    asins = [review["asin"] for review in reviews]
    assert sum(a == b for a, b in itertools.pairwise(asins)) > 0.8 * len(asins)  # grouped by item


def test_metadata_has_the_raw_2018_fields(sample: tuple[list[bytes], list[bytes]]) -> None:
    records = parsed(sample[1])
    fields = {"category", "description", "title", "brand", "price", "asin", "main_cat", "feature", "also_buy", "rank"}
    assert all(fields - {"asin"} <= set(record) for record in records)
    assert all(len(record["category"]) == 3 for record in records)
    assert sum("&amp;" in record["title"] for record in records) > 20
    assert sum("<span" in record["title"] for record in records) > 5
    assert sum(" - $" in record["price"] for record in records) > 20


def test_metadata_has_what_rules_may_read(sample: tuple[list[bytes], list[bytes]]) -> None:
    records = parsed(sample[1])
    stocks = [record["stock"] for record in records]
    assert {type(stock) for stock in stocks} == {int, str}
    assert 0.03 < sum(stock == 0 for stock in stocks) / len(stocks) < 0.09
    assert 0.02 < stocks.count("") / len(stocks) < 0.06
    sellers = Counter(record["seller"] for record in records)
    assert set(sellers) == set(SELLERS)
    assert 0.45 < sellers["Hobby Shop"] / len(records) < 0.55
    assert 0.15 < sum(record["organic"] for record in records) / len(records) < 0.25


def test_size_and_dirt(sample: tuple[list[bytes], list[bytes]]) -> None:
    reviews, metadata = sample
    good = sound(reviews)
    pairs = Counter((review["reviewerID"], review["asin"]) for review in good)
    assert len(pairs) == 20_000
    assert len({user for user, _ in pairs}) == 2000
    assert 900 < len({item for _, item in pairs}) <= 1000
    assert len(good) - len(pairs) == 200
    assert 20 < len(reviews) - len(good) < 0.01 * len(reviews)
    assert 0 < len(metadata) - len([r for r in parsed(metadata) if "asin" in r]) < 0.01 * len(metadata)
    described = {record.get("asin") for record in parsed(metadata)}
    sold = {item for _, item in pairs}
    assert sold - described
    assert described - sold


def test_popularity_is_skewed_and_ratings_vary(sample: tuple[list[bytes], list[bytes]]) -> None:
    good = sound(sample[0])
    counts = sorted(Counter(review["asin"] for review in good).values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.2 * sum(counts)
    stars = Counter(review["overall"] for review in good)
    assert set(stars) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert stars[4.0] > stars[2.0]


def test_purchases_follow_the_order_of_kinds(sample: tuple[list[bytes], list[bytes]]) -> None:
    kind_of = {record["asin"]: record["category"][-1] for record in parsed(sample[1]) if "asin" in record}
    follows = {(a.name, b.name) for kinds in HOBBIES.values() for a, b in itertools.pairwise(kinds)}
    of_user: dict[str, list[tuple[int, str]]] = {}
    for review in sound(sample[0]):
        if review["asin"] in kind_of:
            of_user.setdefault(review["reviewerID"], []).append((review["unixReviewTime"], kind_of[review["asin"]]))
    steps = Counter()
    for events in of_user.values():
        events.sort(key=lambda event: event[0])
        for (earlier, a), (later, b) in itertools.pairwise(events):
            if earlier < later:
                steps["forward"] += (a, b) in follows
                steps["backward"] += (b, a) in follows
                steps["all"] += 1
    assert steps["forward"] > 0.3 * steps["all"]
    assert steps["forward"] > 4 * steps["backward"]


def test_the_vocabulary_of_the_shop() -> None:
    assert len({len(kinds) for kinds in HOBBIES.values()}) == 1
    names = [kind.name for kinds in HOBBIES.values() for kind in kinds]
    assert len(set(names)) == len(names)
    assert len(set(BRANDS)) == len(BRANDS) >= 2 * (len(HOBBIES) - 1) + BRANDS_PER_HOBBY - 2
