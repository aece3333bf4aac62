import hashlib
import random
from collections import Counter
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from recsys.core.errors import DataError
from recsys.prepare.engine import filters, splits, staging
from recsys.prepare.settings import DataConfig, SplitConfig

Row = tuple[str, str, int, float | None, float]  # user, item, timestamp, rating, weight


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        yield db


def load(db: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    """Fill table `raw`, in file order, after whatever an earlier case left."""
    for table in db.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        db.execute(f"DROP TABLE {table[0]}")
    staging.create_raw_table(db)
    names = ("user_id", "item_id", "timestamp", "rating", "weight")
    columns = {name: [row[position] for row in rows] for position, name in enumerate(names)}
    table = pa.table({**columns, "seq": list(range(len(rows)))})
    # Shuffled: nothing may depend on the order in which rows arrive.
    staging.insert_interactions(db, table.take(random.Random(len(rows)).sample(range(len(rows)), len(rows))))


def config(**changes: object) -> DataConfig:
    settings_ = {"format": "events", "interactions": ["x"], "k_core_users": 0, "k_core_items": 0, **changes}
    return DataConfig.model_validate(settings_)


def kept(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int, float | None]]:
    return db.execute(
        "SELECT user_id, item_id, timestamp, rating FROM kept"
        " JOIN user_codes USING (user_code) JOIN item_codes USING (item_code) ORDER BY ALL"
    ).fetchall()


def edges_of_core(edges: set[tuple[int, int]], users: int, items: int) -> set[tuple[int, int]]:
    """Remove one offending user or item at a time, until there is none."""
    while True:
        of_user, of_item = Counter(u for u, _ in edges), Counter(i for _, i in edges)
        bad_user = next((u for u, n in of_user.items() if n < users), None)
        bad_item = next((i for i, n in of_item.items() if n < items), None)
        if bad_user is not None:
            edges = {edge for edge in edges if edge[0] != bad_user}
        elif bad_item is not None:
            edges = {edge for edge in edges if edge[1] != bad_item}
        else:
            return edges


