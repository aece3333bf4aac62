"""The event log of the synthetic shop."""

from __future__ import annotations

import csv
import gzip
import itertools
from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

from recsys.core.events import SECONDS_PER_DAY
from recsys.prepare.sample import write_orders, write_sample
from recsys.prepare.sample.files import METADATA_FILE, read_lines
from recsys.prepare.sample.orders import LASTS
from recsys.prepare.sample.words import HOBBIES
from tests.unit.prepare.test_sample import parsed, sound

Row = dict[str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    text = gzip.decompress(write_orders(folder).read_bytes()).decode()
    return list(csv.DictReader(text.splitlines()))


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    size = {"n_users": 50, "n_items": 40, "n_reviews": 400}
    made = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_sample(tmp_path / name, seed, **size)
        made.append(write_orders(tmp_path / name, seed, **size).read_bytes())
    assert made[0] == made[1] != made[2]


def test_first_purchases_are_what_was_reviewed(folder: Path, rows: list[Row]) -> None:
    reviewed = {
        (review["reviewerID"], review["asin"]) for review in sound(read_lines(folder / "reviews_sample.json.gz"))
    }
    bought = {(row["user_id"], row["item_id"]) for row in rows if row["event_type"] == "purchase"}
    assert len(bought & reviewed) > 0.999 * len(bought | reviewed)  # some lines of the reviews are damaged


def test_what_is_used_up_is_bought_again_when_it_is(folder: Path, rows: list[Row]) -> None:
    records = parsed(read_lines(folder / METADATA_FILE))
    kind_of = {record["asin"]: record["category"][2] for record in records if "asin" in record}
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        if row["event_type"] == "purchase":
            times[row["user_id"], row["item_id"]].append(int(row["timestamp"]))
    gaps: dict[str, list[float]] = defaultdict(list)
    for (_, item), moments in times.items():
        if item in kind_of:
            pairs = itertools.pairwise(sorted(moments))
            gaps[kind_of[item]] += [(after - before) / SECONDS_PER_DAY for before, after in pairs]
    # A fifth of the pieces last twice as long, for two are bought: the median is somewhat above the days of one.
    assert {kind: 0.9 < median(found) / LASTS[kind] < 1.25 for kind, found in gaps.items() if found} == dict.fromkeys(
        LASTS, True
    )


def test_the_log_has_prices_quantities_views_and_returns(rows: list[Row]) -> None:
    kinds = {row["event_type"] for row in rows}
    assert kinds == {"purchase", "view", "return"}
    purchases = [row for row in rows if row["event_type"] == "purchase"]
    assert {row["quantity"] for row in purchases} == {"1", "2"}
    priced = [float(row["price"]) for row in purchases if row["price"]]
    assert len(priced) > 0.7 * len(purchases)
    assert all(1 < price < 1000 for price in priced)
    assert [int(row["timestamp"]) for row in rows] == sorted(int(row["timestamp"]) for row in rows)


def test_consumables_are_products_of_the_shop() -> None:
    assert set(LASTS) <= {kind.name for kinds in HOBBIES.values() for kind in kinds}
