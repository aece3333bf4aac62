"""Preparing on Spark gives what DuckDB gives: the same bytes, counts and messages."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from recsys.config import parse_config
from recsys.prepare.engine import staging
from recsys.prepare.engine.staging import Database
from recsys.prepare.sample import write_sample
from recsys.prepare.spark.engine import connect
from tests.support.spark import prepared_by_both, refused_by_both, spark_on_two_threads

ROOT = Path(__file__).parents[2]
CASES = ROOT / "../shared/cases"
DAY = 86400
START = 1_600_000_000
KINDS = ("view", "view", "view", "add_to_cart", "purchase", "purchase", "return")


@pytest.fixture(scope="module", autouse=True)
def _spark() -> Iterator[None]:
    yield from spark_on_two_threads()


def write_shop(folder: Path, *, users: int = 30, items: int = 12, events: int = 900) -> dict[str, Any]:
    """Three files of events that repeat each other in part, with all that is taken off events, and a catalogue."""
    draw = random.Random(7)
    rows = []
    for number in range(events):
        user = "crawler" if number % 4 else f"u{draw.randrange(users)}"
        item, kind = f"i{int(items * draw.random() ** 2)}", draw.choice(KINDS)
        time = START + draw.randrange(60) * DAY + draw.choice((0, 4, 8, 5000))
        price = round(draw.uniform(1, 90), 2)
        rows.append((user, item, kind, time, price, draw.choice((1, 2, 3, "")), f"e{number}"))
    rows[3] = ("", *rows[3][1:])  # a bad line
    head = "user_id,item_id,event_type,timestamp,price,quantity,event_id\n"
    third = events // 3
    (folder / "1.csv").write_text(head + "".join(",".join(map(str, row)) + "\n" for row in rows[:third]))
    again = rows[third - 20 : 2 * third]
    (folder / "2.csv.gz").write_bytes(
        gzip.compress((head + "".join(",".join(map(str, row)) + "\n" for row in again)).encode())
    )
    last = [(*row[:5], float(row[5] or 1), row[6]) for row in rows[2 * third :]]
    columns = map(list, zip(*last, strict=True))
    pq.write_table(pa.table(dict(zip(head.strip().split(","), columns, strict=True))), folder / "3.parquet")
    records = [{"item_id": f"i{n}", "title": f"Item {n}", "categories": ["a", "bc"[n % 2]]} for n in range(items + 3)]
    (folder / "items.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return {
        "format": "events",
        "interactions": [folder / name for name in ("1.csv", "2.csv.gz", "3.parquet")],
        "metadata": [folder / "items.jsonl"],
        "max_user_events": 50,
        "k_core_users": 3,
        "k_core_items": 2,
        "repurchase_users": 1,
    }


def test_statements_give_what_they_give_in_duckdb(tmp_path: Path) -> None:
    draw = random.Random(3)
    rows = [(f"u{draw.randrange(9)}", draw.choice(("a", "b", None)), draw.random(), seq) for seq in range(60)]
    columns = zip(("user_id", "kind", "price", "seq"), zip(*rows, strict=True), strict=True)
    raw = pa.table({name: list(values) for name, values in columns})
    data = parse_config({"name": "shop", "data": {"format": "events", "interactions": ["-"]}}, "the test").data
    with closing(staging.connect(data, tmp_path)) as duck, closing(connect(data, tmp_path)) as spark:
        duck.register("given", raw)
        duck.execute("CREATE TABLE raw AS SELECT * FROM given")
        spark.session.createDataFrame(raw).write.parquet(folder := spark.new_folder("raw"))
        spark.attach("raw", folder, spark.session.read.parquet(folder))
        first, second = (_after_some_statements(db) for db in (duck, spark))
    assert first == second
    assert 0 < len(first) < len(rows)
    assert not list(tmp_path.glob("recsys-*"))


def _after_some_statements(db: Database) -> list[tuple[Any, ...]]:
    """Make tables on Spark of tables there and on the driver, and change them; rows in their order."""
    db.register("weights", pa.table({"kind": ["a", "b"], "weight": [1.5, 2.5]}))
    ids = "(SELECT DISTINCT user_id FROM raw)"
    db.execute(f"CREATE TABLE users AS SELECT {staging.row_numbers('user')} AS number, user_id FROM {ids}")
    staging.replace_table(
        db,
        "raw",
        "SELECT * EXCLUDE (price), price * weight AS cost FROM raw LEFT JOIN weights USING (kind) WHERE price > $least",
        least=0.1,
    )
    db.unregister("weights")
    db.execute("DELETE FROM raw WHERE kind = 'b' AND user_id IN (SELECT user_id FROM users WHERE number < 3)")
    assert staging.count(db, "users") == 9
    query = """
        SELECT number, kind, cost, lag(seq) OVER (PARTITION BY kind ORDER BY cost DESC, seq) AS before, seq
        FROM raw JOIN users USING (user_id) ORDER BY kind, cost DESC, seq
    """
    return [tuple(row.values()) for row in db.sql(query).to_arrow_reader(7).read_all().to_pylist()]


@pytest.mark.slow
def test_a_shop_with_all_that_is_taken_off_events(tmp_path: Path) -> None:
    manifest = prepared_by_both(tmp_path, **write_shop(tmp_path))
    dropped = manifest["interactions"]["dropped"]
    assert {"repeated_event", "burst", "outstanding_user", "returned", "older_of_same_pair", "k_core"} <= dropped.keys()
    assert dropped["repeated_event"] == 20
    assert manifest["counts"]["items_without_interactions"] >= 3
    assert manifest["cycles"]["own"] > 0
    assert not list(tmp_path.glob("spark/.*.partial"))


@pytest.mark.slow
@pytest.mark.parametrize("repeats", ["latest", "count", "all"])
@pytest.mark.parametrize(
    "split",
    [
        {"method": "ratio", "test_share": 0.3, "cold_items_share": 0.2},
        {"method": "temporal", "validation_share": 0.2, "test_share": 0.2},
    ],
    ids=["ratio", "temporal"],
)
def test_every_split_and_way_of_repeats(tmp_path: Path, repeats: str, split: dict[str, Any]) -> None:
    prepared_by_both(tmp_path, **write_shop(tmp_path), repeats=repeats, split=split, min_rating=2.5)


@pytest.mark.slow
def test_the_sample(tmp_path: Path) -> None:
    write_sample(tmp_path)
    manifest = prepared_by_both(
        tmp_path,
        format="amazon_2018",
        interactions=[tmp_path / "reviews_sample.json.gz"],
        metadata=[tmp_path / "meta_sample.json.gz"],
        attributes={"seller": "text", "stock": "number", "organic": "bool"},
    )
    assert manifest["sources"][0]["dropped"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edition", "reviews", "metadata"),
    [
        ("2018", "raw_2018/Gift_Cards_5", "raw_2018/meta_Gift_Cards"),
        ("2014", "beauty_2014_5core/reviews_Beauty_5", "beauty_2014_5core/meta_Beauty"),
    ],
    ids=["2018", "2014"],
)
def test_files_of_amazon(tmp_path: Path, shared_data: Path, edition: str, reviews: str, metadata: str) -> None:
    prepared_by_both(
        tmp_path,
        format=f"amazon_{edition}",
        interactions=[shared_data / f"{reviews}.json.gz"],
        metadata=[shared_data / f"{metadata}.json.gz"],
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        "01_retailrocket",
        "22_returns",
        "31_daily_files",
        "59_repeat_purchases",
        "62_parquet_ms",
        "102_viewed_not_bought",
    ],
)
def test_logs_of_other_shops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    file = CASES / case / "config.yaml"
    if not file.exists():
        pytest.skip("the shops' logs (../shared/cases) are not on this machine")
    monkeypatch.chdir(ROOT)
    prepared_by_both(tmp_path, **yaml.safe_load(file.read_text())["data"])


@pytest.mark.slow
def test_the_same_refusals(tmp_path: Path) -> None:
    shop = write_shop(tmp_path)
    (tmp_path / "2.csv.gz").write_bytes((tmp_path / "2.csv.gz").read_bytes()[:-40])
    assert "ends in the middle" in refused_by_both(tmp_path, **shop)
    write_shop(tmp_path)
    assert "after the filters" in refused_by_both(tmp_path, **{**shop, "k_core_users": 500})
    assert "bad lines" in refused_by_both(tmp_path, **{**shop, "max_bad_line_share": 0})
