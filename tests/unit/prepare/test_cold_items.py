from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from recsys.core.errors import DataError
from recsys.prepare.engine.cold_items import hold_out_items

Row = tuple[int, int, str]  # user, item, split


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        yield db


def load(db: duckdb.DuckDBPyConnection, rows: list[Row], n_items: int) -> None:
    for table in ("interactions", "items", "cold"):
        db.execute(f"DROP TABLE IF EXISTS {table}")
    users, items, splits = zip(*rows, strict=True)
    db.register("batch", pa.table({"user": users, "item": items, "split": splits}))
    db.execute("CREATE TABLE interactions AS SELECT * FROM batch")
    db.execute(f"CREATE TABLE items AS SELECT i::INTEGER AS item, 'id' || i AS item_id FROM range({n_items}) t(i)")


def left(db: duckdb.DuckDBPyConnection) -> set[Row]:
    return set(db.execute("SELECT * FROM interactions").fetchall())


def rows_of(n_items: int, tested: int) -> list[Row]:
    """Each item is trained on by user 0 and validated by user 1; the first `tested` are user 2's and 3's test items."""
    rows = [(user, item, split) for item in range(n_items) for user, split in ((0, "train"), (1, "validation"))]
    return rows + [(user, item, "test") for item in range(tested) for user in (2, 3)]


def test_held_out_items_keep_their_test_interactions_alone(database: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(20, 8)
    load(database, rows, 20)
    report = hold_out_items(database, 0.2, seed=0)
    gone = set(rows) - left(database)
    cold = {item for _, item, _ in gone}
    assert len(cold) == 4
    assert cold <= set(range(8))
    assert gone == {row for row in rows if row[1] in cold and row[2] != "test"}
    assert report == {"share": 0.2, "seed": 0, "count": 4, "interactions_removed": 8, "test_interactions": 8}
    assert database.execute("SELECT count(*) FROM items").fetchall() == [(20,)]


def test_the_draw_is_uniform_and_seeded(database: duckdb.DuckDBPyConnection) -> None:
    def drawn(seed: int) -> set[int]:
        rows = rows_of(20, 10)
        load(database, rows, 20)
        hold_out_items(database, 0.1, seed)
        return {item for _, item, _ in set(rows) - left(database)}

    draws = [drawn(seed) for seed in range(100)]
    assert drawn(3) == draws[3]
    # 200 draws from 10 items: 20 each, with a standard deviation of 4.
    counts = [sum(item in draw for draw in draws) for item in range(10)]
    assert min(counts) > 4
    assert max(counts) < 36


def test_the_number_is_rounded_and_at_least_one(database: duckdb.DuckDBPyConnection) -> None:
    for share, count in ((0.01, 1), (0.12, 2), (0.13, 3)):
        load(database, rows_of(20, 10), 20)
        assert hold_out_items(database, share, 0)["count"] == count


def test_a_share_that_leaves_nothing_to_do(database: duckdb.DuckDBPyConnection) -> None:
    load(database, rows_of(20, 8), 20)
    with pytest.raises(DataError, match="10 items with test interactions"):
        hold_out_items(database, 0.5, 0)
    load(database, [(0, 0, "train"), (1, 0, "test"), (1, 1, "test")], 2)
    with pytest.raises(DataError, match="training interactions"):
        hold_out_items(database, 0.9, 0)