@pytest.mark.parametrize("seed", range(40))
def test_k_core_is_the_brute_force_core(database: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = random.Random(seed)
    edges = {(rng.randrange(9), rng.randrange(9)) for _ in range(rng.randrange(1, 45))}
    users, items = rng.randrange(5), rng.randrange(5)
    load(database, [(f"u{u}", f"i{i}", 1, None, 1.0) for u, i in sorted(edges)])
    core = edges_of_core(edges, users, items)
    if not core:
        with pytest.raises(DataError, match="none of"):
            filters.filter_interactions(database, config(k_core_users=users, k_core_items=items))
        return
    report = filters.filter_interactions(database, config(k_core_users=users, k_core_items=items))
    assert {(u, i) for u, i, *_ in kept(database)} == {(f"u{u}", f"i{i}") for u, i in core}
    assert report.dropped["k_core"] == len(edges) - len(core)


def test_k_core_goes_on_to_the_fixed_point(database: duckdb.DuckDBPyConnection) -> None:
    # A chain u0-i0-u1-i1-…: only its ends have one neighbour, and it unravels from there. A 2×2 block stays.
    chain = [(f"u{n // 2 + n % 2}", f"i{n // 2}") for n in range(12)]
    block = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    load(database, [(u, i, 1, None, 1.0) for u, i in chain + block])
    report = filters.filter_interactions(database, config(k_core_users=2, k_core_items=2))
    assert [(u, i) for u, i, *_ in kept(database)] == block
    assert report.k_core_rounds > 3


def test_the_latest_review_of_a_pair_stays_and_ties_go_to_the_later_line(database: duckdb.DuckDBPyConnection) -> None:
    load(
        database,
        [
            ("u", "a", 20, 5.0, 1.0),
            ("u", "a", 10, 1.0, 1.0),  # later in the file, earlier in time
            ("u", "b", 10, 2.0, 1.0),
            ("u", "b", 10, 3.0, 1.0),  # same time, later in the file
            ("v", "a", 10, None, 1.0),
        ],
    )
    report = filters.filter_interactions(database, config())
    assert kept(database) == [("u", "a", 20, 5.0), ("u", "b", 10, 3.0), ("v", "a", 10, None)]
    assert report.dropped == {"older_of_same_pair": 2, "k_core": 0}


def test_of_events_the_strongest_stays(database: duckdb.DuckDBPyConnection) -> None:
    load(database, [("u", "a", 10, None, 5.0), ("u", "a", 12, None, 5.0), ("u", "a", 20, None, 1.0)])
    filters.filter_interactions(database, config())
    assert kept(database) == [("u", "a", 12, None)]
    assert database.execute("SELECT weight FROM kept").fetchall() == [(5.0,)]


def test_minimum_rating_judges_the_latest_review_and_lets_unrated_ones_pass(
    database: duckdb.DuckDBPyConnection,
) -> None:
    load(
        database,
        [("u", "a", 1, 5.0, 1.0), ("u", "a", 2, 3.9, 1.0), ("u", "b", 1, 4.0, 1.0), ("u", "c", 1, None, 1.0)],
    )
    report = filters.filter_interactions(database, config(min_rating=4.0))
    assert [item for _, item, *_ in kept(database)] == ["b", "c"]
    assert report.dropped == {"older_of_same_pair": 1, "below_min_rating": 1, "k_core": 0}


def test_rows_are_numbered_by_a_hash_of_the_id(database: duckdb.DuckDBPyConnection) -> None:
    ids = [f"B{n:03d}" for n in range(50)]
    load(database, [("u", item, 1, None, 1.0) for item in ids])
    filters.filter_interactions(database, config())
    filters.number_rows(database)
    rows = database.execute("SELECT item, item_id FROM items ORDER BY item").fetchall()
    by_hash = sorted(ids, key=lambda item: hashlib.md5(item.encode()).hexdigest())
    assert rows == list(enumerate(by_hash))


def split(db: duckdb.DuckDBPyConnection, rows: list[Row], **how: object) -> tuple[list[str], dict[str, object]]:
    """Split of each row, in file order, and the manifest's entry on it."""
    load(db, rows)
    filters.filter_interactions(db, config())
    filters.number_rows(db)
    entry = splits.split_interactions(db, SplitConfig.model_validate(how))
    return [part for (part,) in db.execute("SELECT split FROM interactions ORDER BY seq").fetchall()], entry


def at(times: dict[str, list[int]]) -> list[Row]:
    """One row for each time of each user, items all different."""
    pairs = [(user, time) for user, of_user in times.items() for time in of_user]
    return [(user, f"i{number}", time, None, 1.0) for number, (user, time) in enumerate(pairs)]


def test_leave_one_out(database: duckdb.DuckDBPyConnection) -> None:
    rows = at({"one": [5], "two": [5, 6], "three": [9, 7, 8], "tied": [4] * 8})
    parts, entry = split(database, rows, method="leave_one_out")
    assert parts == [
        *["train"],
        *["train", "train"],
        *["test", "train", "validation"],
        *["train"] * 6,
        *["validation", "test"],  # equal times keep file order
    ]
    assert entry == {"method": "leave_one_out"}


def test_temporal_uses_one_time_for_all(database: duckdb.DuckDBPyConnection) -> None:
    rows = at({"a": [1, 3, 5, 7, 9], "b": [2, 4, 6, 8, 10]})
    parts, entry = split(database, rows, method="temporal", validation_share=0.2, test_share=0.3)
    by_time = dict(zip([row[2] for row in rows], parts, strict=True))
    assert [by_time[time] for time in range(1, 11)] == ["train"] * 5 + ["validation"] * 2 + ["test"] * 3
    assert entry == {"method": "temporal", "validation_from": 6, "test_from": 8}


def test_temporal_keeps_equal_times_together(database: duckdb.DuckDBPyConnection) -> None:
    # Of ten, the last two would be test; the eighth has the same time as the ninth and comes along.
    parts, entry = split(
        database, at({"a": [1, 2, 3, 4, 5, 6, 7, 9, 9, 9]}), method="temporal", validation_share=0.1, test_share=0.2
    )
    assert parts == ["train"] * 7 + ["test"] * 3
    assert entry["test_from"] == 9


def test_temporal_needs_more_than_one_moment(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(DataError, match=r"train part(.|\n)*there are 1 different times(.|\n)*leave_one_out"):
        split(database, at({"a": [7] * 10}), method="temporal")


def test_ratio_rounds_each_users_shares(database: duckdb.DuckDBPyConnection) -> None:
    times = {"ten": list(range(10)), "five": [5, 1, 4, 2, 3], "four": [1, 2, 3, 4], "one": [1]}
    parts, _ = split(database, at(times), method="ratio", validation_share=0.1, test_share=0.2)
    assert parts == [
        *["train"] * 7, "validation", "test", "test",  # 1 and 2 of 10
        "test", "train", "validation", "train", "train",  # 0.5 rounds to 1, 1.0 stays 1
        "train", "train", "train", "test",  # 0.4 rounds to 0, 0.8 to 1
        "train",
    ]  # fmt: skip


def test_ratio_always_leaves_one_for_training(database: duckdb.DuckDBPyConnection) -> None:
    parts, _ = split(database, at({"a": [1, 2], "b": [1]}), method="ratio", validation_share=0.45, test_share=0.5)
    assert parts == ["train", "test", "train"]


def test_a_split_without_test_part_is_refused(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(DataError, match=r"test part(.|\n)*no user has more than 2\.\n(.|\n)*temporal"):
        split(database, at({"a": [1, 2], "b": [3]}), method="leave_one_out")


def test_a_share_that_is_less_than_half_an_interaction_is_no_part(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(DataError, match=r"test part(.|\n)*the longest history, of 4\.\n(.|\n)*test_share"):
        split(database, at({"a": [1, 2, 3, 4]}), method="ratio", validation_share=0.1, test_share=0.1)
